use alloc::{borrow::Cow, borrow::ToOwned, string::String, vec::Vec};

use serde::Deserialize;

use super::{FrameError, HAS_THREAD, VERSION, kind, value_type};
use crate::wire::{
    CallSiteData, CallSiteKind, Parent, RawSpanId, Record, RecordValues, ThreadIndex, TracedError,
    TracingLevel, ValueRef, error::MAX_CHAIN,
};

/// Reads a frame; its values are read later, when their call site is known.
pub(crate) fn decode(frame: &[u8]) -> Result<Record<'_>, FrameError> {
    let (kind, thread, mut reader) = Reader::start(frame)?;
    let record = reader.record(kind, thread)?;
    let has_values = matches!(
        record,
        Record::NewSpan { .. } | Record::ValuesRecorded { .. } | Record::NewEvent { .. }
    );
    if !has_values {
        reader.end()?;
    }
    Ok(record)
}

/// What the kind of a call site is called in errors.
pub(super) const KIND: &str = "kind of a call site";

/// Values at the end of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncodedValues<'a> {
    reader: Reader<'a>,
}

impl<'a> EncodedValues<'a> {
    /// Reads the next value and the index of its field; `None` at the end of the frame.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, ValueRef<'a>)>, FrameError> {
        if self.reader.rest.is_empty() { Ok(None) } else { self.reader.keyed_value().map(Some) }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    frame_len: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the header, and returns the kind of the frame, its thread, and what is left.
    pub(super) fn start(frame: &'a [u8]) -> Result<(u8, ThreadIndex, Self), FrameError> {
        let Some((&header, rest)) = frame.split_first() else {
            return Err(FrameError::Empty);
        };
        let version = header >> 5;
        if version != VERSION {
            return Err(FrameError::UnsupportedVersion { actual: version, supported: VERSION });
        }
        let mut reader = Self { frame_len: frame.len(), rest };
        let thread = if header & HAS_THREAD == 0 { 0 } else { reader.uint("thread")? };
        Ok((header & 0b1111, thread, reader))
    }

    /// Checks that nothing follows.
    pub(super) fn end(&self) -> Result<(), FrameError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(FrameError::TrailingBytes { offset: self.offset() })
        }
    }

    fn offset(&self) -> usize {
        self.frame_len - self.rest.len()
    }

    fn read<T: Deserialize<'a>>(&mut self, what: &'static str) -> Result<T, FrameError> {
        match postcard::take_from_bytes(self.rest) {
            Ok((value, rest)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(postcard::Error::DeserializeUnexpectedEnd) => {
                Err(FrameError::Truncated { offset: self.frame_len, what })
            }
            Err(_) => Err(self.malformed(what)),
        }
    }

    fn malformed(&self, what: &'static str) -> FrameError {
        FrameError::Malformed { offset: self.offset(), what }
    }

    pub(super) fn uint(&mut self, what: &'static str) -> Result<u64, FrameError> {
        self.read(what)
    }

    fn cow(&mut self, what: &'static str) -> Result<Cow<'static, str>, FrameError> {
        self.read::<String>(what).map(Cow::Owned)
    }

    fn optional_cow(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Cow<'static, str>>, FrameError> {
        Ok(self.read::<Option<String>>(what)?.map(Cow::Owned))
    }

    fn record(&mut self, kind: u8, thread: ThreadIndex) -> Result<Record<'a>, FrameError> {
        Ok(match kind {
            kind::NEW_CALL_SITE => {
                Record::NewCallSite { id: self.uint("call site ID")?, data: self.call_site()? }
            }
            kind::NEW_SPAN => Record::NewSpan {
                id: self.span_id()?,
                metadata_id: self.uint("call site ID")?,
                parent: self.parent()?,
                values: self.values(),
                thread,
            },
            kind::FOLLOWS_FROM => {
                Record::FollowsFrom { id: self.span_id()?, follows_from: self.span_id()? }
            }
            kind::SPAN_ENTERED => Record::SpanEntered { id: self.span_id()?, thread },
            kind::SPAN_EXITED => Record::SpanExited { id: self.span_id()?, thread },
            kind::SPAN_CLONED => Record::SpanCloned { id: self.span_id()? },
            kind::SPAN_DROPPED => Record::SpanDropped { id: self.span_id()? },
            kind::VALUES_RECORDED => {
                Record::ValuesRecorded { id: self.span_id()?, values: self.values() }
            }
            kind::NEW_EVENT => Record::NewEvent {
                metadata_id: self.uint("call site ID")?,
                parent: self.parent()?,
                values: self.values(),
                thread,
            },
            kind => return Err(FrameError::UnknownKind { kind }),
        })
    }

    fn span_id(&mut self) -> Result<RawSpanId, FrameError> {
        self.uint("span ID")
    }

    fn parent(&mut self) -> Result<Parent, FrameError> {
        Ok(match self.uint("parent")? {
            0 => Parent::Contextual,
            1 => Parent::Root,
            next_after_id => Parent::Explicit(next_after_id - 1),
        })
    }

    fn call_site(&mut self) -> Result<CallSiteData, FrameError> {
        let kind = self.choice(KIND, &[CallSiteKind::Span, CallSiteKind::Event])?;
        self.description(kind)
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
            line: self.read("line")?,
            fields: self.fields()?,
        })
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        what: &'static str,
        choices: &[T],
    ) -> Result<T, FrameError> {
        let malformed = self.malformed(what);
        let index: u8 = self.read(what)?;
        choices.get(usize::from(index)).copied().ok_or(malformed)
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

    fn values(&self) -> RecordValues<'a> {
        RecordValues::Encoded(EncodedValues { reader: *self })
    }

    fn keyed_value(&mut self) -> Result<(usize, ValueRef<'a>), FrameError> {
        let start = self.offset();
        let malformed_key = self.malformed("index of a field");
        let key = self.uint("key of a value")?;
        let field = usize::try_from(key / value_type::COUNT).map_err(|_| malformed_key)?;
        let value = match key % value_type::COUNT {
            value_type::FALSE => ValueRef::Bool(false),
            value_type::TRUE => ValueRef::Bool(true),
            value_type::INT => ValueRef::Int(self.read::<i64>("integer")?.into()),
            value_type::UINT => ValueRef::UInt(self.read::<u64>("integer")?.into()),
            value_type::INT_128 => ValueRef::Int(self.read("integer")?),
            value_type::UINT_128 => ValueRef::UInt(self.read("integer")?),
            value_type::FLOAT => ValueRef::Float(self.read("float")?),
            value_type::STRING => ValueRef::Str(self.read("string")?),
            value_type::OBJECT => ValueRef::Object(self.read("string")?),
            value_type::ERROR => ValueRef::Error(Cow::Owned(self.error()?)),
            value_type::BYTES => ValueRef::Bytes(self.read("byte string")?),
            #[allow(clippy::cast_possible_truncation)] // it is a remainder
            value_type => {
                let value_type = value_type as u8;
                return Err(FrameError::UnknownValueType { offset: start, value_type });
            }
        };
        Ok((field, value))
    }

    fn error(&mut self) -> Result<TracedError, FrameError> {
        const WHAT: &str = "number of messages of an error";

        let malformed = self.malformed(WHAT);
        let count = self.uint(WHAT)?;
        if count > MAX_CHAIN as u64 {
            return Err(malformed);
        }
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(self.read::<&str>("message of an error")?.to_owned());
        }
        TracedError::from_messages(messages).ok_or(malformed)
    }
}
