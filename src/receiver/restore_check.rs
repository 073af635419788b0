//! Whether what was persisted fits together.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    ReceiveError, RestoreError,
    field_names::FieldNames,
    persist::{PersistedMetadata, PersistedSpans, SpanData},
    resolved_values::ResolvedValues,
    restore::SinkSpans,
    values::resolve_named,
};
use crate::wire::{CallSiteData, CallSiteKind};

/// Checks all of it, but for the limits of call sites, and for parents: one that is not there was closed, as it may be natively, too, if the
/// host did not want it.
pub(super) fn check(
    metadata: &PersistedMetadata,
    spans: &PersistedSpans,
    known: &SinkSpans,
) -> Result<(), RestoreError> {
    let mut places = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (&span, data) in &spans.spans {
        let metadata_id = data.metadata_id;
        let Some(site) = metadata.call_sites.get(&metadata_id) else {
            return Err(RestoreError::UnknownCallSite { span, metadata_id });
        };
        let error = |error| RestoreError::InvalidSpan { span, error: Box::new(error) };
        let names = names.entry(metadata_id).or_insert_with(|| FieldNames::new(site));
        check_span(data, site, names).map_err(error)?;
        for place in &data.entered {
            if !places.insert((place.thread, place.depth)) {
                let (thread, depth) = (place.thread, place.depth);
                return Err(RestoreError::EnteredTwice { thread, depth });
            }
        }
        if known.get(&span).is_some_and(|known| !known.is(data)) {
            return Err(RestoreError::Mismatch { span });
        }
    }
    match known.keys().find(|span| !spans.spans.contains_key(span)) {
        Some(&span) => Err(RestoreError::Missing { span }),
        None => Ok(()),
    }
}

fn check_span(
    data: &SpanData,
    site: &CallSiteData,
    names: &FieldNames,
) -> Result<(), ReceiveError> {
    let metadata_id = data.metadata_id;
    if site.kind != CallSiteKind::Span {
        return Err(ReceiveError::WrongKind { metadata_id, actual: site.kind });
    }
    resolve_named(metadata_id, site, names, &data.values, &mut ResolvedValues::new())
}
