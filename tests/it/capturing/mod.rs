//! What captures see, keep and watch over, by every way of starting one.

mod attached;
mod awaiting;
mod bounds;
mod bypassed;
mod capture;
mod carrying;
mod disabled;
mod ending;
mod filtering;
mod foreign_spans;
mod handles;
mod layers;
mod left_out;
mod lost_records;
mod many_fields;
mod moments;
mod parent_kinds;
mod reading;
mod reloading;
mod taking;
mod tasks;
mod times;
mod waiting;
mod watching;
mod with_layer;
