//! When the circuit opens.

use super::{
    OPEN_FOR,
    window::{Window, window},
};
use crate::{
    args::{Args, Given, Slot, count, duration, factor, ratio},
    diag::list,
    policy::{
        Context,
        config::{Builder, Limits},
    },
};
use proc_macro2::TokenStream;
use quote::quote;

const FAILURES: Limits<u32> =
    Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "failures = 5" };
const MIN_CALLS: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "min_calls = 20" };
const SLOW_CALL: Limits<u64> = Limits { example: "slow_call = 2s", ..OPEN_FOR };
/// In thousandths.
const SHED: Limits<f64> = Limits { range: 1.001..=100.0, text: "which is `1.001` to `100`", example: "shed = 2.0" };

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
        let may_be_slow = args.has("slow_call");
        let trip = Self {
            failures: args.take("failures", cx.diag, |raw| count(raw, scope)),
            failure_rate: args.take("failure_rate", cx.diag, |raw| ratio(raw, scope)),
            window: args.take("window", cx.diag, |raw| window(raw, scope)),
            min_calls: args.take("min_calls", cx.diag, |raw| count(raw, scope)),
            slow_call: args.take("slow_call", cx.diag, |raw| duration(raw, scope)),
            slow_rate: args.take("slow_rate", cx.diag, |raw| ratio(raw, scope)),
            adaptive: args.flag("adaptive", cx.diag),
            shed: args.take("shed", cx.diag, |raw| factor(raw, scope)),
        };
        trip.check(cx);
        if trip.failures.is_some() {
            trip.check_streak(cx);
        } else {
            trip.check_window(may_be_slow, cx);
        }
        trip
    }

    /// Each by itself.
    fn check(&self, cx: &mut Context) {
        FAILURES.check_slot(self.failures.as_ref(), cx);
        MIN_CALLS.check_slot(self.min_calls.as_ref(), cx);
        for (key, what, rate) in
            [("failure_rate = 50%", "failure", &self.failure_rate), ("slow_rate = 80%", "slow call", &self.slow_rate)]
        {
            if let Some(slot) = rate.as_ref().filter(|slot| slot.value.literal == Some(0)) {
                let message = format!("`0%` would open the circuit without any {what}: write more, as in `{key}`");
                cx.diag.error(&slot.value.written, message);
            }
        }
        if let Some(slot) = &self.window {
            slot.value.check(cx);
        }
        SLOW_CALL.check_slot(self.slow_call.as_ref(), cx);
        SHED.check_slot(self.shed.as_ref(), cx);
    }

    /// What looks at a window has no meaning beside `failures`.
    fn check_streak(&self, cx: &mut Context) {
        let given = [
            self.failure_rate.as_ref().map(|slot| &slot.key),
            self.window.as_ref().map(|slot| &slot.key),
            self.min_calls.as_ref().map(|slot| &slot.key),
            self.slow_call.as_ref().map(|slot| &slot.key),
            self.slow_rate.as_ref().map(|slot| &slot.key),
            self.adaptive.as_ref().map(|slot| &slot.key),
            self.shed.as_ref().map(|slot| &slot.key),
        ];
        // One mistake, however many of them there are.
        if let Some(key) = given.into_iter().flatten().next() {
            let names: Vec<_> = given.iter().flatten().map(ToString::to_string).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            cx.diag.error(
                key,
                format!(
                    "`{key}` belongs to a sliding window, and `failures` counts failures in a row without one: \
                     leave out `failures`, or {}",
                    list(&names)
                ),
            );
        }
    }

    fn check_window(&self, may_be_slow: bool, cx: &mut Context) {
        let calls = match self.window.as_ref().map(|slot| &slot.value) {
            Some(Window::Calls(calls)) => Some(calls),
            _ => None,
        };
        if let (Some(min_calls), Some(calls)) = (&self.min_calls, calls) {
            check_min_calls(&min_calls.value, calls, cx);
        }
        if let (Some(slow_rate), false) = (&self.slow_rate, may_be_slow) {
            cx.diag.error(
                &slow_rate.key,
                "`slow_rate` needs the time above which a call is slow: write for example `slow_call = 2s` beside it",
            );
        }
        if let (Some(shed), Some(_)) = (&self.shed, calls) {
            cx.diag.error(
                &shed.key,
                "`shed` needs a window of time, for what it refuses is no result: write for example `window = 30s`",
            );
        }
    }

    pub(super) fn set(&self, build: &mut Builder, cx: &Context) {
        build.start(&quote!(CircuitBreakerConfig::new()));
        if let Some(slot) = &self.window {
            build.window(&slot.value, cx);
        }
        for (key, slot) in [("failures", &self.failures), ("min_calls", &self.min_calls)] {
            if let Some(slot) = slot {
                let value = build.count(key, &slot.value);
                build.set(key, &value);
            }
        }
        if let Some(slot) = &self.slow_call {
            let value = build.duration("slow_call", &slot.value);
            build.set("slow_call", &value);
        }
        for (key, slot) in [("failure_rate", &self.failure_rate), ("slow_rate", &self.slow_rate)] {
            if let Some(slot) = slot {
                let value = build.ratio(key, &slot.value);
                build.set(key, &value);
            }
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

fn check_min_calls(min: &Given<u32>, window: &Given<u32>, cx: &mut Context) {
    let (Some(calls), Some(window)) = (min.literal, window.literal) else { return };
    if calls > window && window > 0 {
        cx.diag.error(
            &min.written,
            format!(
                "a window of {window} calls never holds {calls}, so the circuit would never open: \
                 write `min_calls = {window}` or less"
            ),
        );
    }
}
