//! The argument grammar that every attribute shares: positional values, flags and `key = value`.

mod duration;
mod form;
mod number;
mod rate;
mod ratio;
mod scope;
mod spec;

pub(crate) use self::{
    duration::{Backoff, backoff, duration, duration_of, is_duration, range_of},
    form::{Form, Given, Raw, names_constant, peel},
    number::{count, count_of, factor},
    rate::{RateArg, rate},
    ratio::ratio,
    scope::Scope,
    spec::{Alone, Spec},
};

use crate::diag::{Diagnostics, code, err};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{
    Expr, Ident, Lit, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _, discouraged::Speculative as _},
};

/// The arguments of one attribute, as written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Raw>,
    named: Vec<Slot<Raw>>,
    /// An argument could not be read, so that none may be missed.
    pub(crate) unreadable: bool,
}

/// An argument that was given once; errors about it underline its key.
pub(crate) struct Slot<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

enum Arg {
    Positional(Raw),
    Named(Slot<Raw>),
}

impl Args {
    /// Reads everything that can be read; each mistake is one error.
    pub(crate) fn read(tokens: &TokenStream, spec: &Spec, diag: &mut Diagnostics) -> Self {
        let mut args = Self::default();
        let mut strangers = Vec::new();
        let parser = |input: ParseStream| {
            while !input.is_empty() {
                match diag.ok(next(input, spec)) {
                    Some(arg) => strangers.extend(args.accept(arg, spec, diag)),
                    None => args.unreadable = true,
                }
            }
            Ok(())
        };
        // Every failure inside was reported where it happened.
        let _: syn::Result<()> = parser.parse2(tokens.clone());
        args.refuse(&strangers, spec, diag);
        args
    }

    /// Keeps the argument, or gives back one that is none of this attribute.
    fn accept(&mut self, arg: Arg, spec: &Spec, diag: &mut Diagnostics) -> Option<Slot<Raw>> {
        match arg {
            Arg::Named(slot) => self.accept_named(slot, spec, diag),
            Arg::Positional(raw) => match named_alone(&raw, spec) {
                None => {
                    self.positional.push(raw);
                    None
                }
                Some(Ok(slot)) => self.accept_named(slot, spec, diag),
                Some(Err(error)) => {
                    diag.push(error);
                    self.unreadable = true;
                    None
                }
            },
        }
    }

    fn accept_named(&mut self, slot: Slot<Raw>, spec: &Spec, diag: &mut Diagnostics) -> Option<Slot<Raw>> {
        if spec.key(&slot.key.to_string()).is_none() {
            return Some(slot);
        }
        if let Some(first) = self.named.iter().find(|first| first.key == slot.key) {
            let (key, again) = (&first.key, &slot.key);
            let message = format!("`{key}` is given twice: keep one of `{}` and `{}`", first.written(), slot.written());
            diag.error(&quote!(#key #again), message);
        } else {
            self.named.push(slot);
        }
        None
    }

    /// Reports the arguments that are none, when it is known what else there is.
    fn refuse(&mut self, strangers: &[Slot<Raw>], spec: &Spec, diag: &mut Diagnostics) {
        for stranger in strangers {
            let is_only = self.named.is_empty() && strangers.len() == 1;
            let is_missing = self.positional.is_empty() && !self.has("policy");
            let alone = if is_missing { spec.stands_alone(stranger, is_only) } else { None };
            let is_later = alone.is_none() && spec.is_later(&stranger.key.to_string());
            diag.push(match alone {
                Some(error) => error,
                None if is_later => spec.later(&stranger.key),
                None => spec.unknown(&stranger.key),
            });
            // Any other may stand for one that is needed.
            self.unreadable |= !is_later || spec.is_replaced_by(&stranger.key);
        }
    }

    /// Whether there is any argument but these, or a second value without a name.
    pub(crate) fn has_any(&self, but: &[&str]) -> bool {
        self.positional.len() > 1 || self.named.iter().any(|slot| !but.iter().any(|name| slot.key == name))
    }

    /// Whether `key` was given, or may have been: something could not be read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.unreadable || self.named.iter().any(|slot| slot.key == key)
    }

    /// The only positional value, which must be there: `what`, for example `example`.
    pub(crate) fn one(&self, what: &str, example: &str, spec: &Spec, at: Span, diag: &mut Diagnostics) -> Option<&Raw> {
        let attribute = spec.attribute;
        for extra in self.positional.iter().skip(1) {
            if let Some(word) = extra.word() {
                diag.push(spec.unknown(word));
            } else {
                diag.error(extra, format!("one value too many: write `#[{attribute}({example})]`"));
            }
        }
        // A value that could not be read was reported.
        if self.positional.is_empty() && !self.unreadable {
            diag.push(syn::Error::new(
                at,
                format!("`#[{attribute}]` needs {what}: write for example `#[{attribute}({example})]`"),
            ));
        }
        self.positional.first()
    }

    /// Takes the argument `key`, read by `read`.
    pub(crate) fn take<T>(
        &mut self,
        key: &str,
        diag: &mut Diagnostics,
        read: impl FnOnce(&Raw) -> syn::Result<T>,
    ) -> Option<Slot<T>> {
        let index = self.named.iter().position(|slot| slot.key == key)?;
        let Slot { key, value } = self.named.remove(index);
        let value = diag.ok(read(&value))?;
        Some(Slot { key, value })
    }

    /// Takes the flag `key`.
    pub(crate) fn flag(&mut self, key: &str, diag: &mut Diagnostics) -> Option<Slot<()>> {
        self.take(key, diag, |raw| match raw {
            Raw::Flag(_) => Ok(()),
            value => err(value, spec::is_flag(key)),
        })
    }

    /// Takes whatever was not taken.
    pub(crate) fn rest(self) -> Vec<Slot<Raw>> {
        self.named
    }
}

impl Slot<Raw> {
    fn written(&self) -> String {
        match &self.value {
            Raw::Flag(_) => self.key.to_string(),
            value => format!("{} = {}", self.key, code(value)),
        }
    }
}

/// Parses one argument and moves behind the comma that ends it, also after a mistake.
fn next(input: ParseStream, spec: &Spec) -> syn::Result<Arg> {
    let ahead = input.fork();
    let arg = argument(&ahead, spec);
    if arg.is_ok() {
        input.advance_to(&ahead);
    }
    let stray =
        if input.is_empty() || input.peek(Token![,]) { None } else { input.cursor().token_stream().into_iter().next() };
    loop {
        if input.is_empty() {
            break;
        }
        if input.parse::<Option<Token![,]>>()?.is_some() {
            break;
        }
        input.parse::<TokenTree>()?;
    }
    match (&arg, stray) {
        (Ok(before), Some(stray)) => Err(unit_apart(before, &stray)
            .unwrap_or_else(|| syn::Error::new_spanned(&stray, expected_comma(before, &stray, spec)))),
        _ => arg,
    }
}

/// The error of `2 s`.
fn unit_apart(before: &Arg, unit: &TokenTree) -> Option<syn::Error> {
    let (Arg::Positional(before) | Arg::Named(Slot { value: before, .. })) = before;
    let number = before.to_token_stream().into_iter().last()?;
    let is_number = matches!(&number, TokenTree::Literal(number) if number.to_string().ends_with(char::is_numeric));
    let message = duration::one_word(&format!("{number}{}", duration::meant(&unit.to_string())?));
    is_number.then(|| syn::Error::new_spanned(quote!(#number #unit), message))
}

fn expected_comma(before: &Arg, stray: &TokenTree, spec: &Spec) -> String {
    if let Arg::Positional(Raw::Value(expr)) = before {
        if let (Some(word), ":") = (ident_of(expr), stray.to_string().as_str()) {
            return match spec.key(&word.to_string()) {
                Some((key, "")) => spec::is_flag(key),
                Some((key, example)) => with_equals(key, example),
                None => with_equals(&word.to_string(), ".."),
            };
        }
    }
    format!("unexpected `{}`: separate the arguments with `,`", code(stray))
}

fn with_equals(key: &str, example: &str) -> String {
    format!("an argument is given with `=`: write `{key} = {example}`")
}

fn argument(input: ParseStream, spec: &Spec) -> syn::Result<Arg> {
    let assigned = input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    if !(input.peek(Ident::peek_any) && assigned) {
        return value(input).map(Arg::Positional);
    }
    let key = Ident::parse_any(input)?;
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(spec.needs_value(&key));
    }
    value(input).map(|value| Arg::Named(Slot { key, value }))
}

fn value(input: ParseStream) -> syn::Result<Raw> {
    let ahead = input.fork();
    if let (Ok(number), Ok(percent)) = (ahead.parse::<Lit>(), ahead.parse::<Token![%]>()) {
        // `50 % X` goes on behind the sign and is an expression.
        if ahead.is_empty() || ahead.peek(Token![,]) {
            input.advance_to(&ahead);
            return Ok(Raw::Percent(number, percent));
        }
    }
    input.parse::<Expr>().map(Raw::Value)
}

/// A flag or later argument, or the error of a key, written without `= value`; `None` for a positional value.
fn named_alone(raw: &Raw, spec: &Spec) -> Option<syn::Result<Slot<Raw>>> {
    let Raw::Value(expr) = raw else { return None };
    let (word, called) = match expr {
        Expr::Call(call) => (ident_of(&call.func)?, true),
        expr => (ident_of(expr)?, false),
    };
    let name = word.to_string();
    if spec.is_later(&name) || (!called && spec.flags.contains(&name.as_str())) {
        let value = Raw::Flag(word.clone());
        return Some(Ok(Slot { key: word.clone(), value }));
    }
    spec.key(&name).map(|_| Err(spec.needs_value(word)))
}

/// The word that `expr` consists of.
pub(crate) fn ident_of(expr: &Expr) -> Option<&Ident> {
    match peel(expr) {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
