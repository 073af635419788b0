use super::{FrameError, asked_kind, decode::KIND, kind, reader::Reader};
use crate::wire::{CallSiteData, CallSiteKind, MetadataId, ThreadIndex};

/// What a program wants to know of its host's filter.
#[derive(Debug)]
pub struct Question {
    pub about: AskedSite,
    pub thread: ThreadIndex,
}

#[derive(Debug)]
pub enum AskedSite {
    Described {
        /// What the call site will be called from now on, if the host is to remember it.
        id: Option<MetadataId>,
        data: CallSiteData,
        /// Whether it is one of neither spans nor events, that only asks.
        is_hint: bool,
    },
    Known(MetadataId),
}

/// Reads a question.
pub fn decode_question(frame: &[u8]) -> Result<Question, FrameError> {
    let (kind, thread, mut reader) = Reader::start(frame)?;
    let about = match kind {
        kind::QUESTION => {
            let id = reader.uint("call site ID")?.checked_sub(1);
            let asked_kind =
                reader.choice(KIND, &[asked_kind::SPAN, asked_kind::EVENT, asked_kind::HINT])?;
            let kind = match asked_kind {
                asked_kind::SPAN => CallSiteKind::Span,
                _ => CallSiteKind::Event,
            };
            let data = reader.description(kind)?;
            AskedSite::Described { id, data, is_hint: asked_kind == asked_kind::HINT }
        }
        kind::QUESTION_AGAIN => AskedSite::Known(reader.uint("call site ID")?),
        kind => return Err(FrameError::UnknownKind { kind }),
    };
    reader.end()?;
    Ok(Question { about, thread })
}
