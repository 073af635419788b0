//! Writes the seeds of the corpus: streams of real programs, each in the form that a target takes.
//!
//! ```sh
//! cargo run --manifest-path fuzz/Cargo.toml --bin seeds
//! ```

use std::{
    error::Error,
    fs, io,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{TracingEventReceiver, TracingEventSender, transport::stream::StreamWriter};
use tracing::{Level, field::Empty, info, info_span, span, warn};

type Program = (&'static str, fn());

const PROGRAMS: [Program; 5] = [
    ("nested", || {
        let outer = info_span!("outer", port = 8_080, late = Empty).entered();
        info!("in outer");
        info_span!("inner", bytes = &[1_u8, 255][..]).in_scope(|| warn!(ratio = 0.5, "in inner"));
        outer.record("late", "recorded").record("port", 80);
    }),
    ("values", || {
        let error = io::Error::other("refused");
        let error: &(dyn Error + 'static) = &error;
        info!(a = true, b = false, c = -5, d = 5_u64, e = i128::MIN, f = u128::MAX, "values");
        info!(a = f64::NAN, b = f64::NEG_INFINITY, c = "text", d = ?Some("debug"), error);
        info!(a = "<b>\u{202e}\u{1b}[31m\n", b = "größer 你好 🦀");
    }),
    ("parents", || {
        let first = info_span!("first");
        let second = info_span!("second").entered();
        let third = info_span!(parent: &first, "third");
        let _root = info_span!(parent: None, "root");
        third.follows_from(&first);
        drop(first.clone());
        drop(first);
        info!(parent: &third, "in third");
        third.in_scope(|| span!(Level::TRACE, "deep").in_scope(|| info!("deep")));
        drop(second);
    }),
    ("threads", || {
        let span = info_span!("span");
        let _entered = span.enter();
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    span.in_scope(|| info_span!("child").in_scope(|| info!("on thread")));
                });
            });
        });
        info!("on the first");
    }),
    // It never leaves what it enters.
    ("open", || {
        let span = info_span!("span", a = 1, a = 2);
        let child = info_span!(parent: &span, "child", late = Empty);
        child.record("late", -0.0);
        std::mem::forget(child.entered());
        std::mem::forget(span);
    }),
];

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, program) in PROGRAMS {
        let write = |target: &str, name: &str, bytes: &[u8]| {
            let dir = corpus.join(target);
            fs::create_dir_all(&dir)?;
            fs::write(dir.join(name), bytes)
        };

        let (frames, events) = (collected(), collected());
        let pushed = Arc::clone(&frames);
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            pushed.lock().expect("nobody panicked").push(frame.to_vec());
        });
        tracing::subscriber::with_default(sender, program);
        let pushed = Arc::clone(&events);
        let sender = TracingEventSender::new(move |event| {
            let json = serde_json::to_vec(&event).expect("all of it has a place in JSON");
            pushed.lock().expect("nobody panicked").push(json);
        });
        tracing::subscriber::with_default(sender, program);
        let take = |list: Arc<Mutex<Vec<Vec<u8>>>>| list.lock().expect("nobody panicked").clone();
        let (frames, events) = (take(frames), take(events));

        for (number, frame) in frames.iter().enumerate() {
            write("frame", &format!("{name}-{number}"), frame)?;
        }
        write("json", name, &events.join(&b'\n'))?;

        let path = std::env::temp_dir().join(format!("spanshot-seed-{}", std::process::id()));
        let writer = StreamWriter::new(fs::File::create(&path)?);
        frames.iter().for_each(|frame| writer.send(frame));
        writer.finish()?;
        let mut bytes = fs::read(&path)?;
        write("recorded", name, &bytes)?;
        bytes.splice(..0, *b"text\n");
        bytes.extend_from_slice(b"more text");
        write("stream", name, &bytes)?;
        fs::remove_file(path)?;

        // Suspended halfway.
        let mut receiver = TracingEventReceiver::capturing(&Default::default());
        for frame in &frames[..frames.len().div_ceil(2)] {
            receiver.receive_encoded(frame).expect("it was just sent");
        }
        let metadata = serde_json::to_value(receiver.persist_metadata())?;
        let spans = serde_json::to_value(receiver.persist().0)?;
        let persisted = serde_json::json!({ "metadata": metadata, "spans": spans });
        write("restore", name, persisted.to_string().as_bytes())?;
    }
    Ok(())
}

fn collected() -> Arc<Mutex<Vec<Vec<u8>>>> {
    Arc::default()
}
