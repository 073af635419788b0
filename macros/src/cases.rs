//! The cases of a property, each in a capture of its own.
//!
//! The attribute sees the expansion of the other framework, with the body of a case inside:
//!
//! | framework | expansion | a case |
//! |---|---|---|
//! | `proptest!` | `$crate::proptest_helper!(@_BODY config (n in 0..9) [] { … })` | the last group |
//! | `#[property_test]` | `let result = runner.run(…, \|::proptest::sugar::NamedArguments(…)\| { … });` | the closure |
//! | quickcheck | `fn p(n: u8) -> bool { … }`, and `::quickcheck::quickcheck(p as …)` | the inner function |
//!
//! Other code is left unchanged: then the capture of the test gets all cases.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Expr, ExprClosure, Item, ItemFn, Local, Macro, Pat, Path, ReturnType, Stmt, Type, parse_quote,
    spanned::Spanned as _,
};

/// Starts a capture in each case of a property, if the function is one.
pub(crate) fn capture_cases(function: &mut ItemFn, test: &TokenStream) {
    let stmts = &mut function.block.stmts;
    if let Some(quickcheck) = stmts.last().and_then(quickcheck) {
        if let Some(Stmt::Item(Item::Fn(case))) = stmts.first_mut() {
            capture_quickcheck(case, &quickcheck, test);
        }
        return;
    }
    for stmt in stmts {
        match stmt {
            Stmt::Macro(stmt) => capture_proptest(&mut stmt.mac, test),
            Stmt::Expr(Expr::Macro(expr), _) => capture_proptest(&mut expr.mac, test),
            Stmt::Local(Local { init: Some(init), .. }) => {
                let Expr::MethodCall(run) = &mut *init.expr else { continue };
                if let Some(Expr::Closure(case)) = run.args.last_mut() {
                    capture_property_test(case, test);
                }
            }
            _ => {}
        }
    }
}

fn capture_proptest(case: &mut Macro, test: &TokenStream) {
    let Some(krate) = parent(&case.path, "proptest_helper") else { return };
    let mut tokens: Vec<_> = case.tokens.clone().into_iter().collect();
    let is_body = tokens.get(1).is_some_and(|kind| kind.to_string().starts_with("_BODY"));
    let Some(body) = tokens.pop().filter(|_| is_body) else { return };
    let body = quote! {
        #[allow(clippy::diverging_sub_expression)]
        let (): () = #body;
        #[allow(unreachable_code, clippy::needless_return)] // of a body that never returns
        return ::core::result::Result::Ok(());
    };
    let captured = captured_case(&krate, test, &body);
    let captured = quote! {{
        match #captured {
            ::core::result::Result::Ok(()) => {}
            ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
        }
    }};
    case.tokens = tokens.into_iter().chain(captured).collect();
}

fn capture_property_test(case: &mut ExprClosure, test: &TokenStream) {
    let Some(Pat::TupleStruct(arguments)) = case.inputs.first() else { return };
    let krate = parent(&arguments.path, "NamedArguments").and_then(|path| parent(&path, "sugar"));
    let Some(krate) = krate else { return };
    let body = &case.body;
    let captured = captured_case(&krate, test, &quote!(#body));
    *case.body = parse_quote!(#captured);
}

/// Returns an expression that runs a case of proptest in a capture, and has its result.
fn captured_case(krate: &Path, test: &TokenStream, body: &TokenStream) -> TokenStream {
    let start = quote_spanned!(test.span()=> #test.start_case());
    quote! {{
        let __spanshot_case = #start;
        let __spanshot_result: ::core::result::Result<(), #krate::test_runner::TestCaseError> =
            (|| { #body })();
        __spanshot_case.end(__spanshot_result)
    }}
}

/// Returns the crate whose function tests the property.
fn quickcheck(last: &Stmt) -> Option<Path> {
    match last {
        Stmt::Expr(Expr::Call(call), None) => match &*call.func {
            Expr::Path(path) => parent(&path.path, "quickcheck"),
            _ => None,
        },
        _ => None,
    }
}

fn capture_quickcheck(case: &mut ItemFn, quickcheck: &Path, test: &TokenStream) {
    let returned: Type = match &case.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) if matches!(**ty, Type::Path(_)) => (**ty).clone(),
        ReturnType::Type(..) => return,
    };
    let body = &case.block;
    let start = quote_spanned!(test.span()=> #test.start_case());
    case.block = parse_quote! {{
        let __spanshot_case = #start;
        let __spanshot_result: #returned = (|| #body)();
        __spanshot_case.end_judged(__spanshot_result, |result| {
            #quickcheck::Testable::result(result, &mut #quickcheck::Gen::new(1)).is_failure()
        })
    }};
}

/// Returns the path without its last segment, if that has this name.
fn parent(path: &Path, name: &str) -> Option<Path> {
    let mut parent = path.clone();
    let last = parent.segments.pop()?;
    let is_named = last.value().ident == name && !parent.segments.is_empty();
    parent.segments.pop_punct();
    is_named.then_some(parent)
}
