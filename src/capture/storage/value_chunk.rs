use alloc::{boxed::Box, string::String, vec::Vec};
use std::sync::OnceLock;

use crate::capture::{
    storage::new_values::NewValues,
    storage::stored_value::{Elsewhere, StoredValue},
};
use crate::wire::TracedValue;

/// Values of some nodes.
#[derive(Debug, Default)]
pub(crate) struct ValueChunk {
    /// Values, and fields of some.
    pub(crate) values: Vec<StoredValue>,
    /// What there is of the values besides.
    pub(crate) text: String,
    others: Vec<TracedValue>,
    /// All values, once somebody has looked at one for longer than a moment.
    decoded: OnceLock<Box<[TracedValue]>>,
}

impl Clone for ValueChunk {
    fn clone(&self) -> Self {
        Self {
            values: self.values.clone(),
            text: self.text.clone(),
            others: self.others.clone(),
            decoded: OnceLock::new(),
        }
    }
}

impl ValueChunk {
    pub(crate) fn with_capacity(values: usize) -> Self {
        Self { values: Vec::with_capacity(values), ..Self::default() }
    }

    /// Adds values, and what there is of them besides.
    pub(crate) fn add(&mut self, new: &NewValues) {
        let (text, others) = (self.text.len(), self.others.len());
        self.values.extend(new.values.iter().map(|value| value.moved(text, others)));
        self.text.push_str(&new.text);
        self.others.extend_from_slice(&new.others);
    }

    /// Forgets what was decoded, so that more may be added.
    pub(crate) fn forget_decoded(&mut self) {
        self.decoded.take();
    }

    #[inline]
    pub(crate) fn elsewhere(&self) -> Elsewhere<'_> {
        Elsewhere { text: &self.text, others: &self.others }
    }

    /// Returns all values, as others see them.
    pub(crate) fn decoded(&self) -> &[TracedValue] {
        self.decoded.get_or_init(|| {
            self.values.iter().map(|value| value.get(self.elsewhere()).into()).collect()
        })
    }
}
