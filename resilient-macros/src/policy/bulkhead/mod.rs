//! How many run at once, who waits and in which order, and which of several bulkheads it is.

mod adaptive;
mod order;

use super::{
    Context, Instance, Keys, Parsed, Policy,
    config::{Builder, Limits},
    keys::{key, own_keys},
    name,
    shared::{instance, named},
    wait::wait,
};
use crate::args::{Alone, Args, Given, Raw, Scope, Slot, Spec, count, ident_of, names_constant};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

pub(super) const SPEC: Spec = Spec {
    attribute: "bulkhead",
    keys: &[
        ("adaptive", "10..=200"),
        ("wait", "100ms"),
        ("queue", "50"),
        ("order", "priority"),
        ("priority", "request.priority()"),
        ("mode", "shadow"),
        ("key", "self.host"),
        ("key_label", "self.host"),
        ("max_keys", "10_000"),
        ("idle", "10min"),
        ("name", "\"database\""),
        ("policy", "DATABASE"),
    ],
    flags: &["wait"],
    later: &[],
    alone: Some(Alone { what: "the number of calls", example: "10", fits: is_number, replaced_by: &[] }),
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
    let may_have_key = args.has("key");
    let mut keys = key(&mut args, cx);
    let may_have_class = args.has("priority");
    let class = args.take("priority", cx.diag, order::class);
    let instance = if let Some(shared) = shared {
        instance(shared, args, cx)
    } else {
        let given = PerCall { may_have_key, may_have_class, class: class.as_ref() };
        owned(args, keys.as_mut(), &given, cx)?
    };
    let (class, keys) = (class.map(|slot| slot.value), keys.map(Box::new));
    Some(Parsed::new(Policy::Bulkhead { instance, class, keys }, name))
}

fn is_number(raw: &Raw) -> bool {
    count(raw, &Scope::default()).is_ok_and(|max| max.literal.is_some() || names_constant(&max.written))
}

/// What was written for each call, whoever owns the instance.
struct PerCall<'a> {
    may_have_key: bool,
    may_have_class: bool,
    class: Option<&'a Slot<Expr>>,
}

fn owned(mut args: Args, keys: Option<&mut Keys>, given: &PerCall<'_>, cx: &mut Context) -> Option<Instance> {
    let scope = cx.scope;
    let may_wait = args.has("wait");
    let waits = wait(&mut args, cx);
    let queue = args.take("queue", cx.diag, |raw| queue(raw, scope));
    check_queue(queue.as_ref(), may_wait, cx);
    let may_have_order = args.has("order");
    let order = args.take("order", cx.diag, |raw| order::order(raw, scope));
    order::check(order.as_ref(), may_have_order, may_wait, given, cx);

    let mut build = Builder::new(cx);
    build.size(&mut args, cx)?;
    build.wait(waits);
    match queue.map(|slot| slot.value) {
        Some(Queue::Unbounded) => build.set("queue_unbounded", &TokenStream::new()),
        Some(Queue::UpTo(calls)) => {
            let value = build.count("queue", &calls);
            build.set("queue", &value);
        }
        None => {}
    }
    build.order(order.map(|slot| slot.value), cx);
    build.mode(&mut args, cx);
    own_keys(&mut args, given.may_have_key, keys, &mut build, cx);
    Some(build.finish())
}

impl Builder {
    /// How many run at once: a number, or the range in which it is found.
    fn size(&mut self, args: &mut Args, cx: &mut Context) -> Option<()> {
        let scope = cx.scope;
        if args.has("adaptive") && !args.unreadable {
            let range = args.take("adaptive", cx.diag, |raw| adaptive::range(raw, scope));
            if let Some(number) = args.positional.first() {
                cx.diag.error(number, "the range of `adaptive` stands in place of the number: keep one of them");
            }
            self.adaptive(&range?.value, cx);
            return Some(());
        }
        let raw = args.one("how many calls may run at once", "10", &SPEC, cx.span, cx.diag)?;
        let max = cx.diag.ok(count(raw, scope))?;
        MAX.check(&max, cx);
        let value = match max.literal {
            Some(_) => self.count("max", &max),
            None => self.value("max", &quote!(::core::primitive::u32), &max.written),
        };
        self.start(&quote!(BulkheadConfig::new(#value)));
        Some(())
    }
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
