//! One integration binary, a module a topic.

mod capture;
mod carrying;
mod ending;
mod frames;
mod guest;
mod json;
mod layers;
mod persistence;
mod predicates;
mod readme;
mod receiver;
mod sender;
mod snapshots;
mod support;
mod tasks;
mod threads_of_host;
mod transparent;
mod values;
