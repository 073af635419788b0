//! The price of the dev-dependency: a clean build of one test, in the packages of `build`.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{check::Judgement, figures::Figures, table::Table};

/// What the processor time may be beyond the ratio that it is held to.
const ROOM_OF_TIME: f64 = 1.25;

/// What another compiler may change about sizes. With one compiler, they are the same each time.
const ROOM_OF_SIZE: f64 = 1.05;

/// The processor time of processes that have ended is told in hundredths of a second.
const TICKS: f64 = 100.0;

/// Two packages with the same test, and the ratios that they are held to.
struct Pair {
    packages: [&'static str; 2],
    names: [&'static str; 4],
    /// Of processor time, packages, size and size without symbols.
    held: [f64; 4],
    /// Whether a ratio of 1 is to be reached.
    is_to_be_reached: bool,
}

const PAIRS: [Pair; 2] = [
    Pair {
        packages: ["built-spanshot", "built-capture"],
        names: [
            "processor time, as `cargo add` gives it",
            "packages, as `cargo add` gives it",
            "size of the test, as `cargo add` gives it",
            "the same without symbols",
        ],
        held: [1.49, 1.0, 2.42, 3.09],
        is_to_be_reached: true,
    },
    Pair {
        packages: ["built-spanshot-least", "built-capture-least"],
        names: [
            "processor time, only features that it needs",
            "packages, only features that it needs",
            "size of the test, only features that it needs",
            "the same without symbols",
        ],
        held: [1.83, 1.12, 4.05, 3.13],
        is_to_be_reached: false,
    },
];

/// What a build took and made.
#[derive(Debug, Clone, Copy)]
struct Built {
    seconds: f64,
    packages: f64,
    bytes: f64,
    stripped_bytes: f64,
}

/// Builds all packages, and judges each row by the ratio that it is held to.
pub(crate) fn measure(mut write: impl FnMut(&Figures)) -> Result<Vec<String>, Box<dyn Error>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/Cargo.toml");
    // With it, the builds need no network.
    let fetched = cargo("fetch", &manifest).stdout(Stdio::null()).status()?;
    if !fetched.success() {
        return Err("cargo could not fetch the packages".into());
    }
    let mut failures = vec![];
    for pair in PAIRS {
        let mut best: [Option<Built>; 2] = [None; 2];
        for _ in 0..Table::Build.rounds()[0] {
            for (best, package) in best.iter_mut().zip(pair.packages) {
                let built = build(&manifest, package)?;
                if best.is_none_or(|best| built.seconds < best.seconds) {
                    *best = Some(built);
                }
            }
        }
        let [Some(ours), Some(peers)] = best else { return Err("nothing was built".into()) };
        let rows = [
            ("s", ours.seconds, peers.seconds, ROOM_OF_TIME),
            ("", ours.packages, peers.packages, 1.0),
            ("KB", ours.bytes / 1e3, peers.bytes / 1e3, ROOM_OF_SIZE),
            ("KB", ours.stripped_bytes / 1e3, peers.stripped_bytes / 1e3, ROOM_OF_SIZE),
        ];
        for (((unit, first, second, room), name), held) in
            rows.into_iter().zip(pair.names).zip(pair.held)
        {
            let reach = pair.is_to_be_reached.then_some(1.0);
            let figures = Figures { name, unit, per: "", first, second: Some(second), reach };
            write(&figures);
            failures.extend(Judgement::new(figures, Some(held), room).failure);
        }
    }
    Ok(failures)
}

fn cargo(subcommand: &str, manifest: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What is set for other builds would change these.
    let is_setting = |name: &str| {
        let prefixes = ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "RUSTC", "RUSTFLAGS"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) || name == "CARGO_ENCODED_RUSTFLAGS"
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_setting) {
            command.env_remove(name);
        }
    }
    // A dependency from the registry is not built incrementally, as one in a directory would be.
    command.env("CARGO_INCREMENTAL", "0");
    command.args([subcommand, "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    command
}

/// Builds the test of a package from nothing.
fn build(manifest: &Path, package: &str) -> Result<Built, Box<dyn Error>> {
    let target = env::temp_dir().join(format!("spanshot-built-{}", std::process::id()));
    let before = time_of_children()?;
    let mut cargo = cargo("build", manifest);
    cargo.args(["--offline", "--tests", "--message-format", "json", "--package", package]);
    let output = cargo.arg("--target-dir").arg(&target).stderr(Stdio::inherit()).output()?;
    let seconds = time_of_children()? - before;
    if !output.status.success() {
        return Err(format!("{package} was not built").into());
    }
    let artifacts = Artifacts::parse(&String::from_utf8(output.stdout)?)?;
    let stripped = target.join("stripped");
    let strip = Command::new("strip").arg("-o").arg(&stripped).arg(&artifacts.test).status()?;
    if !strip.success() {
        return Err("strip (of binutils) did not work".into());
    }
    let bytes = |path: &Path| Ok::<_, std::io::Error>(fs::metadata(path)?.len() as f64);
    let built = Built {
        seconds,
        packages: artifacts.packages.len() as f64,
        bytes: bytes(&artifacts.test)?,
        stripped_bytes: bytes(&stripped)?,
    };
    fs::remove_dir_all(target)?;
    Ok(built)
}

/// What cargo tells of a build.
#[derive(Debug, PartialEq)]
struct Artifacts {
    packages: BTreeSet<String>,
    test: PathBuf,
}

impl Artifacts {
    fn parse(messages: &str) -> Result<Self, Box<dyn Error>> {
        let (mut packages, mut test) = (BTreeSet::new(), None);
        for line in messages.lines() {
            let message: Value = serde_json::from_str(line)?;
            packages.extend(message["package_id"].as_str().map(String::from));
            if message["target"]["kind"][0] == "test" {
                test = message["executable"].as_str().map(PathBuf::from);
            }
        }
        Ok(Self { packages, test: test.ok_or("cargo tells of no test")? })
    }
}

/// Returns the processor time, of users and of the system, that all processes have taken that this one has waited for,
/// and the ones that those have waited for.
fn time_of_children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")
        .map_err(|_| "only Linux tells the time of a build")?;
    ticks_of_children(&stat)
        .map(|ticks| ticks / TICKS)
        .ok_or_else(|| "/proc/self/stat is strange".into())
}

fn ticks_of_children(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?; // the name of the program may have spaces
    let mut fields = rest.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_children_are_fields_16_and_17() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 130 890 0 0 11 12 2450 613 20 0 1 0 99";
        assert_eq!(ticks_of_children(stat), Some(3_063.0));
        assert_eq!(ticks_of_children("7 (a) S 1"), None);
    }

    #[test]
    fn packages_are_counted_once_and_the_test_is_found() {
        let messages = r#"{"reason":"compiler-artifact","package_id":"a","target":{"kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","package_id":"a","target":{"kind":["test"]},"executable":"/t/a"}
{"reason":"build-script-executed","package_id":"b"}
{"reason":"build-finished","success":true}"#;
        let packages = ["a", "b"].map(String::from).into();
        assert_eq!(
            Artifacts::parse(messages).unwrap(),
            Artifacts { packages, test: "/t/a".into() }
        );
        assert!(Artifacts::parse(r#"{"reason":"build-finished"}"#).is_err());
    }
}
