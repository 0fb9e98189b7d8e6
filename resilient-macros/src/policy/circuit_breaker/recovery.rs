//! What happens while the circuit is open, and what closes it again.

use super::super::{
    Context,
    config::{Builder, Limits, MILLISECOND, YEAR},
};
use crate::{
    args::{Args, Backoff, Given, Raw, Scope, Slot, backoff, count, duration, peel},
    diag::{code, err},
    span::{at, placed},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Expr;

const PROBES: Limits<u32> = Limits { range: 1..=1000, text: "which is `1` to `1000`", example: "probes = 3" };
const SUCCESSES: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "successes = 2" };
const OPEN_FOR: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "open_for = 30s" };
const PROBE_TIMEOUT: Limits<u64> = Limits { example: "probe_timeout = 10s", ..OPEN_FOR };
const HEALTH_EVERY: Limits<u64> = Limits { example: "health_every = 5s", ..OPEN_FOR };

/// `is_checked`: its health is asked for elsewhere.
pub(super) fn recovery(args: &mut Args, is_checked: bool, build: &mut Builder, cx: &mut Context) {
    let scope = cx.scope;
    open_for(args, build, cx);
    for (key, limits) in [("probes", PROBES), ("successes", SUCCESSES)] {
        if let Some(slot) = args.take(key, cx.diag, |raw| count(raw, scope)) {
            limits.check(&slot.value, cx);
            let value = build.count(key, &slot.value);
            build.set(key, &value);
        }
    }
    let mut time = |key: &str, limits: &Limits<u64>, args: &mut Args, cx: &mut Context| -> Option<Slot<Given<u64>>> {
        let slot = args.take(key, cx.diag, |raw| duration(raw, scope))?;
        limits.check(&slot.value, cx);
        let value = build.duration(key, &slot.value);
        build.set(key, &value);
        Some(slot)
    };
    time("probe_timeout", &PROBE_TIMEOUT, args, cx);
    let may_check = is_checked || args.has("health_check");
    if let Some(every) = time("health_every", &HEALTH_EVERY, args, cx).filter(|_| !may_check) {
        cx.diag.error(&every.key, "`health_every` needs what to ask: write for example `health_check = ping`");
    }
    if args.take("ramp", cx.diag, Raw::flag).is_some() {
        build.set("ramp", &TokenStream::new());
    }
    if let Some(slot) = args.take("health_check", cx.diag, |raw| health_check(raw, scope)) {
        let krate = cx.krate;
        let path = &slot.value;
        let here = placed(krate, at(path));
        let asking = quote_spanned!(at(path)=> #here::__private::asking(#path()));
        build.set("health_check", &quote!(#krate::__private::health(|| #asking)));
    }
}

fn open_for(args: &mut Args, build: &mut Builder, cx: &mut Context) {
    let scope = cx.scope;
    let Some(slot) = args.take("open_for", cx.diag, |raw| open_time(raw, scope)) else { return };
    match slot.value {
        Backoff::Constant(time) => {
            OPEN_FOR.check(&time, cx);
            let value = build.duration("open_for", &time);
            build.set("open_for", &value);
        }
        Backoff::Expression(expr) => {
            let krate = cx.krate;
            let value = build.constant("open_for", &quote!(#krate::__private::Duration), &expr);
            build.set("open_for", &value);
        }
        Backoff::Range(ends) => {
            let [first, longest] = *ends;
            OPEN_FOR.check(&first, cx);
            OPEN_FOR.check(&longest, cx);
            if let (Some(low), Some(high)) = (first.literal, longest.literal) {
                let (low_written, high_written) = (&first.written, &longest.written);
                let both = quote!(#low_written ..= #high_written);
                let (low_text, high_text) = (code(low_written), code(high_written));
                if low > high {
                    cx.diag.error(&both, format!("the range is upside down: write `{high_text}..={low_text}`"));
                } else if low == high {
                    cx.diag
                        .error(&both, format!("a time that can not grow is no range: write `open_for = {low_text}`"));
                }
            }
            let (first, longest) = (build.duration("open_for", &first), build.duration("open_for", &longest));
            build.set("open_for_range", &quote!(#first..=#longest));
        }
    }
}

fn open_time(raw: &Raw, scope: &Scope) -> syn::Result<Backoff> {
    match raw {
        Raw::Value(expr) if matches!(peel(expr), Expr::Range(_)) => backoff(raw, scope),
        raw => {
            let given = duration(raw, scope)?;
            Ok(if given.literal.is_some() { Backoff::Constant(given) } else { Backoff::Expression(given.written) })
        }
    }
}

/// The path of an async fn, which is called where the fn's arguments are not in sight.
pub(super) fn health_check(raw: &Raw, scope: &Scope) -> syn::Result<Expr> {
    const WANTED: &str = "the path of an `async fn() -> Result<(), _>`, as in `health_check = ping`";
    let expr = raw.expr(WANTED)?;
    match peel(expr) {
        Expr::Path(_) => {
            scope.allows(expr)?;
            Ok(expr.clone())
        }
        Expr::Call(call) => {
            let path = code(&call.func);
            err(expr, format!("a `health_check` is called when it is needed: write `health_check = {path}`"))
        }
        _ => err(expr, format!("`{}` is no health check: write {WANTED}", code(expr))),
    }
}
