//! One integration binary, a module a topic.

mod asking;
mod awaiting;
mod blind_spots;
mod bounds;
mod byte_streams;
mod capture;
mod carrying;
mod comparing;
mod ending;
#[cfg(feature = "export")]
mod export;
mod failures;
mod filtering;
mod frames;
mod guest;
mod json;
mod layers;
mod left_out;
mod moments;
mod persistence;
mod predicates;
mod reading;
mod readme;
mod receiver;
mod recorded;
mod sender;
mod snapshots;
mod stream_snapshots;
mod support;
mod taking;
mod tasks;
mod threads_of_host;
mod times;
mod transparent;
mod values;
mod waiting;
