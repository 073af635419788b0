use proc_macro2::Span;
use syn::{
    Expr, ExprLit, Ident, Lit, LitBool, LitStr, Path, Token,
    ext::IdentExt as _,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::runtime::Runtime;

/// The options between the parentheses of the attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) filter: Option<Expr>,
    pub(crate) fail_on: Option<FailOn>,
    pub(crate) print: Option<Ident>,
    pub(crate) process_wide: Option<Span>,
    pub(crate) process: Option<Span>,
    pub(crate) runtime: Runtime,
    pub(crate) krate: Option<Path>,
}

/// The level of events that fail the test.
pub(crate) enum FailOn {
    /// The name of one of `Level`'s constants.
    Named(Ident),
    Expr(Expr),
}

const NAMES: &str = "`filter`, `fail_on`, `print`, `process_wide`, `process`, `flavor`, `worker_threads`, \
                     `start_paused` and `crate`";

/// An option, and its value if it has one.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = Ident::parse_any(input)?; // `crate` is a keyword
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}

impl Setting {
    pub(crate) fn value(self) -> syn::Result<Expr> {
        let missing = syn::Error::new(self.name.span(), format!("write `{} = …`", self.name));
        let mut value = self.value.ok_or(missing)?;
        // A value from the variable of a macro is in invisible brackets.
        while let Expr::Group(group) = value {
            value = *group.expr;
        }
        Ok(value)
    }

    /// Returns the place of an option that is on or off, if it is on.
    fn flag(self) -> syn::Result<Option<Span>> {
        match self.value {
            None => Ok(Some(self.name.span())),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(LitBool { value, .. }), .. })) => {
                Ok(value.then(|| self.name.span()))
            }
            Some(other) => Err(syn::Error::new_spanned(
                other,
                format!("write `{name}`, or `{name} = true`", name = self.name),
            )),
        }
    }

    pub(crate) fn text(self) -> syn::Result<LitStr> {
        match self.value()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
            other => Err(syn::Error::new_spanned(other, "this has to be a string literal")),
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        for setting in Punctuated::<Setting, Token![,]>::parse_terminated(input)? {
            let name = setting.name.clone();
            if seen.contains(&name) {
                return Err(syn::Error::new(name.span(), format!("`{name}` is given twice")));
            }
            options.set(setting)?;
            seen.push(name);
        }
        options.check()?;
        Ok(options)
    }
}

impl Options {
    fn set(&mut self, setting: Setting) -> syn::Result<()> {
        let name = setting.name.clone();
        match name.to_string().as_str() {
            "filter" => self.filter = Some(setting.value()?),
            "fail_on" => self.fail_on = Some(FailOn::new(setting.value()?)?),
            "print" => self.print = Some(print(&setting.text()?)?),
            "process_wide" => self.process_wide = setting.flag()?,
            "process" => self.process = setting.flag()?,
            "flavor" | "worker_threads" | "start_paused" => self.runtime.set(setting)?,
            "crate" => self.krate = Some(setting.text()?.parse()?),
            _ => {
                let message = format!("there is no option `{name}`; there are {NAMES}");
                return Err(syn::Error::new(name.span(), message));
            }
        }
        Ok(())
    }

    fn check(&self) -> syn::Result<()> {
        if let (Some(process), Some(_)) = (self.process, self.process_wide) {
            let message = "a test in a process of its own is captured process-wide anyway: leave out `process_wide`";
            return Err(syn::Error::new(process, message));
        }
        self.runtime.check()
    }
}

impl FailOn {
    fn new(level: Expr) -> syn::Result<Self> {
        let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &level else {
            return Ok(Self::Expr(level));
        };
        let level = name.value().to_uppercase();
        if ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level.as_str()) {
            return Ok(Self::Named(Ident::new(&level, name.span())));
        }
        let message = "the levels are \"error\", \"warn\", \"info\", \"debug\" and \"trace\"";
        Err(syn::Error::new(name.span(), message))
    }
}

/// Returns the variant of `Print`.
fn print(name: &LitStr) -> syn::Result<Ident> {
    let message = "a trace is printed on \"failure\", \"always\", \"live\" or \"never\"";
    let variants =
        [("failure", "OnFailure"), ("always", "Always"), ("live", "Live"), ("never", "Never")];
    variant(name, &variants, message)
}

/// Returns the variant of an enum that an option names.
pub(crate) fn variant(
    name: &LitStr,
    variants: &[(&str, &str)],
    message: &str,
) -> syn::Result<Ident> {
    let value = name.value();
    let found = variants.iter().find(|(option, _)| *option == value);
    let (_, variant) = found.ok_or_else(|| syn::Error::new(name.span(), message))?;
    Ok(Ident::new(variant, name.span()))
}
