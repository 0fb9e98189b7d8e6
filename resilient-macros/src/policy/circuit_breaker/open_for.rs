//! `open_for`: one time, or a range that it grows in.

use super::OPEN_FOR;
use crate::{
    args::{Args, Given, Raw, Scope, duration, peel, range_of},
    diag::code,
    policy::{
        Context,
        config::{Builder, check_upside_down},
    },
    span::at,
};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::Expr;

enum OpenFor {
    Time(Given<u64>),
    Range([Given<u64>; 2]),
}

fn open_for(raw: &Raw, scope: &Scope) -> syn::Result<OpenFor> {
    match raw {
        Raw::Value(expr) => match peel(expr) {
            Expr::Range(range) => range_of(range, "30s..=5min", scope).map(OpenFor::Range),
            _ => duration(raw, scope).map(OpenFor::Time),
        },
        raw => duration(raw, scope).map(OpenFor::Time),
    }
}

fn check(ends: &[Given<u64>; 2], cx: &mut Context) {
    for end in ends {
        OPEN_FOR.check(end, cx);
    }
    check_upside_down(ends, cx);
    let [first, longest] = ends;
    if first.literal.is_some() && first.literal == longest.literal {
        let (first, longest) = (&first.written, &longest.written);
        let message = format!("a time that can not grow is no range: write `open_for = {}`", code(first));
        cx.diag.error(&quote!(#first..=#longest), message);
    }
}

impl Builder {
    pub(super) fn open_for(&mut self, args: &mut Args, cx: &mut Context) {
        let scope = cx.scope;
        let Some(slot) = args.take("open_for", cx.diag, |raw| open_for(raw, scope)) else { return };
        match slot.value {
            OpenFor::Time(time) => {
                OPEN_FOR.check(&time, cx);
                let value = self.duration("open_for", &time);
                self.set("open_for", &value);
            }
            OpenFor::Range(ends) => {
                check(&ends, cx);
                let value = self.range(&ends, cx);
                self.set("open_for_range", &value);
            }
        }
    }

    /// One item holds both ends where only rustc knows them, for they are checked together.
    fn range(&mut self, ends: &[Given<u64>; 2], cx: &Context) -> TokenStream {
        let krate = cx.krate;
        let [first, longest] = ends
            .each_ref()
            .map(|end| end.literal.map_or_else(|| end.written.to_token_stream(), |nanos| self.nanos(nanos)));
        if ends.iter().all(|end| end.literal.is_some()) {
            return quote!(#first..=#longest);
        }
        let ty = quote!([#krate::__private::Duration; 2]);
        let name = self.constant_at("open_for_range", &ty, &quote!([#first, #longest]), at(&ends[0].written));
        quote!(#name[0]..=#name[1])
    }
}
