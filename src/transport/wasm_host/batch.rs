/// Frames of a batch, each with its address.
pub(super) struct Batch<'a> {
    rest: &'a [u8],
    address: u32,
}

/// The rest of a batch that ends in the middle of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) address: u32,
    pub(super) left: usize,
}

impl<'a> Batch<'a> {
    /// The address of the batch, which is in a memory of 32 bits.
    pub(super) const fn new(batch: &'a [u8], address: u32) -> Self {
        Self { rest: batch, address }
    }

    fn split(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (len, rest) = self.rest.split_first_chunk::<4>()?;
        rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)
    }
}

impl<'a> Iterator for Batch<'a> {
    type Item = Result<(u32, &'a [u8]), Cut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((frame, rest)) = self.split() else {
            let left = core::mem::take(&mut self.rest).len();
            return Some(Err(Cut { address: self.address, left }));
        };
        let address = self.address.wrapping_add(4);
        #[allow(clippy::cast_possible_truncation)] // it was a `u32`
        let len = frame.len() as u32;
        self.rest = rest;
        self.address = address.wrapping_add(len);
        Some(Ok((address, frame)))
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn batch_ends_where_it_is_cut() {
        let batch = [2, 0, 0, 0, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 9];
        let whole: Vec<_> = Batch::new(&batch, 100).map(Result::unwrap).collect();
        assert_eq!(whole, [(104, &[7, 8][..]), (110, &[]), (114, &[9])]);
        for len in 0..batch.len() {
            let mut frames = Batch::new(&batch[..len], 100);
            let complete: Vec<_> = frames.by_ref().map_while(Result::ok).collect();
            assert!(whole.starts_with(&complete));
            let end =
                complete.last().map_or(0, |(address, frame)| *address as usize - 100 + frame.len());
            let mut frames = Batch::new(&batch[..len], 100).skip(complete.len());
            #[allow(clippy::cast_possible_truncation)]
            let cut = Cut { address: 100 + end as u32, left: len - end };
            assert_eq!(frames.next(), (len > end).then_some(Err(cut)));
            assert_eq!(frames.next(), None);
        }
        let lying = [255, 255, 255, 255, 1];
        assert_eq!(Batch::new(&lying, 0).next(), Some(Err(Cut { address: 0, left: 5 })));
    }
}
