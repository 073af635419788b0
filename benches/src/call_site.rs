//! Call sites that are made while the program runs: macros would make as many as are written down.

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::{
    Dispatch, Event, Level, Metadata,
    field::{Field, FieldSet},
    subscriber::Interest,
};
use tracing_core::{Callsite, Kind, callsite, identify_callsite};

/// An event's call site, with one field, which lives forever.
pub(crate) struct CallSite {
    parts: OnceLock<(Metadata<'static>, Field)>,
}

impl CallSite {
    fn leak() -> &'static Self {
        let call_site: &'static Self = Box::leak(Box::new(Self { parts: OnceLock::new() }));
        call_site.parts.get_or_init(|| {
            let fields = FieldSet::new(&["number"], identify_callsite!(call_site));
            let field = fields.field("number").expect("it is there");
            let level = Level::INFO;
            let metadata =
                Metadata::new("made", "benches", level, None, None, None, fields, Kind::EVENT);
            (metadata, field)
        });
        call_site
    }

    fn parts(&self) -> &(Metadata<'static>, Field) {
        self.parts.get().expect("it was put there when it was leaked")
    }

    /// Traces an event from here, whether or not anyone is interested.
    pub(crate) fn trace(&'static self, subscriber: &Dispatch, number: u64) {
        let (metadata, field) = self.parts();
        let values = [(field, Some(&number as &dyn tracing::Value))];
        subscriber.event(&Event::new(metadata, &metadata.fields().value_set(&values)));
    }
}

impl Callsite for CallSite {
    /// It is traced from whoever is interested.
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &self.parts().0
    }
}

/// Returns so many call sites: the same ones each time.
pub(crate) fn call_sites(count: usize) -> Vec<&'static CallSite> {
    static ALL: Mutex<Vec<&CallSite>> = Mutex::new(vec![]);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    while all.len() < count {
        all.push(CallSite::leak());
    }
    all[..count].to_vec()
}

/// Call sites that each new subscriber is asked about.
pub(crate) const REGISTERED: usize = 1_000;

/// Sees to it that these are registered.
pub(crate) fn register_some() {
    static REGISTER: OnceLock<()> = OnceLock::new();
    REGISTER.get_or_init(|| {
        for _ in 0..REGISTERED {
            callsite::register(CallSite::leak());
        }
    });
}
