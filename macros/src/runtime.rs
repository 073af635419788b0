//! The `tokio` runtime of an async test.
//!
//! The capture is attached to all of its threads, whoever builds it:
//!
//! | `#[tokio::test]` | who builds the runtime |
//! |---|---|
//! | is missing | this attribute, with its own options |
//! | is below | this attribute, with the options of `#[tokio::test]`, which it takes away |
//! | is above | `#[tokio::test]`, whose expansion this attribute completes |

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Expr, ExprCall, ItemFn, LitStr, Meta, Pat, Path, Stmt, Token, parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use crate::options::{Setting, variant};

/// How to build a runtime, in the words of `#[tokio::test]`.
#[derive(Default)]
pub(crate) struct Runtime {
    flavor: Flavor,
    worker_threads: Option<Expr>,
    start_paused: Option<Expr>,
    /// The path of `tokio`, if another crate re-exports it.
    tokio: Option<Path>,
    name: Option<Expr>,
    unhandled_panic: Option<Ident>,
    /// The place of the first of these options.
    pub(crate) first: Option<Span>,
}

#[derive(Default, PartialEq, Eq)]
enum Flavor {
    #[default]
    CurrentThread,
    MultiThread,
    Local,
}

impl Runtime {
    /// Takes `#[tokio::test]` away from an async function, and returns its options.
    pub(crate) fn take(function: &mut ItemFn) -> syn::Result<Option<(Self, Attribute)>> {
        let is_tokio = |attribute: &Attribute| {
            let names = attribute.path().segments.iter().rev();
            names.take(2).map(|name| &name.ident).eq(["test", "tokio"].iter())
        };
        let found = function.attrs.iter().position(is_tokio);
        let Some(position) = found.filter(|_| function.sig.asyncness.is_some()) else {
            return Ok(None);
        };
        let attribute = function.attrs.remove(position);
        let mut path = attribute.path().clone();
        path.segments.pop();
        path.segments.pop_punct();
        let mut runtime = Self { tokio: Some(path), ..Self::default() };
        if !matches!(attribute.meta, Meta::Path(_)) {
            let parse = Punctuated::<Setting, Token![,]>::parse_terminated;
            for setting in attribute.parse_args_with(parse)? {
                runtime.set(setting)?;
            }
        }
        runtime.check()?;
        Ok(Some((runtime, attribute)))
    }

    /// Sets an option of `#[tokio::test]`.
    pub(crate) fn set(&mut self, setting: Setting) -> syn::Result<()> {
        let name = setting.name.clone();
        match name.to_string().as_str() {
            "flavor" => self.set_flavor(&setting.text()?)?,
            "worker_threads" => self.worker_threads = Some(setting.value()?),
            "start_paused" => self.start_paused = Some(setting.value()?),
            "crate" => self.tokio = Some(setting.text()?.parse()?),
            "name" => self.name = Some(setting.value()?),
            "unhandled_panic" => self.unhandled_panic = Some(unhandled_panic(&setting.text()?)?),
            _ => {
                let message = "`#[tokio::test]` has the options `flavor`, `worker_threads`, `start_paused`, `crate`, \
                               `unhandled_panic` and `name`";
                return Err(syn::Error::new(name.span(), message));
            }
        }
        self.first.get_or_insert(name.span());
        Ok(())
    }

    fn set_flavor(&mut self, name: &LitStr) -> syn::Result<()> {
        self.flavor = match name.value().as_str() {
            "current_thread" => Flavor::CurrentThread,
            "multi_thread" => Flavor::MultiThread,
            "local" => Flavor::Local,
            _ => {
                let message = "the flavors are \"current_thread\", \"multi_thread\" and \"local\"";
                return Err(syn::Error::new(name.span(), message));
            }
        };
        Ok(())
    }

    pub(crate) fn check(&self) -> syn::Result<()> {
        match &self.worker_threads {
            Some(threads) if self.flavor != Flavor::MultiThread => {
                let message = "only `flavor = \"multi_thread\"` has worker threads";
                Err(syn::Error::new_spanned(threads, message))
            }
            _ => Ok(()),
        }
    }

    /// Builds the runtime.
    pub(crate) fn build(&self, root: &Path, handle: &Ident, span: Span) -> TokenStream {
        let tokio = self.tokio.clone().unwrap_or_else(|| parse_quote!(::tokio));
        let new = match self.flavor {
            Flavor::MultiThread => quote!(new_multi_thread),
            Flavor::CurrentThread | Flavor::Local => quote!(new_current_thread),
        };
        let build = match self.flavor {
            Flavor::Local => quote!(build_local(::core::default::Default::default())),
            Flavor::CurrentThread | Flavor::MultiThread => quote!(build()),
        };
        let threads = self.worker_threads.as_ref().map(|count| quote!(.worker_threads(#count)));
        let paused = self.start_paused.as_ref().map(|paused| quote!(.start_paused(#paused)));
        let name = self.name.as_ref().map(|name| quote!(.name(#name)));
        let unhandled_panic = self
            .unhandled_panic
            .as_ref()
            .map(|variant| quote!(.unhandled_panic(#tokio::runtime::UnhandledPanic::#variant)));
        let attached = attach(&quote!(#tokio::runtime::Builder::#new()), root, handle);
        quote_spanned! {span=>
            #attached
                #threads
                #paused
                #name
                #unhandled_panic
                .enable_all()
                .#build
                .expect("failed to build the runtime of the test")
        }
    }
}

fn unhandled_panic(name: &LitStr) -> syn::Result<Ident> {
    let message = "`unhandled_panic` is \"ignore\" or \"shutdown_runtime\"";
    variant(name, &[("ignore", "Ignore"), ("shutdown_runtime", "ShutdownRuntime")], message)
}

/// Has the builder of a runtime attach the capture to all threads.
fn attach(builder: &TokenStream, root: &Path, handle: &Ident) -> TokenStream {
    quote! {
        #builder
            .on_thread_start({
                let __spanshot_handle = #handle.clone();
                move || __spanshot_handle.attach_thread()
            })
            .on_thread_park({
                let __spanshot_handle = #handle.clone();
                move || #root::__private::look_around(&__spanshot_handle)
            })
    }
}

/// Attaches the capture to the threads of the runtime in the expansion of a `#[tokio::test]` above:
/// `fn test() { let body = async { … }; … { … return Builder::new_multi_thread()….block_on(body); } }`.
pub(crate) fn attach_to_runtime_above(function: &mut ItemFn, root: &Path, handle: &Ident) {
    let stmts = &mut function.block.stmts;
    let is_body = |stmt: &Stmt| match stmt {
        Stmt::Local(local) => {
            let is_async = |expr: &Expr| matches!(expr, Expr::Async(_));
            matches!(&local.pat, Pat::Ident(name) if name.ident == "body")
                && local.init.as_ref().is_some_and(|init| is_async(&init.expr))
        }
        _ => false,
    };
    // The user's own code is only in the body.
    match stmts.as_mut_slice() {
        [body, .., Stmt::Expr(Expr::Block(last), _)] if is_body(body) => {
            AttachToBuilder { root, handle }.visit_expr_block_mut(last);
        }
        _ => {}
    }
}

struct AttachToBuilder<'a> {
    root: &'a Path,
    handle: &'a Ident,
}

impl VisitMut for AttachToBuilder<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Call(call) if is_builder(call) => {
                let attached = attach(&quote!(#call), self.root, self.handle);
                *expr = parse_quote!(#attached);
            }
            _ => {}
        }
    }
}

/// Checks whether this is `Builder::new_multi_thread()`, or the other one.
fn is_builder(call: &ExprCall) -> bool {
    let Expr::Path(callee) = &*call.func else { return false };
    let names = ["new_multi_thread", "new_current_thread"];
    callee.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}
