//! An allocator that counts the bytes that are held.

#![allow(unsafe_code, reason = "an allocator is")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicIsize, Ordering},
};

struct Counting;

/// Whether bytes are counted: where time is, they are not.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);

/// Bytes that were allocated since counting has begun, less those that were freed.
static HELD: AtomicIsize = AtomicIsize::new(0);

fn count(allocated: usize, freed: usize) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        HELD.fetch_add(allocated.cast_signed() - freed.cast_signed(), Ordering::Relaxed);
    }
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: as above.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as above.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.dealloc(pointer, layout) }
    }

    // SAFETY: as above.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Returns the bytes that are held of what the function makes.
pub(crate) fn held_by<T>(make: impl FnOnce() -> T) -> usize {
    HELD.store(0, Ordering::Relaxed);
    IS_COUNTING.store(true, Ordering::Relaxed);
    let result = make();
    IS_COUNTING.store(false, Ordering::Relaxed);
    let held = HELD.load(Ordering::Relaxed).unsigned_abs();
    drop(result);
    held
}
