//! The attributes of other frameworks beside this one.
//!
//! An attribute macro sees the attributes below it, and none above, which have run already. So the attributes below
//! decide which attribute makes the function a test:
//!
//! | below | makes it a test | runs an async function |
//! |---|---|---|
//! | nothing | this attribute | this attribute, in a runtime of `tokio` |
//! | `#[test]`, `#[gtest]` | that attribute | this attribute |
//! | `#[rstest]`, `#[test_case(…)]` and the like | that attribute | this attribute |
//! | `#[tokio::test]` | this attribute, which takes it away | this attribute |
//! | `#[sqlx::test]` and the like | that attribute | that attribute |
//! | `#[quickcheck]`, `#[property_test]`, `#[proptest]` | that attribute: this one puts itself below it, and all cases are one test | |
//!
//! The attributes above have already turned an async function into an ordinary one. Most of them leave a `#[test]`
//! behind. Two of them put `#[test]` in front of the attributes that they found: then it has run, too, and nothing is
//! left of it. Another `#[test]` would make a second test of the function. So [`Framework::below()`] recognizes these
//! two by the functions that they write.

use proc_macro2::{Span, TokenTree};
use syn::{Attribute, Expr, ItemFn, Meta, MetaNameValue, Pat, Stmt, spanned::Spanned as _};

/// Frameworks that turn functions with arguments into tests.
const PARAMETERIZED: [&str; 4] = ["rstest", "test_case", "case", "test_matrix"];

/// Attributes of quickcheck, proptest and test-strategy.
const PROPERTY: [&str; 3] = ["quickcheck", "property_test", "proptest"];

/// The framework that makes the function a test.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framework {
    /// Only this attribute.
    None,
    /// The attribute of the standard library, or of googletest.
    Plain,
    /// A framework that passes arguments. Its tests are functions that call this one.
    Parameterized,
    /// A framework that runs async functions, with the place of its attribute.
    Runtime(Span),
    /// A framework that calls the function many times in a test, and needs to know whether the property holds.
    Property,
}

impl Framework {
    pub(crate) fn below(function: &ItemFn) -> Self {
        let above = if is_by_quickcheck(function) || is_by_test_case(function) {
            Framework::Plain
        } else {
            Framework::None
        };
        let all = function.attrs.iter().map(Self::of).chain([above]);
        let rank = |framework: &Self| match framework {
            Framework::None => 0,
            Framework::Plain => 1,
            Framework::Parameterized => 2,
            Framework::Runtime(_) => 3,
            Framework::Property => 4,
        };
        all.max_by_key(rank).unwrap_or(Framework::None)
    }

    fn of(attribute: &Attribute) -> Self {
        let path = attribute.path();
        let is = |names: &[&str]| is_named(attribute, names);
        if is(&PARAMETERIZED) {
            Framework::Parameterized
        } else if is(&PROPERTY) {
            Framework::Property
        } else if is_googletest(attribute) {
            Framework::Plain
        } else if is(&["test"]) {
            let first = path.segments.first().filter(|_| path.segments.len() > 1);
            let is_std =
                first.is_none_or(|first| ["core", "std"].iter().any(|name| first.ident == name));
            if is_std { Framework::Plain } else { Framework::Runtime(path.span()) }
        } else {
            Framework::None
        }
    }

    pub(crate) fn makes_a_test(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Finds an attribute of the standard library.
pub(crate) fn find<'a>(function: &'a ItemFn, name: &str) -> Option<&'a Attribute> {
    function.attrs.iter().find(|attribute| attribute.path().is_ident(name))
}

/// Returns the text of `#[should_panic(expected = "…")]`, or of `#[should_panic = "…"]`.
pub(crate) fn expected_panic(attribute: &Attribute) -> Option<Expr> {
    match &attribute.meta {
        Meta::Path(_) => None,
        Meta::List(list) => list.parse_args::<MetaNameValue>().ok().map(|expected| expected.value),
        Meta::NameValue(expected) => Some(expected.value.clone()),
    }
}

/// Checks whether this is an attribute of googletest, which has assertions that fail the test only when it ends.
pub(crate) fn is_googletest(attribute: &Attribute) -> bool {
    let names = &attribute.path().segments;
    names.last().is_some_and(|name| name.ident == "gtest")
        || names.first().is_some_and(|name| name.ident == "googletest")
}

/// Checks whether the function has the attribute of a framework that makes several tests of it. One of these may have
/// to panic.
pub(crate) fn has_cases(function: &ItemFn) -> bool {
    function.attrs.iter().any(|attribute| is_named(attribute, &PARAMETERIZED))
}

fn is_named(attribute: &Attribute, names: &[&str]) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|last| names.iter().any(|name| last.ident == name))
}

/// Checks whether this is a case of `test_case` with an expected result or panic: `1 => 2`. The cases of `rstest` are
/// lists of arguments.
pub(crate) fn expects_a_result(attribute: &Attribute) -> bool {
    let is_rstest = attribute.path().is_ident("case");
    let Meta::List(list) = &attribute.meta else { return false };
    let mut before = None;
    let has_arrow = list.tokens.clone().into_iter().any(|token| {
        let TokenTree::Punct(punct) = token else {
            before = None;
            return false;
        };
        before.replace(punct.as_char()) == Some('=') && punct.as_char() == '>'
    });
    !is_rstest && has_arrow && is_named(attribute, &["test_case", "case", "test_matrix"])
}

/// Checks whether this is the test that quickcheck makes of a property:
/// `fn p() { fn p(…) {…} ::quickcheck::quickcheck(p as …) }`.
fn is_by_quickcheck(function: &ItemFn) -> bool {
    let is_quickcheck = |callee: &Expr| match callee {
        Expr::Path(path) => path.path.segments.iter().all(|name| name.ident == "quickcheck"),
        _ => false,
    };
    match function.block.stmts.last() {
        Some(Stmt::Expr(Expr::Call(call), None)) => is_quickcheck(&call.func),
        _ => false,
    }
}

/// Checks whether this is the test that `test_case` makes of a case:
/// `fn test_case_1_name() { let _result = super::function(…); … }`.
fn is_by_test_case(function: &ItemFn) -> bool {
    let Some(Stmt::Local(local)) = function.block.stmts.first() else { return false };
    let calls_super = match local.init.as_ref().map(|init| &*init.expr) {
        Some(Expr::Call(call)) => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.first().is_some_and(|first| first.ident == "super")
            }
            _ => false,
        },
        _ => false,
    };
    calls_super && matches!(&local.pat, Pat::Ident(result) if result.ident == "_result")
}
