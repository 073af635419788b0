//! Threads on which other attributes run a test, to end it after some time.
//!
//! If such an attribute is above, this one sees its expansion, and carries the capture to the thread:
//!
//! | attribute | expansion |
//! |---|---|
//! | `#[timeout]` of rstest | `execute_with_timeout_sync(move \|\| …, time)` |
//! | `#[timeout]` of ntest | `fn ntest_callback() { … }`, and `std::thread::spawn(move \|\| … ntest_callback() …)` |

use proc_macro2::Ident;
use syn::{
    Expr, ExprCall, Item, ItemFn, Stmt, parse_quote,
    visit_mut::{self, VisitMut},
};

/// Carries the capture to threads on which the expansion of another attribute runs the test.
pub(crate) fn carry_capture(function: &mut ItemFn, handle: &Ident) {
    let is_callback = |stmt: &Stmt| matches!(stmt, Stmt::Item(Item::Fn(function)) if function.sig.ident == "ntest_callback");
    let is_by_ntest = function.block.stmts.iter().any(is_callback);
    let starts_thread = if is_by_ntest { "spawn" } else { "execute_with_timeout_sync" };
    CarryCapture { handle, starts_thread }.visit_block_mut(&mut function.block);
}

struct CarryCapture<'a> {
    handle: &'a Ident,
    /// The function that starts the thread with its first argument.
    starts_thread: &'static str,
}

impl VisitMut for CarryCapture<'_> {
    /// Leaves the function alone that the user has written.
    fn visit_item_mut(&mut self, _item: &mut Item) {}

    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        visit_mut::visit_expr_call_mut(self, call);
        let Expr::Path(callee) = &*call.func else { return };
        let is_this =
            callee.path.segments.last().is_some_and(|name| name.ident == self.starts_thread);
        if let (true, Some(closure)) = (is_this, call.args.first_mut()) {
            let handle = self.handle;
            *closure = parse_quote!(#handle.carry(#closure));
        }
    }
}
