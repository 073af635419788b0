//! Checks assertions against records that no test can claim, and adds hints to failures about records that may be
//! elsewhere.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write};

use ::predicates::Predicate;

use super::{
    Scanner,
    checks::ScanError,
    combinators::Behind,
    failure::blind,
    scope::Scope,
    sight::{bypass, counted, limit, misspelt, other_subscriber},
};
use crate::{
    capture::{Captured, REMEDIES, Sealed, short::Short},
    view::ShortLine,
    wire::text::{Escaped, Quoted},
};

/// Remedies for a record that no test can claim.
pub(super) const WAYS_OUT: &str = "(attach its thread to the test with `CaptureHandle::attach_thread()` or `carry()`, run the \
    test in a process of its own, as nextest does, or call `ignore_unattributed()` on the scanner or the \
    builder if such records do not matter)";

impl<'a, T, I> Scanner<T, I>
where
    T: Scope<'a>,
    I: Iterator,
    I::Item: Captured<'a>,
{
    /// Fails if a record that no test can claim would break the assertion if it were the test's, or if there may have
    /// been such a record. Unlike [`Self::look()`], it also fails after `or_empty()`.
    pub(super) fn settle(
        &self,
        mut breaking: impl Iterator<Item = I::Item>,
        predicate: &dyn fmt::Display,
    ) -> Result<(), ScanError> {
        let [noun, nouns] = <I::Item as Sealed>::NOUNS;
        let first = breaking.next();
        let reason = match first {
            Some(_) => counted(breaking.count() + 1, noun, nouns)
                .map(|items| format!("{items} that no test can claim may be this test's")),
            None => self.unattributed_evicted(),
        };
        let Some(reason) = reason else { return Ok(()) };
        let record = first.map_or_else(String::new, |item| format!("\n\n{}\n", Record(&item)));
        let predicate = Short::line(predicate);
        let headline =
            format!("this cannot be decided, since {reason}: {predicate}{record}\n{WAYS_OUT}");
        Err(ScanError::new(blind(&headline, self.searched())))
    }

    /// Says why the items that a predicate looks for may be missing, as far as the capture knows.
    pub(super) fn hints<P>(&self, predicate: &P) -> Vec<String>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        let storage = self.searched().storage;
        let mut hints = Vec::new();
        let hidden = bypass(storage).or_else(|| limit(storage, &Behind(predicate), true));
        hints.extend(hidden.map(|reason| format!("(it could not be captured, since {reason})")));
        let misspelt = misspelt(storage, &Behind(predicate), <I::Item as Sealed>::KIND);
        hints.extend(misspelt.map(|undeclared| format!("({undeclared})")));
        let did_match = |item: I::Item| predicate.eval(&item.with_earlier_values());
        if storage.has_earlier_values() && self.scanned().any(did_match) {
            hints.push(
                "(it did match, with earlier values: `ever(…)` looks at these, too)".to_string(),
            );
        }
        let elsewhere = self.unattributed().find(|item| predicate.eval(item));
        hints.extend(elsewhere.map(|item| {
            let noun = <I::Item as Sealed>::NOUNS[0];
            let record = Record(&item);
            format!("this {noun} matches, but no test can claim it:\n\n{record}\n\n{WAYS_OUT}")
        }));
        if hints.is_empty() && storage.sight().is_of_thread {
            hints.push(REMEDIES.to_string());
        }
        hints.extend(other_subscriber(storage).map(|other| format!("({other})")));
        hints
    }
}

/// A record that no test can claim, on one line, with its origin.
struct Record<'t, T>(&'t T);

impl<'a, T: Captured<'a>> fmt::Display for Record<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, metadata) = (self.0.node(), self.0.metadata());
        write!(formatter, "  {} (", ShortLine::new(node))?;
        if let Some(thread) = node.trace().thread_of(node.moment()) {
            write!(formatter, "thread {thread}, ")?;
        }
        write!(formatter, "target {}", Quoted(metadata.target()))?;
        if let Some(file) = metadata.file() {
            write!(formatter, ", {}", Escaped(file))?;
            if let Some(line) = metadata.line() {
                write!(formatter, ":{line}")?;
            }
        }
        formatter.write_char(')')
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use std::string::ToString;

    use tracing::{Level, error, info, info_span, warn};

    use super::*;
    use crate::{
        Capture, Storage, Trace,
        predicates::{ScanExt, always, child, event, field, level, message, name, ne},
    };

    fn elsewhere(program: impl FnOnce()) -> Storage {
        let capture = Capture::start();
        program();
        (*capture.trace()).clone()
    }

    /// Captures one INFO event in a span, and adds records that no test can claim.
    fn trace(unattributed: impl FnOnce(), evicted: u64) -> Trace {
        let unattributed = elsewhere(unattributed);
        let capture = Capture::start();
        capture.storage().set_sight(|sight| {
            sight.is_of_thread = false;
            sight.unattributed = Some(Arc::new(unattributed));
            sight.unattributed_evicted = evicted;
        });
        info_span!("work").in_scope(|| info!("done"));
        capture.trace()
    }

    #[track_caller]
    fn refused<T: fmt::Debug>(result: Result<T, ScanError>) -> String {
        let message = result.unwrap_err().to_string();
        assert!(message.starts_with("this cannot be decided, since "), "{message}");
        message
    }

    #[test]
    fn record_that_would_break_a_negative_is_named() {
        let trace = trace(|| error!(target: "app", code = 7, "failed"), 0);
        let refusal = refused(trace.scan_events().try_none(&level(Level::ERROR)));
        let line = line!() - 2;
        let expected = format!(
            "this cannot be decided, since 1 event that no test can claim may be this test's: \
             level(ERROR)\n\n  ERROR failed code=7 (thread 0, target \"app\", {}:{line})\n\n{WAYS_OUT}\n\n\
             the trace:\n  INFO work{{}}\n  └─ INFO done\n",
            file!().replace('\\', "\\\\"),
        );
        assert_eq!(refusal, expected);
    }

    #[test]
    fn each_negative_counts_what_no_test_can_claim() {
        let trace = trace(
            || {
                warn!("slow");
                error!("failed");
            },
            0,
        );
        let events = trace.scan_events();
        refused(events.try_none(&level(Level::ERROR)));
        refused(events.or_empty().try_none(&level(Level::ERROR)));
        refused(events.try_all(&level(Level::INFO)));
        let refusal = refused(events.try_count(..=2, &always()));
        assert!(refusal.contains("2 events that no test"), "{refusal}");
        refused(events.try_count(1, &!level(Level::WARN)));
        refused(events.try_count(0, &level(Level::WARN)));
        refused(events.try_single(&!level(Level::WARN)));
        let refusal = refused(events.try_exactly(&[&message("done")]));
        assert!(refusal.contains("2 events that no test"), "{refusal}");
        refused(events.try_first(&always()));
        refused(events.try_last(&level([ne(Level::WARN)])));
        refused(events.during(..).try_none(&level(Level::ERROR)));

        // These would hold if the records were the test's.
        events.none(&level(Level::DEBUG));
        events.all(&level(tracing::level_filters::LevelFilter::INFO));
        events.count(..=3, &always());
        events.single(&message("done"));
        events.first(&message("done"));
        events.last(&level(Level::INFO));
        events.count(1.., &always());
        events.in_order(&[&message("done")]);
        events.in_a_row(&[&message("done")]);
        trace.scan_spans().exactly(&[&name("work")]);

        // Records in a span belong to its test.
        let work = trace.scan_spans().single(&name("work"));
        work.scan_events().none(&level(Level::ERROR));
        work.deep_scan_events().exactly(&[&message("done")]);

        let events = events.ignore_unattributed();
        events.first(&always());
        events.none(&level(Level::ERROR));
        events.all(&level(Level::INFO));
        events.exactly(&[&message("done")]);
    }

    #[test]
    fn record_that_would_break_a_negative_with_a_value_of_another_type_is_named() {
        let trace = trace(|| info!(user = ?"bob", "login"), 0);
        let user = field("user", "bob");
        let events = trace.scan_events();
        for refusal in [
            events.try_none(&user),
            events.try_all(&!user),
            events.try_count(..=1, &(user | message("done"))).map(drop),
        ] {
            let refusal = refusal.unwrap_err().to_string();
            let expected = "this says nothing, since 1 event that no test can claim ";
            assert!(refusal.starts_with(expected), "{refusal}");
            assert!(
                refusal.contains("if values are compared regardless of their type"),
                "{refusal}"
            );
            assert!(refusal.contains("\n\n  INFO login user=\"bob\"\n"), "{refusal}");
        }
        events.count(..=2, &(user | message("done")));
        events.ignore_unattributed().none(&user);
        events.or_empty().none(&user);
    }

    #[test]
    fn spans_count_as_well() {
        let trace = trace(|| info_span!("job").in_scope(|| error!("failed")), 0);
        let spans = trace.scan_spans();
        refused(spans.try_none(&name("job")));
        refused(spans.try_none(&event(level(Level::ERROR))));
        refused(spans.try_exactly(&[&name("work")]));
        refused(spans.try_single(&always()));
        spans.none(&child(always()));
    }

    #[test]
    fn evicted_records_may_have_been_any() {
        let trace = trace(|| {}, 3);
        let refusal = refused(trace.scan_events().try_none(&level(Level::ERROR)));
        let expected = "this cannot be decided, since 3 records that no test can claim were evicted: \
                        level(ERROR)\n(attach its thread";
        assert!(refusal.starts_with(expected), "{refusal}");
        refused(trace.scan_events().try_single(&always()));
        trace.scan_events().any(&always());
        trace.scan_events().ignore_unattributed().none(&level(Level::ERROR));
        let work = trace.scan_spans().ignore_unattributed().single(&name("work"));
        work.scan_events().none(&level(Level::ERROR));
    }

    #[test]
    fn positive_that_fails_mentions_a_record_that_would_match() {
        let trace = trace(|| error!("failed"), 0);
        let failed = trace.scan_events().try_single(&message("failed")).unwrap_err().to_string();
        assert!(failed.starts_with("no event matches message"), "{failed}");
        let hint =
            "\n\nthis event matches, but no test can claim it:\n\n  ERROR failed (thread 0, ";
        assert!(failed.contains(hint) && failed.contains(WAYS_OUT), "{failed}");
        let failed = trace.scan_events().try_single(&message("lost")).unwrap_err().to_string();
        assert!(!failed.contains("no test can claim"), "{failed}");
    }

    #[test]
    fn bypassed_capture_refuses_negatives() {
        let capture = Capture::start();
        info!("seen");
        capture.storage().note_bypass();
        let trace = capture.trace();
        let events = trace.scan_events();
        let refusal = events.try_none(&level(Level::ERROR)).unwrap_err().to_string();
        let expected = "this says nothing, since a thread of this capture has another subscriber, so that \
                        records go elsewhere (something called `set_default` and kept the guard): level(ERROR)";
        assert!(refusal.starts_with(expected), "{refusal}");
        events.try_all(&level(Level::INFO)).unwrap_err();
        events.try_single(&message("seen")).unwrap_err();
        events.try_exactly(&[&message("seen")]).unwrap_err();
        events.any(&message("seen"));
        let failed = events.try_any(&message("lost")).unwrap_err().to_string();
        assert!(
            failed.contains("\n\n(it could not be captured, since a thread of this"),
            "{failed}"
        );
        assert!(!failed.contains(REMEDIES), "{failed}");
    }

    #[test]
    fn only_a_capture_that_follows_a_thread_names_how_others_come_to_it() {
        let capture = Capture::start();
        info!("seen");
        let failed = |trace: &Trace| {
            trace.scan_events().try_single(&field("lost", true)).unwrap_err().to_string()
        };
        assert!(failed(&capture.trace()).contains(REMEDIES));
        capture.storage().set_sight(|sight| sight.is_of_thread = false);
        assert!(!failed(&capture.trace()).contains(REMEDIES));
    }

    #[test]
    fn each_filter_that_was_in_force_counts() {
        let capture = Capture::start();
        info!("seen");
        let filters = ["debug", "warn"].map(|filter| Arc::new(filter.parse().unwrap()));
        capture.storage().set_sight(|sight| sight.filters = filters.into());
        let trace = capture.trace();
        let events = trace.scan_events();
        let refusal = events.try_none(&level(Level::DEBUG)).unwrap_err().to_string();
        let expected = "this says nothing, since the capture's filter of a time, \"warn\", lets none of it pass: \
                        level(DEBUG)";
        assert!(refusal.starts_with(expected), "{refusal}");
        // One is there, and others may have been while the other filter was in force.
        events.try_single(&level(Level::INFO)).unwrap_err();
        events.none(&level(Level::ERROR));
        events.any(&level(Level::INFO));
    }
}
