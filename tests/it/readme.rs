//! What the README says is so.

mod example {
    include!("readme_example.rs");

    pub(super) fn divide_by_zero() {
        let _ = divide(8, 0);
    }
}

const README: &str = include_str!("../../README.md");

#[test]
fn first_example_is_a_test_of_this_binary_and_short() {
    let example = include_str!("readme_example.rs");
    assert!(README.contains(&format!("```rust\n{example}```\n")));
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
    assert!(README.contains(&format!("```text\n{}\n```\n", message.trim_end())), "{message}");
}
