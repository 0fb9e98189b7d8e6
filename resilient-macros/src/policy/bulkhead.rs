use super::{
    Context, Instance, Parsed, Policy,
    config::{Builder, Limits},
    name,
    shared::{instance, named},
    wait::wait,
};
use crate::args::{Alone, Args, Given, Raw, Scope, Slot, Spec, count, ident_of, names_constant};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) const SPEC: Spec = Spec {
    attribute: "bulkhead",
    keys: &[("wait", "100ms"), ("queue", "50"), ("name", "\"database\""), ("policy", "DATABASE")],
    flags: &["wait"],
    later: &["order", "key", "key_label", "max_keys", "idle", "adaptive", "priority", "mode"],
    alone: Some(Alone { what: "the number of calls", example: "10", fits: is_number, replaced_by: &["adaptive"] }),
};

const MAX: Limits<u32> =
    Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "#[bulkhead(10)]" };
const QUEUE: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "queue = 50" };

/// How many calls may wait.
enum Queue {
    Unbounded,
    UpTo(Given<u32>),
}

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Option<Parsed> {
    let shared = named(&mut args, cx);
    let name = args.take("name", cx.diag, name);
    let instance = match shared {
        Some(shared) => instance(shared, args, cx),
        None => owned(args, cx)?,
    };
    Some(Parsed::new(Policy::Bulkhead { instance }, name))
}

fn is_number(raw: &Raw) -> bool {
    count(raw, &Scope::default()).is_ok_and(|max| max.literal.is_some() || names_constant(&max.written))
}

fn owned(mut args: Args, cx: &mut Context) -> Option<Instance> {
    let scope = cx.scope;
    let may_wait = args.has("wait");
    let waits = wait(&mut args, cx);
    let queue = args.take("queue", cx.diag, |raw| queue(raw, scope));
    check_queue(queue.as_ref(), may_wait, cx);

    let raw = args.one("how many calls may run at once", "10", &SPEC, cx.span, cx.diag)?;
    let max = cx.diag.ok(count(raw, scope))?;
    MAX.check(&max, cx);
    let mut build = Builder::new(cx);
    let value = match max.literal {
        Some(_) => build.count("max", &max),
        None => build.value("max", &quote!(::core::primitive::u32), &max.written),
    };
    build.start(&quote!(BulkheadConfig::new(#value)));
    build.wait(waits);
    match queue.map(|slot| slot.value) {
        Some(Queue::Unbounded) => build.set("queue_unbounded", &TokenStream::new()),
        Some(Queue::UpTo(calls)) => {
            let value = build.count("queue", &calls);
            build.set("queue", &value);
        }
        None => {}
    }
    Some(build.finish())
}

fn queue(raw: &Raw, scope: &Scope) -> syn::Result<Queue> {
    match raw {
        Raw::Value(expr) if ident_of(expr).is_some_and(|word| word == "unbounded") => Ok(Queue::Unbounded),
        raw => count(raw, scope).map(Queue::UpTo),
    }
}

fn check_queue(queue: Option<&Slot<Queue>>, may_wait: bool, cx: &mut Context) {
    let Some(slot) = queue else { return };
    if !may_wait {
        cx.diag.error(&slot.key, "nobody queues without `wait`: write for example `wait = 100ms` beside `queue`");
    }
    if let Queue::UpTo(calls) = &slot.value {
        if calls.literal == Some(0) {
            cx.diag.error(
                &calls.written,
                "a queue of 0 lets nobody wait: leave `wait` and `queue` out, or write for example `queue = 50`",
            );
        } else {
            QUEUE.check(calls, cx);
        }
    }
}
