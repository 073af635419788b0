//! Predicates and scanners: what matches, what refuses to pass, and what a failure says.

mod blind_spots;
mod cut_chains;
mod failures;
mod predicates;
mod similar_values;
mod tracing_mock;
