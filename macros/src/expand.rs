use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    AttrStyle, FnArg, Ident, ItemFn, Pat, PatType, Path, ReturnType, Type, ext::IdentExt as _,
    parse_quote, parse2, spanned::Spanned as _,
};

use crate::{
    attributes::{Framework, expected_panic, expects_a_result, find, has_cases, is_googletest},
    cases::capture_cases,
    options::{FailOn, Options},
    runtime::{Runtime, attach_to_runtime_above},
    threads::carry_capture,
};

/// Turns a function into one that runs its body in a capture.
///
/// `written` has the options in their original form.
pub(crate) fn expand(
    mut options: Options,
    written: &TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let span = item.span();
    let Ok(mut function) = parse2::<ItemFn>(item) else {
        return Err(syn::Error::new(span, "`#[spanshot::test]` is for functions with a body"));
    };
    take_runtime(&mut options, &mut function)?;
    let framework = Framework::below(&function);
    check(&options, &function, framework)?;
    let root = options.krate.clone().unwrap_or_else(|| parse_quote!(::spanshot));
    let is_async = function.sig.asyncness.is_some();
    let is_of_runtime = is_async && matches!(framework, Framework::Runtime(_));
    let may_have_others = !matches!(framework, Framework::None | Framework::Plain);
    let makes_a_test = framework.makes_a_test();
    let capture = take_capture(&mut function, may_have_others)?;
    if matches!(framework, Framework::Property) {
        return match capture {
            None => Ok(come_last(&root, written, function)),
            Some(capture) => Err(syn::Error::new_spanned(
                capture.ty,
                "the other attribute passes all arguments itself: start a capture in the body, as in `Capture::start()`",
            )),
        };
    }

    let test = Test { root, capture, is_async, is_of_runtime };
    if !is_async && find(&function, "should_panic").is_none() {
        let started = test.attribute_test(&options, &function);
        capture_cases(&mut function, &started);
    }
    let attribute = (!makes_a_test).then(|| quote!(#[::core::prelude::v1::test]));
    if test.is_async && !test.is_of_runtime {
        function.sig.asyncness = None;
    }
    let body = test.body(&options, &mut function);
    let ItemFn { attrs, vis, sig, .. } = &mut function;
    for attribute in attrs.iter_mut() {
        attribute.style = AttrStyle::Outer; // those in the body would come before it otherwise
    }
    Ok(quote! {
        #attribute
        #(#attrs)*
        #vis #sig {
            #body
        }
    })
}

/// Takes the options of `#[tokio::test]`, and the attribute itself.
fn take_runtime(options: &mut Options, function: &mut ItemFn) -> syn::Result<()> {
    match (Runtime::take(function)?, options.runtime.first) {
        (Some((_, attribute)), Some(option)) => {
            Err(is_said_elsewhere(option, attribute.path().span()))
        }
        (Some((runtime, _)), None) => {
            options.runtime = runtime;
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

fn is_said_elsewhere(option: Span, other: Span) -> syn::Error {
    let message =
        "the other attribute describes the runtime: say this there, or leave out that attribute";
    let mut error = syn::Error::new(option, message);
    error.combine(syn::Error::new(other, "which is this one"));
    error
}

/// Rejects options and attributes that contradict each other.
fn check(options: &Options, function: &ItemFn, framework: Framework) -> syn::Result<()> {
    let is_async = function.sig.asyncness.is_some();
    if let Some(option) = options.runtime.first {
        if !is_async {
            let message = "only an async test has a runtime: write `async fn`, or leave this out. An attribute above \
                           this one, such as `#[tokio::test]`, has a runtime of its own";
            return Err(syn::Error::new(option, message));
        }
        if let Framework::Runtime(other) = framework {
            return Err(is_said_elsewhere(option, other));
        }
    }
    if let (Some(process), Framework::Runtime(other), true) = (options.process, framework, is_async)
    {
        let message = "the other attribute builds the runtime: put it above this one, or leave it out, so that this one \
                       starts the process";
        let mut error = syn::Error::new(process, message);
        error.combine(syn::Error::new(other, "which is this one"));
        return Err(error);
    }
    let should_panic = find(function, "should_panic");
    if let (Some(process), Some(should_panic)) = (options.process, should_panic) {
        let message = "a test in a process of its own cannot be one that should panic";
        let mut error = syn::Error::new(process, message);
        error.combine(syn::Error::new_spanned(should_panic, "which this says"));
        return Err(error);
    }
    if let (Some(_), Some(should_panic), true) =
        (&options.fail_on, should_panic, has_cases(function))
    {
        let message = "`fail_on` cannot tell which cases should panic, and would make them pass: put the attributes of the \
                       other framework above `#[spanshot::test]`";
        return Err(syn::Error::new_spanned(should_panic, message));
    }
    if let Some(expects) = function.attrs.iter().find(|attribute| expects_a_result(attribute)) {
        let message = "the result is not that of the test, but `test_case` compares it: put `#[test_case]` above \
                       `#[spanshot::test]`";
        return Err(syn::Error::new_spanned(expects, message));
    }
    if let (Some(process), true) = (options.process, has_cases(function)) {
        let message =
            "a test with arguments cannot run in a process of its own, which does not have them";
        return Err(syn::Error::new(process, message));
    }
    Ok(())
}

/// Puts this attribute behind the others.
fn come_last(root: &Path, written: &TokenStream, mut function: ItemFn) -> TokenStream {
    function.attrs.push(parse_quote!(#[#root::test(#written)]));
    quote!(#function)
}

/// The argument of a test that receives its capture.
struct CaptureArgument {
    pattern: Pat,
    ty: Type,
}

/// Takes the capture argument from the function, if there is one.
fn take_capture(
    function: &mut ItemFn,
    may_have_others: bool,
) -> syn::Result<Option<CaptureArgument>> {
    let mut capture = None;
    let mut others = syn::punctuated::Punctuated::new();
    for argument in std::mem::take(&mut function.sig.inputs) {
        match argument {
            FnArg::Typed(PatType { pat, ty, .. }) if capture.is_none() && is_capture(&ty) => {
                capture = Some(CaptureArgument { pattern: *pat, ty: *ty });
            }
            other if may_have_others => others.push(other),
            other => {
                let message = "a test has one argument at the most, its capture: `capture: Capture` or `capture: \
                               &Capture`. For others, add the attribute of a framework that passes them, such as \
                               `#[rstest]`, below this one";
                return Err(syn::Error::new_spanned(other, message));
            }
        }
    }
    function.sig.inputs = others;
    Ok(capture)
}

/// Checks whether this is `Capture`, or a reference to it. A macro only sees how a type is written.
fn is_capture(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Capture"),
        Type::Reference(reference) => reference.mutability.is_none() && is_capture(&reference.elem),
        Type::Paren(paren) => is_capture(&paren.elem),
        Type::Group(group) => is_capture(&group.elem),
        _ => false,
    }
}

struct Test {
    /// The path of the crate `spanshot`.
    root: Path,
    capture: Option<CaptureArgument>,
    is_async: bool,
    /// Whether another attribute builds the runtime.
    is_of_runtime: bool,
}

impl Test {
    /// Returns the test, with the options of its capture.
    fn attribute_test(&self, options: &Options, function: &ItemFn) -> TokenStream {
        let root = &self.root;
        let name = &function.sig.ident;
        let runner_name = runner_name(name);
        let builder = self.builder(options, name.span());
        let is_process_wide = options.process_wide.is_some() || options.process.is_some();
        let should_panic = find(function, "should_panic");
        let expected_panic = should_panic.and_then(expected_panic).map_or_else(
            || quote!(::core::option::Option::None),
            |text| quote!(::core::option::Option::Some(#text)),
        );
        let should_panic = should_panic.is_some();
        let has_failed_softly = if function.attrs.iter().any(is_googletest) {
            quote!(|| ::googletest::verify_current_test_outcome().is_err())
        } else {
            quote!(|| false)
        };
        quote_spanned! {name.span()=>
            #root::__private::AttributeTest {
                path: ::core::concat!(::core::module_path!(), "::", #runner_name),
                capture: #builder,
                is_process_wide: #is_process_wide,
                should_panic: #should_panic,
                expected_panic: #expected_panic,
                has_failed_softly: #has_failed_softly,
            }
        }
    }

    fn body(&self, options: &Options, function: &mut ItemFn) -> TokenStream {
        let root = &self.root;
        let name = function.sig.ident.clone();
        let test = self.attribute_test(options, function);
        let [running, given, handle] = ["running", "capture", "handle"]
            .map(|name| format_ident!("__spanshot_{name}", span = Span::mixed_site()));
        carry_capture(function, &handle);
        attach_to_runtime_above(function, root, &handle);
        let bind = self.bind(&given);
        let stmts = &function.block.stmts;
        let returned = returned(&function.sig.output);
        let result = if self.is_of_runtime {
            quote!((async move { #bind #(#stmts)* }).await)
        } else if self.is_async {
            let runtime = options.runtime.build(root, &handle, name.span());
            quote! {{
                let __spanshot_runtime = #runtime;
                let __spanshot_result #returned =
                    __spanshot_runtime.block_on(async move { #bind #(#stmts)* });
                ::core::mem::drop(__spanshot_runtime); // its tasks and threads end in the capture
                __spanshot_result
            }}
        } else {
            let output = &function.sig.output;
            let output = if has_impl(output) { &ReturnType::Default } else { output };
            quote!((move || #output { #bind #(#stmts)* })())
        };
        let start = quote_spanned!(name.span()=> #test.start());
        let end = quote_spanned!(name.span()=> #running.end(#given));
        let run = quote! {
            let #running = #start;
            let #given = #running.capture();
            let #handle = #given.handle();
            let #given #returned = #result;
            #end
        };
        if options.process.is_some() {
            quote_spanned! {name.span()=>
                #root::__private::in_own_process(&#test, move || { #run })
            }
        } else {
            run
        }
    }

    fn builder(&self, options: &Options, span: Span) -> TokenStream {
        let root = &self.root;
        let filter = options.filter.as_ref().map(|filter| quote!(.filter(#filter)));
        let fail_on = options.fail_on.as_ref().map(|level| match level {
            FailOn::Named(name) => quote!(.fail_on_events(#root::__private::Level::#name)),
            FailOn::Expr(level) => quote!(.fail_on_events(#level)),
        });
        let print = options.print.as_ref().map(|when| quote!(.print(#root::Print::#when)));
        quote_spanned!(span=> #root::Capture::builder() #filter #fail_on #print)
    }

    /// Binds the capture to the argument's name in the test.
    fn bind(&self, given: &Ident) -> TokenStream {
        match &self.capture {
            None => quote!(let _ = &#given;),
            Some(CaptureArgument { pattern, ty: ty @ Type::Reference(_) }) => {
                quote!(let #pattern: #ty = &#given;)
            }
            Some(CaptureArgument { pattern, ty }) => quote!(let #pattern: #ty = #given;),
        }
    }
}

/// Returns the name under which the test runner knows a function: raw only if it has to be.
fn runner_name(function: &Ident) -> String {
    let plain = function.unraw();
    let is_keyword = syn::parse_str::<Ident>(&plain.to_string()).is_err();
    if is_keyword { function.to_string() } else { plain.to_string() }
}

/// Returns the type annotation for the result of the test, which `?` needs.
fn returned(output: &ReturnType) -> Option<TokenStream> {
    match output {
        ReturnType::Default => Some(quote!(: ())),
        ReturnType::Type(..) if has_impl(output) => None,
        ReturnType::Type(_, ty) => Some(quote!(: #ty)),
    }
}

fn has_impl(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)))
}
