//! Builds the const expression of a policy's config, argument by argument.

use super::{Config, Context, Instance};
use crate::{
    args::{Given, Slot},
    diag::code,
    span::{at, placed},
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::{fmt::Display, ops::RangeInclusive};
use syn::Expr;

pub(super) const MILLISECOND: u64 = 1_000_000;
/// A generous one.
pub(super) const YEAR: u64 = 366 * 24 * 3600 * 1000 * MILLISECOND;

pub(super) struct Builder {
    krate: TokenStream,
    layer: usize,
    config: TokenStream,
    checks: TokenStream,
}

impl Builder {
    pub(super) fn new(cx: &Context) -> Self {
        Self { krate: cx.krate.clone(), layer: cx.layer, config: TokenStream::new(), checks: TokenStream::new() }
    }

    /// Begins with `start`, the constructor behind our crate's path.
    pub(super) fn start(&mut self, start: &TokenStream) {
        let krate = &self.krate;
        self.config = quote!(#krate::#start);
    }

    /// Begins with the item `name`.
    pub(super) fn replace(&mut self, name: TokenStream) {
        self.config = name;
    }

    pub(super) fn set(&mut self, setter: &str, value: &TokenStream) {
        let setter = format_ident!("{setter}");
        self.config.extend(quote!(.#setter(#value)));
    }

    pub(super) fn finish(self) -> Instance {
        Instance::Owned(Config { config: self.config, checks: self.checks })
    }

    pub(super) fn count(&mut self, argument: &str, given: &Given<u32>) -> TokenStream {
        match given.literal {
            Some(count) => Literal::u32_suffixed(count).into_token_stream(),
            None => self.constant(argument, &quote!(::core::primitive::u32), &given.written),
        }
    }

    pub(super) fn number(&mut self, argument: &str, given: &Given<f64>) -> TokenStream {
        match given.literal {
            Some(number) => Literal::f64_suffixed(number).into_token_stream(),
            None => self.constant(argument, &quote!(::core::primitive::f64), &given.written),
        }
    }

    /// The attribute's value, where a policy may have been written instead: a `Constant` says so.
    pub(super) fn value(&mut self, argument: &str, ty: &TokenStream, expr: &Expr) -> TokenStream {
        let (span, here) = (at(expr), placed(&self.krate, at(expr)));
        let method = Ident::new(argument, span);
        let value = quote_spanned!(span=> #here::__private::Constant(#expr).#method());
        self.constant_at(argument, ty, &value, span)
    }

    pub(super) fn duration(&mut self, argument: &str, given: &Given<u64>) -> TokenStream {
        let krate = self.krate.clone();
        match given.literal {
            Some(nanos) => self.nanos(nanos),
            None => self.constant(argument, &quote!(#krate::__private::Duration), &given.written),
        }
    }

    pub(super) fn nanos(&self, nanos: u64) -> TokenStream {
        let krate = &self.krate;
        quote!(#krate::__private::Duration::from_nanos(#nanos))
    }

    pub(super) fn ratio(&mut self, argument: &str, given: &Given<u32>) -> TokenStream {
        let krate = self.krate.clone();
        match given.literal {
            Some(parts) => quote!(#krate::Ratio::from_ppb(#parts)),
            None => self.constant(argument, &quote!(#krate::Ratio), &given.written),
        }
    }

    /// An item that evaluates `expr` and checks it, both at the user's tokens; the item's name.
    ///
    /// One item does both: a second use of `expr` would repeat rustc's errors about it.
    pub(super) fn constant(&mut self, argument: &str, ty: &TokenStream, expr: &Expr) -> TokenStream {
        self.constant_at(argument, ty, &expr.to_token_stream(), at(expr))
    }

    /// The same for a `value` that consists of more than the user's expression.
    pub(super) fn constant_at(
        &mut self,
        argument: &str,
        ty: &TokenStream,
        value: &TokenStream,
        span: Span,
    ) -> TokenStream {
        let krate = placed(&self.krate, span);
        let check = Ident::new(argument, span);
        let local = Ident::new("value", Span::mixed_site().located_at(span));
        let body = quote_spanned!(span=> {
            let #local: #ty = #value;
            #krate::__private::check::#check(#local);
            #local
        });
        self.item(argument, ty, &body, span)
    }

    /// An item of type `ty` at `span`, and its name.
    pub(super) fn item(&mut self, argument: &str, ty: &TokenStream, value: &TokenStream, span: Span) -> TokenStream {
        let mut name = Ident::new(&format!("__RESILIENT_{}_{}", argument.to_uppercase(), self.layer), span);
        // A range has two ends of one name.
        while self.checks.to_string().contains(&name.to_string()) {
            name = Ident::new(&format!("{name}_MAX"), span);
        }
        self.checks.extend(quote_spanned!(span=> const #name: #ty = #value;));
        name.into_token_stream()
    }
}

/// What literals of an argument may be.
pub(super) struct Limits<T> {
    pub(super) range: RangeInclusive<T>,
    /// The range in the grammar of the arguments.
    pub(super) text: &'static str,
    /// What to write.
    pub(super) example: &'static str,
}

impl<T: PartialOrd> Limits<T> {
    /// Reports a literal outside of the range.
    pub(super) fn check(&self, given: &Given<T>, cx: &mut Context) {
        if given.literal.as_ref().is_some_and(|value| !self.range.contains(value)) {
            let written = code(&given.written);
            self.report(&given.written, &written, cx);
        }
    }

    pub(super) fn report(&self, at: &impl ToTokens, written: &impl Display, cx: &mut Context) {
        cx.diag.error(at, format!("`{written}` is out of range, {}: write for example `{}`", self.text, self.example));
    }

    pub(super) fn check_slot(&self, slot: Option<&Slot<Given<T>>>, cx: &mut Context) {
        if let Some(slot) = slot {
            self.check(&slot.value, cx);
        }
    }
}

/// Reports a range that ends before it begins.
pub(super) fn check_upside_down([first, last]: &[Given<u64>; 2], cx: &mut Context) {
    if let (Some(low), Some(high)) = (first.literal, last.literal) {
        if low > high {
            let (first, last) = (&first.written, &last.written);
            let upright = format!("{}..={}", code(last), code(first));
            cx.diag.error(&quote!(#first..=#last), format!("the range is upside down: write `{upright}`"));
        }
    }
}
