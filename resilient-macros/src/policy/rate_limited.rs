use super::{
    Context, Instance, Parsed, Policy,
    config::{Builder, Limits, YEAR},
    name,
    shared::{self, instance},
    wait::wait,
};
use crate::span::at;
use crate::{
    args::{Alone, Args, Form, Given, RateArg, Raw, Scope, Slot, Spec, count, names_constant, peel, rate},
    diag::{code, err},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, UnOp};

pub(super) const SPEC: Spec = Spec {
    attribute: "rate_limited",
    keys: &[
        ("burst", "200"),
        ("initial", "0"),
        ("wait", "500ms"),
        ("cost", "items.len()"),
        ("name", "\"vendor\""),
        ("policy", "VENDOR"),
    ],
    flags: &["wait"],
    later: &[
        "charge",
        "key",
        "key_label",
        "max_keys",
        "idle",
        "rate",
        "priority",
        "reserve",
        "algorithm",
        "delay_hint",
        "adaptive",
        "shards",
        "store",
        "accuracy",
        "on_store_loss",
        "mode",
    ],
    alone: Some(Alone { what: "the rate", example: "100/s", fits: is_rate, replaced_by: &["rate"] }),
};

const BURST: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "burst = 200" };
const LIMIT: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "100/s" };
const PERIOD: Limits<u64> = Limits { range: 1000..=YEAR, text: "whose period is `1us` to `366d`", example: "100/s" };

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Option<Parsed> {
    let shared = shared::named(&mut args, cx);
    let name = args.take("name", cx.diag, name);
    let cost = args.take("cost", cx.diag, cost);
    let instance = match shared {
        Some(shared) => instance(shared, args, cx),
        None => owned(args, cost.as_ref(), cx)?,
    };
    Some(Parsed::new(Policy::RateLimited { instance, cost: cost.map(|slot| slot.value) }, name))
}

fn is_rate(raw: &Raw) -> bool {
    match rate(raw, &Scope::default()) {
        Ok(RateArg::Written { .. }) => true,
        Ok(RateArg::Expression(expr)) => names_constant(&expr),
        Err(_) => false,
    }
}

fn cost(raw: &Raw) -> syn::Result<Expr> {
    let expr = raw.expr("a number of tokens such as `items.len()`")?;
    if let Expr::Unary(negated) = peel(expr) {
        if matches!(negated.op, UnOp::Neg(_)) {
            return err(
                expr,
                format!("a cost of `{}` is none: write what a call costs, as in `cost = items.len()`", code(expr)),
            );
        }
    }
    if is_zero(expr) {
        return err(expr, "a cost of 0 is never refused: leave `cost` out for 1, or write what a call costs");
    }
    Ok(expr.clone())
}

fn is_zero(expr: &Expr) -> bool {
    literal(expr) == Some(0)
}

fn literal(expr: &Expr) -> Option<u64> {
    match Form::of(expr, "").ok()? {
        Form::Number { digits, .. } => digits.parse().ok(),
        _ => None,
    }
}

fn owned(mut args: Args, cost: Option<&Slot<Expr>>, cx: &mut Context) -> Option<Instance> {
    let scope = cx.scope;
    let rate = the_rate(&args, cx);
    let burst = args.take("burst", cx.diag, |raw| count(raw, scope));
    let initial = args.take("initial", cx.diag, |raw| count(raw, scope));
    BURST.check_slot(burst.as_ref(), cx);
    let size = match (&burst, &rate) {
        (Some(burst), _) => burst.value.literal,
        (None, Some(RateArg::Written { limit, .. })) => limit.literal,
        (None, _) => None,
    };
    check_size(size.filter(|size| *size > 0), initial.as_ref(), cost, cx);

    let mut build = Builder::new(cx);
    let waits = wait(&mut args, cx);
    let rate = rate_tokens(&rate?, &mut build, cx);
    build.start(&quote!(RateLimiterConfig::new(#rate)));
    if let Some(burst) = burst {
        let value = build.count("burst", &burst.value);
        build.set("burst", &value);
    }
    if let Some(initial) = initial {
        let value = build.count("initial", &initial.value);
        build.set("initial", &value);
    }
    build.wait(waits);
    Some(build.finish())
}

fn the_rate(args: &Args, cx: &mut Context) -> Option<RateArg> {
    if let Some(second) = args.positional.get(1) {
        cx.diag.error(
            second,
            "several quotas in one attribute are not available yet in this version: write a second `#[rate_limited(..)]`",
        );
    }
    let Some(raw) = args.positional.first() else {
        // A rate that could not be read was reported.
        if !args.unreadable {
            cx.diag.push(syn::Error::new(
                cx.span,
                "`#[rate_limited]` needs a rate: write for example `#[rate_limited(100/s)]`",
            ));
        }
        return None;
    };
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

fn check_size(size: Option<u32>, initial: Option<&Slot<Given<u32>>>, cost: Option<&Slot<Expr>>, cx: &mut Context) {
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

fn rate_tokens(rate: &RateArg, build: &mut Builder, cx: &Context) -> TokenStream {
    let krate = cx.krate;
    match rate {
        RateArg::Expression(expr) => build.value("rate", &quote!(#krate::Rate), expr),
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
