//! What opens the circuit, what closes it again, and which of several it is.

mod health;
mod open_for;
mod trip;
mod window;

use self::trip::Trip;
use super::{
    Context, Instance, Keys, Parsed, Policy,
    config::{Builder, Limits, MILLISECOND, YEAR},
    keys::{key, own_keys},
    shared::{is_count, judged},
};
use crate::args::{Args, Raw, Spec, count, duration, is_duration};
use proc_macro2::TokenStream;

pub(super) const SPEC: Spec = Spec {
    attribute: "circuit_breaker",
    keys: &[
        ("failures", "5"),
        ("failure_rate", "50%"),
        ("window", "30s"),
        ("min_calls", "20"),
        ("slow_call", "2s"),
        ("slow_rate", "80%"),
        ("open_for", "30s"),
        ("probes", "1"),
        ("successes", "1"),
        ("probe_timeout", "10s"),
        ("ramp", ""),
        ("adaptive", ""),
        ("shed", "2.0"),
        ("health_check", "ping"),
        ("health_every", "5s"),
        ("mode", "shadow"),
        ("when", "|error| error.is_transient()"),
        ("unless", "|error| error.is_not_found()"),
        ("failure_if", "|output| output.is_err()"),
        ("ignore_if", "|output| output.is_ok()"),
        ("key", "self.host"),
        ("key_label", "self.host"),
        ("max_keys", "10_000"),
        ("idle", "10min"),
        ("name", "\"payments\""),
        ("policy", "PAYMENTS"),
    ],
    flags: &["ramp", "adaptive"],
    later: &["classify", "when_ok"],
    alone: None,
};

const PROBES: Limits<u32> = Limits { range: 1..=1000, text: "which is `1` to `1000`", example: "probes = 3" };
const SUCCESSES: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "successes = 2" };
const OPEN_FOR: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "open_for = 30s" };
const PROBE_TIMEOUT: Limits<u64> = Limits { example: "probe_timeout = 10s", ..OPEN_FOR };

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Parsed {
    let may_have_key = args.has("key");
    let mut keys = key(&mut args, cx);
    let own = |args: Args, cx: &mut Context| owned(args, may_have_key, keys.as_mut(), cx);
    let (instance, judge, name) = judged(args, &SPEC, hint, own, cx);
    Parsed::new(Policy::CircuitBreaker { instance, judge, keys: keys.map(Box::new) }, name)
}

fn hint(raw: &Raw) -> Option<&'static str> {
    match raw {
        Raw::Percent(..) => Some("failure_rate"),
        Raw::Value(expr) if is_duration(expr) => Some("open_for"),
        raw => is_count(raw).then_some("failures"),
    }
}

fn owned(mut args: Args, may_have_key: bool, mut keys: Option<&mut Keys>, cx: &mut Context) -> Instance {
    let trip = Trip::take(&mut args, cx);
    let mut build = Builder::new(cx);
    trip.set(&mut build, cx);
    build.open_for(&mut args, cx);
    build.probes(&mut args, cx);
    build.health(&mut args, keys.as_deref_mut(), cx);
    build.mode(&mut args, cx);
    own_keys(&mut args, may_have_key, keys, &mut build, cx);
    build.finish()
}

impl Builder {
    fn probes(&mut self, args: &mut Args, cx: &mut Context) {
        let scope = cx.scope;
        for (key, limits) in [("probes", PROBES), ("successes", SUCCESSES)] {
            if let Some(slot) = args.take(key, cx.diag, |raw| count(raw, scope)) {
                limits.check(&slot.value, cx);
                let value = self.count(key, &slot.value);
                self.set(key, &value);
            }
        }
        if let Some(slot) = args.take("probe_timeout", cx.diag, |raw| duration(raw, scope)) {
            PROBE_TIMEOUT.check(&slot.value, cx);
            let value = self.duration("probe_timeout", &slot.value);
            self.set("probe_timeout", &value);
        }
        if args.flag("ramp", cx.diag).is_some() {
            self.set("ramp", &TokenStream::new());
        }
    }
}
