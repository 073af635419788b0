//! How a trace tells that something of it was refused.

use alloc::{borrow::Cow, format, sync::Arc, vec::Vec};

use super::{
    ReceiveError,
    per_thread::FIRST_THREAD,
    sink::{Sink, SinkParent},
    stream::Stream,
};
use crate::{
    said_parent::SaidParent,
    wire::{CallSiteData, CallSiteKind, TracingLevel, ValueRef},
};

impl Stream {
    /// Emits the event that tells that a record was refused, unless it was emitted, or the sink is
    /// not ready for it.
    #[cold]
    pub(super) fn trace_loss(&mut self, error: &ReceiveError, sink: &mut (impl Sink + ?Sized)) {
        if self.is_loss_traced || !sink.is_ready() {
            return;
        }
        // This call site is always the same: it is leaked once a process, whatever the limit.
        let limits = self.limits.without_limits_of_leak();
        let Ok(index) = self.push_call_site(Arc::new(call_site()), &limits, sink) else { return };
        self.is_loss_traced = true;
        let message = format!("a record was refused: {error}");
        let limit;
        let mut values = Vec::from([(0, ValueRef::Object(&message))]);
        if let ReceiveError::LimitExceeded { limit: exceeded, max, actual } = error {
            limit = format!("{exceeded}");
            values.push((1, ValueRef::Str(&limit)));
            values.push((2, ValueRef::UInt((*max).into())));
            values.push((3, ValueRef::UInt((*actual).into())));
        }
        // A receiver cannot always tell the thread of what it refused.
        let (parent, said) = (SinkParent::Root, SaidParent::Root);
        sink.new_event(index, FIRST_THREAD, parent, said, Some(&values));
    }
}

fn call_site() -> CallSiteData {
    CallSiteData {
        kind: CallSiteKind::Event,
        name: Cow::Borrowed("record refused"),
        target: Cow::Borrowed("spanshot"),
        level: TracingLevel::Error,
        module_path: None,
        file: None,
        line: None,
        fields: ["message", "limit", "max", "actual"].map(Cow::Borrowed).into(),
    }
}
