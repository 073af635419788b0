use alloc::{
    borrow::{Cow, ToOwned},
    vec::Vec,
};

use super::{FrameError, kind, reader::Reader, value_type};
use crate::wire::{
    CallSiteData, CallSiteKind, ErrorRef, MetadataId, Parent, RawSpanId, Record, RecordValues,
    ThreadIndex, TracedError, TracingLevel, ValueRef, error::MAX_CHAIN,
};

/// Reads a frame. Its values are read later, when their call site is known.
#[inline(always)] // where it is called, the kind of the record is found out once
pub fn decode(frame: &[u8]) -> Result<Record<RecordValues<'_>>, FrameError> {
    let (kind, thread, reader) = Reader::start(frame)?;
    reader.record(kind, thread)
}

/// What the kind of a call site is called in errors.
pub(super) const KIND: &str = "kind of a call site";

/// Values at the end of a frame.
#[derive(Debug, Clone, Copy)]
pub struct EncodedValues<'a> {
    reader: Reader<'a>,
}

impl<'a> EncodedValues<'a> {
    /// Reads values from the bytes of others.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }

    /// Returns the bytes of those that were not read yet.
    pub fn bytes(&self) -> &'a [u8] {
        self.reader.rest()
    }
}

/// Iterates over the values and the indexes of their fields. Stop at the first error.
#[allow(clippy::copy_iterator)] // reading values again begins with a copy
impl<'a> Iterator for EncodedValues<'a> {
    type Item = Result<(usize, ValueRef<'a>), FrameError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest().is_empty() { None } else { Some(self.reader.keyed_value()) }
    }
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn record(
        mut self,
        kind: u8,
        thread: ThreadIndex,
    ) -> Result<Record<RecordValues<'a>>, FrameError> {
        match kind {
            kind::NEW_CALL_SITE => {
                let (id, data) = self.apart(Self::call_site)?;
                self.last(Record::NewCallSite { id, data })
            }
            kind::NEW_SPAN => {
                let (id, metadata_id) = (self.span_id()?, self.uint("call site ID")?);
                let (parent_id, is_root) = self.parent()?.into_fields();
                Ok(Record::NewSpan {
                    id,
                    metadata_id,
                    parent_id,
                    is_root,
                    values: self.values(),
                    thread,
                })
            }
            kind::FOLLOWS_FROM => {
                let (id, follows_from) = (self.span_id()?, self.span_id()?);
                self.last(Record::FollowsFrom { id, follows_from })
            }
            kind::SPAN_ENTERED => {
                let id = self.span_id()?;
                self.last(Record::SpanEntered { id, thread })
            }
            kind::SPAN_EXITED => {
                let id = self.span_id()?;
                self.last(Record::SpanExited { id, thread })
            }
            kind::SPAN_CLONED => {
                let id = self.span_id()?;
                self.last(Record::SpanCloned { id })
            }
            kind::SPAN_DROPPED => {
                let id = self.span_id()?;
                self.last(Record::SpanDropped { id })
            }
            kind::VALUES_RECORDED => {
                let id = self.span_id()?;
                Ok(Record::ValuesRecorded { id, values: self.values() })
            }
            kind::NEW_EVENT => {
                let metadata_id = self.uint("call site ID")?;
                let (parent, is_root) = self.parent()?.into_fields();
                Ok(Record::NewEvent { metadata_id, parent, is_root, values: self.values(), thread })
            }
            kind => Err(FrameError::UnknownKind { kind }),
        }
    }

    /// Returns a record that nothing may follow.
    #[inline(always)]
    fn last(
        self,
        record: Record<RecordValues<'a>>,
    ) -> Result<Record<RecordValues<'a>>, FrameError> {
        self.end()?;
        Ok(record)
    }

    #[inline]
    fn span_id(&mut self) -> Result<RawSpanId, FrameError> {
        self.uint("span ID")
    }

    #[inline]
    fn parent(&mut self) -> Result<Parent, FrameError> {
        Ok(match self.uint("parent")? {
            0 => Parent::Contextual,
            1 => Parent::Root,
            next_after_id => Parent::Explicit(next_after_id - 1),
        })
    }

    #[cold]
    fn call_site(&mut self) -> Result<(MetadataId, CallSiteData), FrameError> {
        let id = self.uint("call site ID")?;
        let kind = self.choice(KIND, &[CallSiteKind::Span, CallSiteKind::Event])?;
        Ok((id, self.description(kind)?))
    }

    /// Reads what there is of a call site, from its level on.
    pub(super) fn description(&mut self, kind: CallSiteKind) -> Result<CallSiteData, FrameError> {
        Ok(CallSiteData {
            kind,
            level: self.choice(
                "level",
                &[
                    TracingLevel::Error,
                    TracingLevel::Warn,
                    TracingLevel::Info,
                    TracingLevel::Debug,
                    TracingLevel::Trace,
                ],
            )?,
            name: self.cow("name")?,
            target: self.cow("target")?,
            module_path: self.optional_cow("module path")?,
            file: self.optional_cow("file")?,
            line: self.optional_uint_32("line")?,
            fields: self.fields()?,
        })
    }

    fn fields(&mut self) -> Result<Vec<Cow<'static, str>>, FrameError> {
        let count = self.uint("number of fields")?;
        // Grows with the names that are really there: the count is only a claim.
        let mut fields = Vec::new();
        for _ in 0..count {
            fields.push(self.cow("name of a field")?);
        }
        Ok(fields)
    }

    #[inline]
    fn values(self) -> RecordValues<'a> {
        RecordValues::Encoded(EncodedValues { reader: self })
    }

    #[inline(always)]
    fn keyed_value(&mut self) -> Result<(usize, ValueRef<'a>), FrameError> {
        let start = *self;
        let key = self.uint("key of a value")?;
        let Ok(field) = usize::try_from(key / value_type::COUNT) else {
            return Err(start.malformed("index of a field"));
        };
        let value = match key % value_type::COUNT {
            value_type::UINT => ValueRef::UInt(self.uint("integer")?.into()),
            value_type::INT => ValueRef::Int(self.sint("integer")?.into()),
            value_type::STRING => ValueRef::Str(self.str("string")?),
            value_type::OBJECT => ValueRef::Object(self.str("string")?),
            value_type => self.apart(|reader| reader.rare_value(start, value_type))?,
        };
        Ok((field, value))
    }

    #[inline(never)]
    fn rare_value(&mut self, start: Self, value_type: u64) -> Result<ValueRef<'a>, FrameError> {
        Ok(match value_type {
            value_type::FALSE => ValueRef::Bool(false),
            value_type::TRUE => ValueRef::Bool(true),
            value_type::INT_128 => ValueRef::Int(self.sint_128("integer")?),
            value_type::UINT_128 => ValueRef::UInt(self.uint_128("integer")?),
            value_type::FLOAT => ValueRef::Float(self.float("float")?),
            value_type::ERROR => ValueRef::Error(ErrorRef::Encoded(self.error(true)?)),
            value_type::ERROR_WITHOUT_DEBUG => {
                ValueRef::Error(ErrorRef::Encoded(self.error(false)?))
            }
            value_type::BYTES => ValueRef::Bytes(self.bytes("byte string")?),
            #[allow(clippy::cast_possible_truncation)] // it is a remainder
            value_type => {
                let value_type = value_type as u8;
                return Err(FrameError::UnknownValueType { offset: start.offset(), value_type });
            }
        })
    }

    /// Checks an error, and leaves it as it is.
    fn error(&mut self, has_debug: bool) -> Result<EncodedError<'a>, FrameError> {
        let error = EncodedError { reader: *self, has_debug };
        self.texts(has_debug).try_for_each(|texts| texts.map(drop))?;
        Ok(error)
    }

    /// Reads the messages of an error, and their `Debug` outputs.
    fn texts(
        &mut self,
        has_debug: bool,
    ) -> impl Iterator<Item = Result<(&'a str, Option<&'a str>), FrameError>> {
        const WHAT: &str = "number of messages of an error";

        let start = *self;
        let count = match self.uint(WHAT) {
            Ok(count @ 1..=MAX_COUNT) => Ok(count),
            Ok(_) => Err(start.malformed(WHAT)),
            Err(error) => Err(error),
        };
        let refused = count.err().map(Err);
        let texts = (0..count.unwrap_or(0)).map(move |_| {
            let message = self.str("message of an error")?;
            let debug = has_debug.then(|| self.str("`Debug` output of an error"));
            Ok((message, debug.transpose()?))
        });
        refused.into_iter().chain(texts)
    }

    /// Reads a rare value with a copy of the reader, which leaves this one in registers.
    #[inline]
    fn apart<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FrameError>,
    ) -> Result<T, FrameError> {
        let mut reader = *self;
        let read = read(&mut reader);
        *self = reader;
        read
    }
}

/// Most messages that an error may have.
const MAX_COUNT: u64 = MAX_CHAIN as u64;

/// An error that was checked, and is still encoded.
#[derive(Debug, Clone, Copy)]
pub struct EncodedError<'a> {
    reader: Reader<'a>,
    has_debug: bool,
}

impl<'a> EncodedError<'a> {
    /// Iterates over the messages of the chain and their `Debug` outputs, outermost first.
    pub fn texts(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut reader = self.reader;
        let texts: Vec<_> = reader.texts(self.has_debug).map_while(Result::ok).collect();
        texts.into_iter()
    }

    pub fn to_error(self) -> TracedError {
        let texts =
            self.texts().map(|(message, debug)| (message.to_owned(), debug.map(ToOwned::to_owned)));
        TracedError::from_texts(texts.collect())
    }
}
