//! Records a trace in a file, and replays it.
//!
//! ```sh
//! cargo run --example recorded_trace                  # records one, cuts it short, replays both
//! cargo run --example recorded_trace -- FILE.spanshot # replays one, of a failed test for example
//! ```

use std::{env, error::Error, fs, path::Path};

use spanshot::{
    SharedStorage, TracingEventReceiver,
    transport::recorded::{self, RecordedTrace},
};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(path) = env::args().nth(1) {
        return replay(Path::new(&path));
    }
    let path = env::temp_dir().join(format!("recorded-{}.spanshot", std::process::id()));
    record(&path)?;
    replay(&path)?;
    let bytes = fs::read(&path)?;
    fs::write(&path, &bytes[..bytes.len() - 50])?;
    replay(&path)?;
    Ok(fs::remove_file(path)?)
}

/// The program, which may be one in production.
fn record(path: &Path) -> Result<(), Box<dyn Error>> {
    let recording = recorded::create(path)?;
    tracing::subscriber::with_default(recording.sender(), || {
        tracing::info_span!("bake", bread = "rye").in_scope(|| {
            tracing::info!(degrees = 230, "the oven is hot");
            tracing::warn!("the crust is dark");
        });
    });
    Ok(recording.finish()?)
}

/// Somebody looks at it later: into a storage, or with a receiver that relays to any subscriber.
fn replay(path: &Path) -> Result<(), Box<dyn Error>> {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(path)?.replay(&mut receiver);
    println!("{}\n", storage.lock());
    if let Err(error) = receipt.into_result() {
        println!("{error}");
    }
    Ok(())
}
