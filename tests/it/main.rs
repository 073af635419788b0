//! One integration binary, a module a topic.

mod capture;
mod ending;
mod frames;
mod guest;
mod json;
mod persistence;
mod predicates;
mod readme;
mod receiver;
mod sender;
mod snapshots;
mod support;
mod threads_of_host;
mod transparent;
mod values;
