//! The example of the README and of the guide's first page, and the failure that they show.

mod example {
    include!("readme_example.rs");

    pub(super) fn divide_by_zero() {
        let _ = divide(8, 0);
    }
}

const README: &str = include_str!("../../../README.md");
const FIRST_TEST: &str = include_str!("../../../docs/src/first_test.md");

#[test]
fn first_example_is_a_test_of_this_binary_and_short() {
    let example = include_str!("readme_example.rs");
    assert!(README.contains(&format!("```rust\n{example}```\n")));
    assert!(FIRST_TEST.contains(&format!("```rust,test_harness\n{example}```\n")));
    assert!(example.lines().count() < 20);
}

#[test]
fn failure_message_is_the_real_one() {
    use spanshot::predicates::*;
    use tracing::Level;

    let trace = crate::support::native(example::divide_by_zero);
    let message = crate::support::panic_message(|| {
        trace.scan_events().single(&(level(Level::ERROR) & parent(field("rhs", 1))));
    });
    let shown = format!("```text\n{}\n```\n", message.trim_end());
    assert!(README.contains(&shown) && FIRST_TEST.contains(&shown), "{message}");
}
