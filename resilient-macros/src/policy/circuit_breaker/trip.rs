//! When the circuit opens.

use super::super::{
    Context,
    config::{Builder, Limits, MILLISECOND, YEAR},
    shared::is_count,
};
use crate::{
    args::{Args, Given, Raw, Scope, Slot, count, count_of, duration, duration_of, factor, ratio},
    diag::code,
    span::{at, placed},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;

const MANY: Limits<u32> = Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "failures = 5" };
const WINDOW_CALLS: Limits<u32> = Limits { example: "window = 100", ..MANY };
const WINDOW_TIME: Limits<u64> =
    Limits { range: 100 * MILLISECOND..=YEAR, text: "which is `100ms` to `366d`", example: "window = 30s" };
const MIN_CALLS: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "min_calls = 20" };
const SLOW_CALL: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "slow_call = 2s" };

/// The extent of the sliding window.
enum Window {
    Calls(Given<u32>),
    Time(Given<u64>),
    /// Of type `u32` or `Duration`.
    Expression(Expr),
}

/// When the circuit opens.
pub(super) struct Trip {
    failures: Option<Slot<Given<u32>>>,
    failure_rate: Option<Slot<Given<u32>>>,
    window: Option<Slot<Window>>,
    min_calls: Option<Slot<Given<u32>>>,
    slow_call: Option<Slot<Given<u64>>>,
    slow_rate: Option<Slot<Given<u32>>>,
    adaptive: Option<Slot<()>>,
    shed: Option<Slot<Given<f64>>>,
}

impl Trip {
    pub(super) fn take(args: &mut Args, cx: &mut Context) -> Self {
        let scope = cx.scope;
        let trip = Self {
            failures: args.take("failures", cx.diag, |raw| count(raw, scope)),
            failure_rate: args.take("failure_rate", cx.diag, |raw| ratio(raw, scope)),
            window: args.take("window", cx.diag, |raw| window(raw, scope)),
            min_calls: args.take("min_calls", cx.diag, |raw| count(raw, scope)),
            slow_call: args.take("slow_call", cx.diag, |raw| duration(raw, scope)),
            slow_rate: args.take("slow_rate", cx.diag, |raw| ratio(raw, scope)),
            adaptive: args.take("adaptive", cx.diag, Raw::flag),
            shed: args.take("shed", cx.diag, |raw| factor(raw, scope)),
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
        self.check_slow(cx);
        self.check_shed(cx);
        if self.failures.is_some() {
            let others = [
                self.failure_rate.as_ref().map(|slot| &slot.key),
                self.window.as_ref().map(|slot| &slot.key),
                self.min_calls.as_ref().map(|slot| &slot.key),
                self.slow_call.as_ref().map(|slot| &slot.key),
                self.adaptive.as_ref().map(|slot| &slot.key),
                self.shed.as_ref().map(|slot| &slot.key),
            ];
            // One mistake, however many of them there are.
            if let Some(key) = others.into_iter().flatten().next() {
                cx.diag.error(
                    key,
                    format!(
                        "`{key}` belongs to a sliding window, and `failures` counts failures in a row without one: \
                         leave out `failures`, or {}",
                        if ["slow_call", "adaptive", "shed"].iter().any(|other| key == other) {
                            format!("`{key}`")
                        } else {
                            "`failure_rate`, `window` and `min_calls`".to_owned()
                        }
                    ),
                );
            }
        }
    }

    fn check_slow(&self, cx: &mut Context) {
        if let Some(slot) = &self.slow_call {
            SLOW_CALL.check(&slot.value, cx);
        }
        let Some(slot) = &self.slow_rate else { return };
        if slot.value.literal == Some(0) {
            cx.diag.error(
                &slot.value.written,
                "`0%` would open the circuit without any slow call: write more, as in `slow_rate = 80%`",
            );
        }
        if self.slow_call.is_none() {
            cx.diag.error(
                &slot.key,
                "`slow_rate` needs the time above which a call is slow: write for example `slow_call = 2s` beside it",
            );
        }
    }

    fn check_shed(&self, cx: &mut Context) {
        let Some(slot) = &self.shed else { return };
        if slot.value.literal.is_some_and(|k| !(k > 1.0 && k <= 100.0)) {
            let written = code(&slot.value.written);
            cx.diag.error(
                &slot.value.written,
                format!(
                    "`{written}` is out of range, which is above `1` and up to `100`: write for example `shed = 2.0`"
                ),
            );
        }
        if let Some(Window::Calls(_)) = self.window.as_ref().map(|slot| &slot.value) {
            cx.diag.error(
                &slot.key,
                "`shed` needs a window of time, for what it refuses is no result: write for example `window = 30s`",
            );
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

    pub(super) fn set(&self, build: &mut Builder, cx: &Context) {
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
        if let Some(slot) = &self.slow_call {
            let value = build.duration("slow_call", &slot.value);
            build.set("slow_call", &value);
        }
        if let Some(slot) = &self.slow_rate {
            let value = build.ratio("slow_rate", &slot.value);
            build.set("slow_rate", &value);
        }
        if self.adaptive.is_some() {
            build.set("adaptive", &TokenStream::new());
        }
        if let Some(slot) = &self.shed {
            let value = build.number("shed", &slot.value);
            build.set("shed", &value);
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
