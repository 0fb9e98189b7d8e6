//! `adaptive`: the range in which the limit is found by measurement.

use crate::{
    args::{Given, Raw, Scope, count_of, peel},
    diag::{code, err},
    policy::{
        Context,
        config::{Builder, Limits},
    },
    span::at,
};
use proc_macro2::Literal;
use quote::{ToTokens as _, quote};
use syn::{Expr, RangeLimits};

const ADAPTIVE: Limits<u32> =
    Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "adaptive = 10..=200" };

pub(super) fn range(raw: &Raw, scope: &Scope) -> syn::Result<[Given<u32>; 2]> {
    const WANTED: &str = "the range in which the limit is found, as in `adaptive = 10..=200`";
    let expr = raw.expr(WANTED)?;
    let Expr::Range(range) = peel(expr) else {
        return err(expr, format!("`{}` is no range: write {WANTED}", code(expr)));
    };
    let (Some(least), Some(most)) = (&range.start, &range.end) else {
        return err(range, format!("a range has both ends: write {WANTED}"));
    };
    if matches!(range.limits, RangeLimits::HalfOpen(_)) {
        let (least, most) = (code(least), code(most));
        return err(range, format!("the highest limit belongs to the range: write `{least}..={most}`"));
    }
    Ok([count_of(least, scope)?, count_of(most, scope)?])
}

impl Builder {
    /// One item holds both ends where only rustc knows them, for they are checked together.
    pub(super) fn adaptive(&mut self, ends: &[Given<u32>; 2], cx: &mut Context) {
        for end in ends {
            ADAPTIVE.check(end, cx);
        }
        let [low, high] = ends;
        let (first, last) = (&low.written, &high.written);
        if let (Some(low), Some(high)) = (low.literal, high.literal) {
            if low > high {
                let message = format!("the range is upside down: write `{}..={}`", code(last), code(first));
                cx.diag.error(&quote!(#first..=#last), message);
            } else if low == high {
                let message = format!("a limit that can not move is a number: write `#[bulkhead({})]`", code(first));
                cx.diag.error(&quote!(#first..=#last), message);
            }
            let (low, high) = (Literal::u32_suffixed(low), Literal::u32_suffixed(high));
            return self.start(&quote!(BulkheadConfig::adaptive(#low..=#high)));
        }
        let [low, high] = ends.each_ref().map(|end| {
            end.literal
                .map_or_else(|| end.written.to_token_stream(), |end| Literal::u32_suffixed(end).into_token_stream())
        });
        let ty = quote!([::core::primitive::u32; 2]);
        let name = self.constant_at("adaptive", &ty, &quote!([#low, #high]), at(first));
        self.start(&quote!(BulkheadConfig::adaptive(#name[0]..=#name[1])));
    }
}
