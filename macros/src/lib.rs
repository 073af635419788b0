//! The attribute `#[spanshot::test]`.
//!
//! You get it from [spanshot](https://docs.rs/spanshot/latest/spanshot/attr.test.html), which documents it and depends on
//! this crate.
//!
//! | file | content |
//! |---|---|
//! | `options.rs` | the options between the parentheses of the attribute |
//! | `attributes.rs` | the attributes of other frameworks on the same function |
//! | `cases.rs` | the cases of a property, each in a capture of its own |
//! | `runtime.rs` | the runtime of an async test, and `#[tokio::test]` |
//! | `threads.rs` | threads on which other attributes run a test |
//! | `expand.rs` | the expansion of the function |

mod attributes;
mod cases;
mod expand;
mod options;
mod runtime;
mod threads;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::options::Options;

/// Runs a function as a test in a capture; see [`spanshot::test`](https://docs.rs/spanshot/latest/spanshot/attr.test.html).
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    let unchanged = proc_macro2::TokenStream::from(item.clone());
    let written = options.clone().into();
    let options = parse_macro_input!(options as Options);
    expand::expand(options, &written, item.into())
        .unwrap_or_else(|error| {
            // The function itself stays, so an editor and the compiler do not report further errors.
            let error = error.into_compile_error();
            quote::quote!(#error #unchanged)
        })
        .into()
}
