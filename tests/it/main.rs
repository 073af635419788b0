//! One integration binary, a module a topic.

mod awaiting;
mod bounds;
mod capture;
mod carrying;
mod ending;
mod filtering;
mod frames;
mod guest;
mod json;
mod layers;
mod moments;
mod persistence;
mod predicates;
mod reading;
mod readme;
mod receiver;
mod sender;
mod snapshots;
mod support;
mod taking;
mod tasks;
mod threads_of_host;
mod times;
mod transparent;
mod values;
mod waiting;
