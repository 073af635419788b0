//! Call sites of other programs, as `tracing` wants them: static, one for each description.

use alloc::{borrow::Cow, boxed::Box, collections::BTreeSet};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::{collections::HashMap, sync::OnceLock};

use tracing_core::{
    Callsite, Dispatch, Interest, Kind, LevelFilter, Metadata, callsite, dispatcher,
    field::{Field, FieldSet},
};

use super::{Limit, ReceiveError, ReceiverLimits};
use crate::{
    lock::Mutex,
    wire::{CallSiteData, CallSiteKind},
};

/// A call site made at run time, that lives from then on.
#[derive(Debug)]
pub(super) struct DynamicCallSite {
    data: CallSiteData,
    /// Metadata, and its fields, which `tracing-core` finds by looking through them.
    metadata: OnceLock<(Metadata<'static>, Box<[Field]>)>,
    interest: AtomicU8,
    has_interest: AtomicBool,
    is_registered: AtomicBool,
}

/// Metadata of a call site, and its fields, which `tracing-core` finds by looking through them.
#[derive(Debug, Clone, Copy)]
pub(super) struct StaticCallSite {
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) fields: &'static [Field],
}

/// How often an interest in a call site was decided anew.
static CHANGES: AtomicU32 = AtomicU32::new(0);

/// Returns a number that is another one when the filter of a subscriber has changed since.
pub(super) fn filter_generation() -> u32 {
    use tracing_core::Level;

    // When the maximum level changes, call sites are told before.
    let max_level = LevelFilter::current().into_level().map_or(0, |level| match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    });
    CHANGES.load(Ordering::SeqCst).wrapping_mul(8) | max_level
}

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

impl Callsite for DynamicCallSite {
    fn set_interest(&self, interest: Interest) {
        // The first time is when it is registered. Later, filters may have changed.
        if self.has_interest.swap(true, Ordering::Relaxed) {
            CHANGES.fetch_add(1, Ordering::SeqCst);
        }
        let interest = if interest.is_never() {
            NEVER
        } else if interest.is_always() {
            ALWAYS
        } else {
            SOMETIMES
        };
        self.interest.store(interest, Ordering::SeqCst);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.static_metadata()
    }
}

impl DynamicCallSite {
    fn made(&self) -> &(Metadata<'static>, Box<[Field]>) {
        // `intern()` sets it before it hands out a call site.
        self.metadata.get().expect("metadata of a call site is set when it is made")
    }

    pub(super) fn static_metadata(&self) -> &Metadata<'static> {
        &self.made().0
    }

    pub(super) fn as_static(&'static self) -> StaticCallSite {
        let (metadata, fields) = self.made();
        StaticCallSite { metadata, fields }
    }

    /// Registers the call site with all subscribers, now and later, as `tracing`'s macros do it: unless that
    /// is done, or nobody wants its level. A program that goes on may come here again under another level.
    ///
    /// This takes locks of `tracing-core` and runs the code of subscribers: while it does, other
    /// threads go on and ask their subscriber each time.
    ///
    /// `tracing-core` asks the current thread's default if that is the only subscriber of the process.
    /// So this one is the default meanwhile; but in the middle of a dispatch there is no default, and
    /// then [all are asked](crate::interest).
    #[inline]
    pub(super) fn reach(&'static self, dispatch: &Dispatch) {
        if !self.is_registered.load(Ordering::Acquire) && self.has_wanted_level() {
            self.register(dispatch);
        }
    }

    #[cold]
    fn register(&'static self, dispatch: &Dispatch) {
        if self.is_registered.swap(true, Ordering::AcqRel) {
            return;
        }
        if dispatcher::get_current(|_| ()).is_some() {
            dispatcher::with_default(dispatch, || callsite::register(self));
        } else {
            crate::interest::ask_all_subscribers();
            callsite::register(self);
        }
    }

    /// Whether there is a subscriber that may want records of this level.
    pub(super) fn has_wanted_level(&self) -> bool {
        *self.static_metadata().level() <= LevelFilter::current()
    }

    /// Whether no subscriber wants anything that comes from here.
    pub(super) fn is_of_no_interest(&self) -> bool {
        !self.has_wanted_level() || self.interest.load(Ordering::Relaxed) == NEVER
    }

    /// Decides whether the subscriber gets records of this call site, in the steps of `tracing`'s
    /// macros.
    pub(super) fn is_enabled(&self, dispatch: &Dispatch) -> bool {
        let metadata = self.static_metadata();
        if !self.has_wanted_level() {
            return false;
        }
        match self.interest.load(Ordering::Relaxed) {
            NEVER => false,
            ALWAYS => true,
            _ => dispatch.enabled(metadata),
        }
    }
}

/// Everything that was ever leaked.
#[derive(Default)]
struct Arena {
    strings: BTreeSet<&'static str>,
    /// Bytes of it.
    leaked: u64,
    call_sites: HashMap<&'static CallSiteData, &'static DynamicCallSite>,
    /// Those that nothing ever comes from, but questions. They are said to be of events.
    hints: HashMap<&'static CallSiteData, &'static DynamicCallSite>,
}

static ARENA: Mutex<Option<Arena>> = Mutex::new(None);

/// Returns how many bytes were ever leaked.
pub(super) fn leaked_bytes() -> u64 {
    ARENA.lock().as_ref().map_or(0, |arena| arena.leaked)
}

/// Returns the call site with this description. It is leaked, once a process, however many
/// receivers meet it; and so are the strings in it, each once.
///
/// Refuses to leak more than the limit allows.
pub(super) fn intern(
    data: &CallSiteData,
    limits: &ReceiverLimits,
) -> Result<&'static DynamicCallSite, ReceiveError> {
    let mut arena = ARENA.lock();
    let arena = arena.get_or_insert_with(Arena::default);
    if let Some(call_site) = arena.call_sites.get(data) {
        return Ok(call_site);
    }
    let kind = match data.kind {
        CallSiteKind::Span => Kind::SPAN,
        CallSiteKind::Event => Kind::EVENT,
    };
    let call_site = arena.leak_call_site(data, kind, limits)?;
    arena.call_sites.insert(&call_site.data, call_site);
    Ok(call_site)
}

/// Returns the call site with this description that is one of neither spans nor events.
pub(super) fn intern_hint(
    data: &CallSiteData,
    limits: &ReceiverLimits,
) -> Result<&'static DynamicCallSite, ReceiveError> {
    let mut arena = ARENA.lock();
    let arena = arena.get_or_insert_with(Arena::default);
    if let Some(call_site) = arena.hints.get(data) {
        return Ok(call_site);
    }
    let call_site = arena.leak_call_site(data, Kind::HINT, limits)?;
    arena.hints.insert(&call_site.data, call_site);
    Ok(call_site)
}

/// Bytes that an allocator takes for so many: a multiple of 16 with a header, as in glibc.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes.saturating_add(8).next_multiple_of(16).max(32) }
}

/// Bytes of an entry in a collection, which may be less than half full, and is copied when it grows.
const fn entry<T>() -> usize {
    3 * size_of::<T>()
}

impl Arena {
    /// Returns how many bytes it takes to have this call site for ever, including those that others have allocated.
    fn cost(&self, data: &CallSiteData) -> u64 {
        let CallSiteData { name, target, module_path, file, fields, .. } = data;
        let strings = [name, target].into_iter().chain(module_path).chain(file).chain(fields);
        let new: BTreeSet<&str> =
            strings.map(|text| &**text).filter(|text| !self.strings.contains(text)).collect();
        let strings: usize = new.iter().map(|text| allocated(text.len()) + entry::<&str>()).sum();
        let of_fields = allocated(fields.len() * size_of::<Cow<'_, str>>())
            + allocated(fields.len() * size_of::<&str>())
            + allocated(fields.len() * size_of::<Field>());
        let site = allocated(size_of::<DynamicCallSite>())
            + entry::<(&CallSiteData, &DynamicCallSite)>()
            + entry::<&dyn Callsite>(); // in the registry of `tracing-core`
        (strings + of_fields + site) as u64
    }

    fn leak_call_site(
        &mut self,
        data: &CallSiteData,
        kind: Kind,
        limits: &ReceiverLimits,
    ) -> Result<&'static DynamicCallSite, ReceiveError> {
        let cost = self.cost(data);
        limits.check(Limit::LeakedBytes, self.leaked.saturating_add(cost))?;
        self.leaked += cost;
        let data = CallSiteData {
            kind: data.kind,
            name: Cow::Borrowed(self.leak_str(&data.name)),
            target: Cow::Borrowed(self.leak_str(&data.target)),
            level: data.level,
            module_path: data.module_path.as_deref().map(|s| Cow::Borrowed(self.leak_str(s))),
            file: data.file.as_deref().map(|s| Cow::Borrowed(self.leak_str(s))),
            line: data.line,
            fields: data.fields.iter().map(|s| Cow::Borrowed(self.leak_str(s))).collect(),
        };

        let call_site: &'static DynamicCallSite = Box::leak(Box::new(DynamicCallSite {
            data,
            metadata: OnceLock::new(),
            interest: AtomicU8::new(SOMETIMES),
            has_interest: AtomicBool::new(false),
            is_registered: AtomicBool::new(false),
        }));
        call_site.metadata.get_or_init(|| {
            let metadata = self.metadata(&call_site.data, kind, call_site);
            let fields = metadata.fields().iter().collect();
            (metadata, fields)
        });
        Ok(call_site)
    }

    fn metadata(
        &mut self,
        data: &CallSiteData,
        kind: Kind,
        call_site: &'static DynamicCallSite,
    ) -> Metadata<'static> {
        let fields = data.fields.iter().map(|name| self.leak_str(name)).collect();
        let fields: &'static [&'static str] = Box::leak::<'static>(fields);
        Metadata::new(
            self.leak_str(&data.name),
            self.leak_str(&data.target),
            data.level.into(),
            data.file.as_deref().map(|s| self.leak_str(s)),
            data.line,
            data.module_path.as_deref().map(|s| self.leak_str(s)),
            FieldSet::new(fields, tracing_core::identify_callsite!(call_site)),
            kind,
        )
    }

    fn leak_str(&mut self, string: &str) -> &'static str {
        if let Some(leaked) = self.strings.get(string) {
            return leaked;
        }
        let leaked: &'static str = Box::leak(Box::from(string));
        self.strings.insert(leaked);
        leaked
    }
}
