use super::{
    Context, Instance, Parsed, Policy,
    config::{Builder, Limits, YEAR},
    name,
    shared::{instance, named},
};
use crate::args::{Alone, Args, Raw, Scope, Spec, duration, names_constant};
use quote::quote;

pub(super) const SPEC: Spec = Spec {
    attribute: "timeout",
    keys: &[("name", "\"total\""), ("policy", "TOTAL")],
    flags: &[],
    later: &["deadline", "mode"],
    alone: Some(Alone { what: "the time", example: "2s", fits: is_time, replaced_by: &["deadline"] }),
};

const TIMEOUT: Limits<u64> =
    Limits { range: 1..=YEAR, text: "which is above `0s` and up to `366d`", example: "#[timeout(2s)]" };

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Option<Parsed> {
    let shared = named(&mut args, cx);
    let name = args.take("name", cx.diag, name);
    let (instance, timeout) = match shared {
        Some(shared) => (instance(shared, args, cx), None),
        None => owned(&args, cx)?,
    };
    Some(Parsed { timeout, ..Parsed::new(Policy::Timeout { instance }, name) })
}

fn is_time(raw: &Raw) -> bool {
    duration(raw, &Scope::default()).is_ok_and(|time| time.literal.is_some() || names_constant(&time.written))
}

fn owned(args: &Args, cx: &mut Context) -> Option<(Instance, Option<u64>)> {
    let raw = args.one("a duration", "2s", &SPEC, cx.span, cx.diag)?;
    let time = cx.diag.ok(duration(raw, cx.scope))?;
    TIMEOUT.check(&time, cx);
    let krate = cx.krate;
    let mut build = Builder::new(cx);
    let value = match time.literal {
        Some(nanos) => build.nanos(nanos),
        None => build.value("timeout", &quote!(#krate::__private::Duration), &time.written),
    };
    build.start(&quote!(TimeoutConfig::new(#value)));
    Some((build.finish(), time.literal))
}
