//! The rates, and how they fit what is written beside them.

use super::{Builder, Context, Given, Limits};
use crate::{
    args::{Args, Form, RateArg, Raw, Slot, names_constant, rate},
    diag::{code, err},
    policy::config::YEAR,
    span::at,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

const LIMIT: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "100/s" };
const PERIOD: Limits<u64> = Limits { range: 1000..=YEAR, text: "whose period is `1us` to `366d`", example: "100/s" };

/// As many decide together.
const QUOTAS: usize = 4;

/// `rate = expr`: each key's own, read when its instance is made.
pub(super) fn own_rate(args: &mut Args, may_have_key: bool, cx: &mut Context) -> Option<Expr> {
    let scope = cx.scope;
    let slot = args.take("rate", cx.diag, |raw| {
        let constant = |expr: &Expr| !may_have_key && names_constant(expr);
        match rate(raw, scope) {
            Ok(RateArg::Expression(expr)) if constant(&expr) => {
                err(raw, format!("the rate stands alone: write `#[rate_limited({})]`", code(&expr)))
            }
            Ok(RateArg::Written { .. }) => {
                err(raw, format!("the rate stands alone: write `#[rate_limited({})]`", code(raw)))
            }
            _ => raw.expr("a `Rate` over the arguments of the fn, such as `self.plan.rate()`").cloned(),
        }
    })?;
    if !may_have_key {
        cx.diag.error(
            &slot.key,
            "`rate` is the rate of one key, and needs a `key`: write for example `key = tenant.id`, or a rate alone, as in `#[rate_limited(100/s)]`",
        );
    }
    Some(slot.value)
}

/// All rates of the attribute; `None` after an error.
pub(super) fn rates(args: &Args, had_own: bool, own_rate: Option<&Expr>, cx: &mut Context) -> Option<Vec<RateArg>> {
    if let (Some(first), Some(own)) = (args.positional.first(), own_rate) {
        cx.diag.error(first, format!("a second rate: keep one of `{}` and `rate = {}`", code(first), code(own)));
        return None;
    }
    if let Some(fifth) = args.positional.get(QUOTAS) {
        cx.diag
            .error(fifth, format!("one attribute has at most {QUOTAS} quotas: write a second `#[rate_limited(..)]`"));
    }
    if args.positional.is_empty() && !had_own {
        // A rate that could not be read was reported.
        if !args.unreadable {
            cx.diag.push(syn::Error::new(
                cx.span,
                "`#[rate_limited]` needs a rate: write for example `#[rate_limited(100/s)]`",
            ));
        }
        return None;
    }
    // Each is looked at, so that all mistakes are reported.
    let rates: Vec<_> = args.positional.iter().map(|raw| one(raw, cx)).collect();
    rates.into_iter().collect()
}

fn one(raw: &Raw, cx: &mut Context) -> Option<RateArg> {
    let rate = cx.diag.ok(rate(raw, cx.scope))?;
    if let RateArg::Written { limit, period } = &rate {
        let written = code(raw);
        if !PERIOD.range.contains(period) {
            PERIOD.report(raw, &written, cx);
        } else if limit.literal == Some(0) {
            LIMIT.report(raw, &written, cx);
        } else if limit.literal.is_some_and(|limit| u64::from(limit) > *period) {
            cx.diag.error(
                raw,
                format!("`{written}` is more than one call per nanosecond: write a lower rate, as in `100/s`"),
            );
        }
    }
    Some(rate)
}

pub(super) fn check_size(
    size: Option<u32>,
    initial: Option<&Slot<Given<u32>>>,
    cost: Option<&Slot<Expr>>,
    cx: &mut Context,
) {
    let Some(size) = size else { return };
    if let Some(initial) = initial {
        if initial.value.literal.is_some_and(|initial| initial > size) {
            cx.diag.error(
                &initial.value.written,
                format!("the bucket holds {size}: write `initial = {size}` or less, or a larger `burst`"),
            );
        }
    }
    if let Some(cost) = cost {
        if literal(&cost.value).is_some_and(|cost| cost > u64::from(size)) {
            cx.diag.error(
                &cost.value,
                format!("the bucket holds {size}, so this would never be admitted: write `cost = {size}` or less, or a larger `burst`"),
            );
        }
    }
}

pub(super) fn literal(expr: &Expr) -> Option<u64> {
    match Form::of(expr, "").ok()? {
        Form::Number { digits, .. } => digits.parse().ok(),
        _ => None,
    }
}

/// The const expression of a rate.
pub(super) fn tokens(rate: &RateArg, index: usize, build: &mut Builder, cx: &Context) -> TokenStream {
    let krate = cx.krate;
    match rate {
        RateArg::Expression(expr) if index == 0 => build.value("rate", &quote!(#krate::Rate), expr),
        RateArg::Expression(expr) => build.constant("rate", &quote!(#krate::Rate), expr),
        RateArg::Written { limit, period } => {
            let period = build.nanos(*period);
            if let Some(limit) = limit.literal {
                return quote!(#krate::Rate::new(#limit, #period));
            }
            let limit = &limit.written;
            let rate = quote!(#krate::Rate::new(#limit, #period));
            build.constant_at("rate", &quote!(#krate::Rate), &rate, at(limit))
        }
    }
}
