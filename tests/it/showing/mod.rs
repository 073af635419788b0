//! Traces as text, snapshots, comparisons and exports, and what they make of hostile text.

mod comparing;
#[cfg(feature = "export")]
mod export;
mod hostile_output;
mod numbered_redactions;
mod recognizers;
mod schedules;
mod secrets;
mod shown_apart;
mod snapshot_settings;
mod snapshots;
mod stream_snapshots;
mod structured_snapshots;
mod timeline_text;
mod unseen_characters;
