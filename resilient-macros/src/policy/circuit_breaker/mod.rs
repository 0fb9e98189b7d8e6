//! What opens the circuit, what closes it again, and which of several it is.

mod recovery;
mod trip;

use super::{
    Context, Instance, Parsed, Policy,
    config::Builder,
    keys::keys,
    shared::{is_count, judged},
};
use crate::{
    args::{Args, Raw, Scope, Spec, ident_of, is_duration},
    diag::{closest, code, err},
};
use quote::quote;
use syn::Expr;
use trip::Trip;

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
        ("ramp", "ramp"),
        ("adaptive", "adaptive"),
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

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Parsed {
    let has_check = args.has("health_check") && !args.unreadable;
    let mut keys = keys(&mut args, cx);
    let mut check = None;
    if let (Some(_), true) = (&keys, has_check) {
        // One for each key: it is asked by its key.
        check = args.take("health_check", cx.diag, |raw| recovery::health_check(raw, cx.scope));
    }
    let is_checked = check.is_some();
    if let (Some(keys), Some(check)) = (&mut keys, check) {
        keys.health_check = Some(check.value);
    }
    let (instance, judge, name) = judged(args, &SPEC, hint, |args, cx| owned(args, is_checked, cx), cx);
    Parsed::new(Policy::CircuitBreaker { instance, judge, keys: keys.map(Box::new) }, name)
}

fn hint(raw: &Raw) -> Option<&'static str> {
    match raw {
        Raw::Percent(..) => Some("failure_rate"),
        Raw::Value(expr) if is_duration(expr) => Some("open_for"),
        raw => is_count(raw).then_some("failures"),
    }
}

fn owned(mut args: Args, is_checked: bool, cx: &mut Context) -> Instance {
    let trip = Trip::take(&mut args, cx);
    let mut build = Builder::new(cx);
    trip.set(&mut build, cx);
    recovery::recovery(&mut args, is_checked, &mut build, cx);
    let scope = cx.scope;
    if let Some(slot) = args.take("mode", cx.diag, |raw| mode(raw, scope)) {
        let krate = cx.krate;
        let value = match slot.value {
            Mode::Named(variant) => {
                let variant = quote::format_ident!("{variant}");
                quote!(#krate::Mode::#variant)
            }
            Mode::Expression(expr) => build.constant("mode", &quote!(#krate::Mode), &expr),
        };
        build.set("mode", &value);
    }
    build.finish()
}

enum Mode {
    /// A variant of `Mode`.
    Named(&'static str),
    /// A const expression of that type.
    Expression(Expr),
}

const MODES: [(&str, &str); 3] = [("on", "On"), ("shadow", "Shadow"), ("off", "Off")];

fn mode(raw: &Raw, scope: &Scope) -> syn::Result<Mode> {
    let expr = raw.expr("`on`, `shadow` or `off`")?;
    let Some(word) = ident_of(expr).filter(|word| !word.to_string().contains(char::is_uppercase)) else {
        if let Expr::Lit(_) = expr {
            return err(expr, format!("`{}` is no mode: write `on`, `shadow` or `off`", code(expr)));
        }
        scope.allows(expr)?;
        return Ok(Mode::Expression(expr.clone()));
    };
    let name = word.to_string();
    if let Some((_, variant)) = MODES.iter().find(|(keyword, _)| *keyword == name) {
        return Ok(Mode::Named(variant));
    }
    let meant = closest(&name, &MODES.map(|(keyword, _)| keyword)).unwrap_or("shadow");
    err(word, format!("unknown mode `{name}`, which is `on`, `shadow` or `off`: write for example `mode = {meant}`"))
}
