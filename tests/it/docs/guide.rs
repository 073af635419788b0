//! The guide in `docs`. Its code runs as doc tests of the crate, which `src/lib.rs` includes.

use std::{fs, path::PathBuf};

fn pages() -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/src");
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let pages = paths.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Targets of the links to other pages, as `page.md` or `page.md#section`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(str::trim).filter(|target| !target.starts_with("http"))
}

/// The names of a page's sections in links, as mdBook and GitHub make them.
fn sections(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[test]
fn links_between_pages_lead_somewhere() {
    let pages = pages();
    for (name, text) in &pages {
        for link in links(text) {
            let (page, section) = link.split_once('#').unwrap_or((link, ""));
            let page = if page.is_empty() { name } else { page };
            let Some((_, target)) = pages.iter().find(|(name, _)| name == page) else {
                panic!("{name} links to {link}, but there is no page {page}");
            };
            assert!(
                section.is_empty() || sections(target).any(|name| name == section),
                "{name} links to {link}, but {page} has no such section"
            );
        }
    }
}

#[test]
fn every_page_is_in_the_summary_and_its_code_is_run() {
    let (library, summary) =
        (include_str!("../../../src/lib.rs"), include_str!("../../../docs/src/SUMMARY.md"));
    for (name, _) in pages().iter().filter(|(name, _)| name != "SUMMARY.md") {
        assert!(links(summary).any(|link| link == name), "SUMMARY.md lacks {name}");
        let included = format!("include_str!(\"../docs/src/{name}\")");
        assert!(library.contains(&included), "src/lib.rs does not include {name}");
    }
}

#[test]
fn collector_is_shown_as_it_is_run() {
    let (flaky, collector) =
        (include_str!("../../../docs/src/flaky.md"), include_str!("../../../docs/collector.rs"));
    assert!(flaky.contains(&format!("```rust\n{collector}```\n")));
}
