//! Shows what a WASM guest traces in the subscribers that a host has: lines of text, and a log of JSON.
//!
//! ```sh
//! cargo run --example into_subscribers -- '8 / (3 - 3)'
//! cargo run --example into_subscribers -- '8 / (3 - 3)' json
//! ```
//!
//! A receiver relays to the current subscriber, so you only need to have one. The guest's spans are inside the
//! host's span, and the host's filter applies: `RUST_LOG=debug` shows more.

#[allow(dead_code)] // a part of it is for other hosts
#[path = "wasm_guest/plugin.rs"]
mod plugin;

use std::{env, error::Error};

use plugin::Plugin;
use tracing::{error, info, info_span};
use tracing_subscriber::EnvFilter;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let expression = arguments.next().unwrap_or_else(|| "8 / (3 - 3)".to_owned());
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter.from_env()?);
    match arguments.next().as_deref() {
        Some("json") => subscriber.json().init(),
        _ => subscriber.init(),
    }

    let plugin = Plugin::load(include_bytes!("guest.wasm"))?;
    let _request = info_span!("request", id = 7).entered();
    match plugin.evaluate(&expression) {
        Ok(number) => info!(number, "answered"),
        Err(error) => error!(error = &error as &(dyn Error + 'static), "cannot answer"),
    }
    Ok(())
}
