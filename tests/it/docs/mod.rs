//! The README and the guide: what they show is what happens.

mod guide;
mod readme;
