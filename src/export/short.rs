use alloc::{borrow::Cow, format};

/// Bytes of a name that are shown.
const MAX_NAME: usize = 200;

/// Cuts a name that is too long: it stands wherever something refers to it.
pub(super) fn name(text: &str) -> Cow<'_, str> {
    match start(text, MAX_NAME) {
        start if start.len() < text.len() => Cow::Owned(format!("{start}…")),
        _ => Cow::Borrowed(text),
    }
}

/// Returns the start of a text, of so many bytes at the most.
pub(super) fn start(text: &str, max_bytes: usize) -> &str {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(name("connect"), "connect");
        assert_eq!(name(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(name(&"x".repeat(201)), "x".repeat(200) + "…");
        assert_eq!(name(&"ü🦀".repeat(100)), "ü🦀".repeat(33) + "ü…");
        assert_eq!(start("🦀", 3), "");
    }
}
