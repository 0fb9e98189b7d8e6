use super::{
    Context, Instance, Parsed, Policy,
    config::{Builder, Limits, MILLISECOND, YEAR},
    shared::{is_count, judged},
};
use crate::args::{
    Args, Given, Raw, Scope, Slot, Spec, count, count_of, duration, duration_of, is_duration, peel, ratio,
};
use crate::diag::err;
use crate::span::{at, placed};
use proc_macro2::{Ident, Span};
use quote::{quote, quote_spanned};
use syn::Expr;

pub(super) const SPEC: Spec = Spec {
    attribute: "circuit_breaker",
    keys: &[
        ("failures", "5"),
        ("failure_rate", "50%"),
        ("window", "30s"),
        ("min_calls", "20"),
        ("open_for", "30s"),
        ("probes", "1"),
        ("successes", "1"),
        ("probe_timeout", "10s"),
        ("when", "|error| error.is_transient()"),
        ("unless", "|error| error.is_not_found()"),
        ("failure_if", "|output| output.is_err()"),
        ("ignore_if", "|output| output.is_ok()"),
        ("name", "\"payments\""),
        ("policy", "PAYMENTS"),
    ],
    flags: &[],
    later: &[
        "slow_call",
        "slow_rate",
        "ramp",
        "classify",
        "when_ok",
        "key",
        "key_label",
        "max_keys",
        "idle",
        "adaptive",
        "shed",
        "health_check",
        "health_every",
        "mode",
    ],
    alone: None,
};

const MANY: Limits<u32> = Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "failures = 5" };
const WINDOW_CALLS: Limits<u32> = Limits { example: "window = 100", ..MANY };
const WINDOW_TIME: Limits<u64> =
    Limits { range: 100 * MILLISECOND..=YEAR, text: "which is `100ms` to `366d`", example: "window = 30s" };
const MIN_CALLS: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "min_calls = 20" };
const PROBES: Limits<u32> = Limits { range: 1..=1000, text: "which is `1` to `1000`", example: "probes = 3" };
const SUCCESSES: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "successes = 2" };
const OPEN_FOR: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "open_for = 30s" };
const PROBE_TIMEOUT: Limits<u64> = Limits { example: "probe_timeout = 10s", ..OPEN_FOR };

/// The extent of the sliding window.
enum Window {
    Calls(Given<u32>),
    Time(Given<u64>),
    /// Of type `u32` or `Duration`.
    Expression(Expr),
}

/// When the circuit opens.
struct Trip {
    failures: Option<Slot<Given<u32>>>,
    failure_rate: Option<Slot<Given<u32>>>,
    window: Option<Slot<Window>>,
    min_calls: Option<Slot<Given<u32>>>,
}

pub(super) fn parse(args: Args, cx: &mut Context) -> Parsed {
    let (instance, judge, name) = judged(args, &SPEC, hint, owned, cx);
    Parsed::new(Policy::CircuitBreaker { instance, judge }, name)
}

fn hint(raw: &Raw) -> Option<&'static str> {
    match raw {
        Raw::Percent(..) => Some("failure_rate"),
        Raw::Value(expr) if is_duration(expr) => Some("open_for"),
        raw => is_count(raw).then_some("failures"),
    }
}

fn owned(mut args: Args, cx: &mut Context) -> Instance {
    let trip = Trip::take(&mut args, cx);
    let scope = cx.scope;
    let mut build = Builder::new(cx);
    trip.set(&mut build, cx);
    for (key, limits) in [("open_for", OPEN_FOR), ("probe_timeout", PROBE_TIMEOUT)] {
        if let Some(slot) = args.take(key, cx.diag, |raw| time(raw, key, scope)) {
            limits.check(&slot.value, cx);
            let value = build.duration(key, &slot.value);
            build.set(key, &value);
        }
    }
    for (key, limits) in [("probes", PROBES), ("successes", SUCCESSES)] {
        if let Some(slot) = args.take(key, cx.diag, |raw| count(raw, scope)) {
            limits.check(&slot.value, cx);
            let value = build.count(key, &slot.value);
            build.set(key, &value);
        }
    }
    build.finish()
}

fn time(raw: &Raw, key: &str, scope: &Scope) -> syn::Result<Given<u64>> {
    match raw {
        Raw::Value(expr) if key == "open_for" && matches!(peel(expr), Expr::Range(_)) => {
            err(expr, "a range for `open_for` is not available yet in this version: write `open_for = 30s`")
        }
        raw => duration(raw, scope),
    }
}

impl Trip {
    fn take(args: &mut Args, cx: &mut Context) -> Self {
        let scope = cx.scope;
        let trip = Self {
            failures: args.take("failures", cx.diag, |raw| count(raw, scope)),
            failure_rate: args.take("failure_rate", cx.diag, |raw| ratio(raw, scope)),
            window: args.take("window", cx.diag, |raw| window(raw, scope)),
            min_calls: args.take("min_calls", cx.diag, |raw| count(raw, scope)),
        };
        trip.check(cx);
        trip
    }

    fn check(&self, cx: &mut Context) {
        MANY.check_slot(self.failures.as_ref(), cx);
        MIN_CALLS.check_slot(self.min_calls.as_ref(), cx);
        if let Some(slot) = self.failure_rate.as_ref().filter(|slot| slot.value.literal == Some(0)) {
            cx.diag.error(
                &slot.value.written,
                "`0%` would open the circuit without any failure: write more, as in `failure_rate = 50%`",
            );
        }
        match self.window.as_ref().map(|slot| &slot.value) {
            Some(Window::Calls(calls)) => {
                WINDOW_CALLS.check(calls, cx);
                self.check_min_calls(calls, cx);
            }
            Some(Window::Time(time)) => WINDOW_TIME.check(time, cx),
            Some(Window::Expression(_)) | None => {}
        }
        if self.failures.is_some() {
            let others = [
                self.failure_rate.as_ref().map(|slot| &slot.key),
                self.window.as_ref().map(|slot| &slot.key),
                self.min_calls.as_ref().map(|slot| &slot.key),
            ];
            // One mistake, however many of them there are.
            if let Some(key) = others.into_iter().flatten().next() {
                cx.diag.error(
                    key,
                    format!(
                        "`{key}` belongs to a sliding window, and `failures` counts failures in a row without one: \
                         leave out `failures`, or `failure_rate`, `window` and `min_calls`"
                    ),
                );
            }
        }
    }

    fn check_min_calls(&self, window: &Given<u32>, cx: &mut Context) {
        let Some(slot) = &self.min_calls else { return };
        if let (Some(min), Some(window)) = (slot.value.literal, window.literal) {
            if min > window && window > 0 {
                cx.diag.error(
                    &slot.value.written,
                    format!(
                        "a window of {window} calls never holds {min}, so the circuit would never open: \
                         write `min_calls = {window}` or less"
                    ),
                );
            }
        }
    }

    fn set(&self, build: &mut Builder, cx: &Context) {
        build.start(&quote!(CircuitBreakerConfig::new()));
        match self.window.as_ref().map(|slot| &slot.value) {
            Some(Window::Calls(calls)) => {
                let value = build.count("window", calls);
                build.set("window_calls", &value);
            }
            Some(Window::Time(time)) => {
                let value = build.duration("window", time);
                build.set("window_time", &value);
            }
            Some(Window::Expression(expr)) => build.window(expr, cx),
            None => {}
        }
        for (key, slot) in [("failures", &self.failures), ("min_calls", &self.min_calls)] {
            if let Some(slot) = slot {
                let value = build.count(key, &slot.value);
                build.set(key, &value);
            }
        }
        if let Some(slot) = &self.failure_rate {
            let value = build.ratio("failure_rate", &slot.value);
            build.set("failure_rate", &value);
        }
    }
}

impl Builder {
    /// The item holds a whole config, for only rustc knows whether `expr` is a number of calls or a time.
    fn window(&mut self, expr: &Expr, cx: &Context) {
        let krate = cx.krate;
        let here = placed(krate, at(expr));
        let window = Ident::new("window", Span::mixed_site().located_at(at(expr)));
        let value = quote_spanned!(at(expr)=> {
            let #window = #here::__private::CallsOrDuration(#expr).window();
            #here::__private::check::window(#window);
            #here::CircuitBreakerConfig::new().window(#window)
        });
        let name = self.item("window", &quote!(#krate::CircuitBreakerConfig), &value, at(expr));
        self.replace(name);
    }
}

fn window(raw: &Raw, scope: &Scope) -> syn::Result<Window> {
    let expr = raw.expr("a number of calls such as `100` or a time such as `30s`")?;
    if is_count(raw) {
        return count_of(expr, scope).map(Window::Calls);
    }
    let given = duration_of(expr, scope)?;
    Ok(if given.literal.is_some() { Window::Time(given) } else { Window::Expression(given.written) })
}
