//! The WASM guest, and its native twin.

#[path = "../../../../examples/guest/src/evaluator/mod.rs"]
pub(crate) mod evaluator;
#[allow(dead_code)] // a part of it is for other tests
#[path = "../../../../examples/wasm_guest/plugin.rs"]
mod plugin;

use std::{env, fs};

pub(crate) use plugin::Plugin;

/// Loads the guest: the committed one, or the one that `SPANSHOT_GUEST_WASM` names.
pub(crate) fn load_plugin() -> Plugin {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guest.wasm");
    let path = env::var("SPANSHOT_GUEST_WASM").unwrap_or_else(|_| committed.to_owned());
    Plugin::load(&fs::read(path).expect("there is a guest")).expect("the guest is valid")
}
