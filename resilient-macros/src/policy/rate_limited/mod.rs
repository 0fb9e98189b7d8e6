//! How many calls pass in which time.

mod ask;
mod quota;

pub(crate) use self::ask::Ask;

use super::{
    Context, Instance, Keys, Parsed, Policy,
    config::{Builder, Limits},
    keys::{key, own_keys},
    name,
    shared::{self, instance},
    wait::wait,
};
use crate::{
    args::{Alone, Args, Given, RateArg, Raw, Scope, Slot, Spec, count, names_constant, rate, ratio},
    diag::{closest, code, err},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::ops::RangeInclusive;
use syn::Expr;

pub(super) const SPEC: Spec = Spec {
    attribute: "rate_limited",
    keys: &[
        ("burst", "200"),
        ("initial", "0"),
        ("wait", "500ms"),
        ("algorithm", "sliding_window"),
        ("cost", "items.len()"),
        ("charge", "Answer::tokens"),
        ("priority", "request.priority"),
        ("reserve", "10%"),
        ("delay_hint", "ApiError::retry_after"),
        ("adaptive", ""),
        ("shards", "8"),
        ("mode", "shadow"),
        ("key", "self.host"),
        ("key_label", "self.host"),
        ("max_keys", "10_000"),
        ("idle", "10min"),
        ("rate", "self.plan.rate()"),
        ("name", "\"vendor\""),
        ("policy", "VENDOR"),
    ],
    flags: &["wait", "adaptive"],
    later: &["store", "accuracy", "on_store_loss"],
    alone: Some(Alone { what: "the rate", example: "100/s", fits: is_rate, replaced_by: &["rate"] }),
};

const BURST: Limits<u32> = Limits { range: 1..=u32::MAX, text: "which begins at `1`", example: "burst = 200" };
const SHARDS: Limits<u32> = Limits { range: 2..=64, text: "which is `2` to `64`", example: "shards = 8" };
/// In billionths.
const RESERVE: RangeInclusive<u32> = 1..=999_999_999;

const ALGORITHMS: [(&str, &str); 3] =
    [("token_bucket", "TokenBucket"), ("sliding_window", "SlidingWindow"), ("fixed_window", "FixedWindow")];

/// All that a table of buckets by key can have.
const PLAIN: [&str; 5] = ["key", "max_keys", "burst", "cost", "name"];

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Option<Parsed> {
    let shared = shared::named(&mut args, cx);
    // What needs a limiter for each key.
    let is_table = shared.is_none() && !args.has_any(&PLAIN);
    let name = args.take("name", cx.diag, name);
    let may_have_key = args.has("key");
    let mut keys = key(&mut args, cx);
    let (mut ask, cost) = Ask::take(&mut args, cx);
    let instance = match shared {
        Some(shared) => instance(shared, args, cx),
        None => owned(args, may_have_key, keys.as_mut(), (&mut ask, cost.as_ref()), cx)?,
    };
    if let Some(keys) = &mut keys {
        keys.is_table = is_table;
    }
    Some(Parsed::new(Policy::RateLimited { instance, ask: Box::new(ask), keys: keys.map(Box::new) }, name))
}

fn is_rate(raw: &Raw) -> bool {
    match rate(raw, &Scope::default()) {
        Ok(RateArg::Written { .. }) => true,
        Ok(RateArg::Expression(expr)) => names_constant(&expr),
        Err(_) => false,
    }
}

fn owned(
    mut args: Args,
    may_have_key: bool,
    mut keys: Option<&mut Keys>,
    (ask, cost): (&mut Ask, Option<&Slot<Expr>>),
    cx: &mut Context,
) -> Option<Instance> {
    let scope = cx.scope;
    let had_own = args.has("rate");
    let own_rate = quota::own_rate(&mut args, may_have_key, cx);
    let rates = quota::rates(&args, had_own, own_rate.as_ref(), cx);
    let burst = args.take("burst", cx.diag, |raw| count(raw, scope));
    let initial = args.take("initial", cx.diag, |raw| count(raw, scope));
    BURST.check_slot(burst.as_ref(), cx);
    let size = match (&burst, rates.as_ref().and_then(|rates| rates.first())) {
        (Some(burst), _) => burst.value.literal,
        (None, Some(RateArg::Written { limit, .. })) => limit.literal,
        (None, _) => None,
    };
    quota::check_size(size.filter(|size| *size > 0), initial.as_ref(), cost, cx);

    let mut build = Builder::new(cx);
    let waits = wait(&mut args, cx);
    let algorithm = args.take("algorithm", cx.diag, algorithm);
    if let (Some(burst), Some(algorithm)) = (&burst, &algorithm) {
        if algorithm.value != "TokenBucket" {
            cx.diag.error(
                &burst.key,
                "a `burst` belongs to the token bucket: in a window, the limit of the rate is all there is",
            );
        }
    }
    let reserve = args.take("reserve", cx.diag, |raw| ratio(raw, scope));
    if let Some(slot) = &reserve {
        if slot.value.literal.is_some_and(|share| !RESERVE.contains(&share)) {
            cx.diag.error(
                &slot.value.written,
                "a `reserve` lies between `0%` and `100%`, and leaves something for the other calls: write for example \
                 `reserve = 10%`",
            );
        }
    }
    if let (Some(reserve), None) = (&reserve, &ask.priority) {
        cx.diag
            .error(&reserve.key, "a `reserve` is for urgent calls: say which are, as in `priority = request.priority`");
    }
    let shards = args.take("shards", cx.diag, |raw| count(raw, scope));
    SHARDS.check_slot(shards.as_ref(), cx);
    if let (Some(shards), Some(of)) = (&shards, size) {
        if shards.value.literal.is_some_and(|shards| SHARDS.range.contains(&shards) && of < 32 * shards) {
            cx.diag.error(
                &shards.value.written,
                "`shards` need a larger bucket, of at least 32 tokens for each: write a larger `burst`, or leave `shards` out",
            );
        }
    }
    let adaptive = args.flag("adaptive", cx.diag);
    ask.measured = adaptive.is_some();
    let is_own = own_rate.is_some();
    if let (Some(keys), Some(rate)) = (keys.as_deref_mut(), own_rate) {
        keys.rate = Some(rate);
    }

    let mut tokens = Vec::new();
    for (index, rate) in rates?.iter().enumerate() {
        tokens.push(quota::tokens(rate, index, &mut build, cx));
    }
    let mut tokens = tokens.into_iter();
    match tokens.next() {
        Some(first) => build.start(&quote!(RateLimiterConfig::new(#first))),
        None if is_own => build.start(&quote!(RateLimiterConfig::per_key())),
        None => return None,
    }
    for rate in tokens {
        build.set("and", &rate);
    }
    if let Some(burst) = burst {
        let value = build.count("burst", &burst.value);
        build.set("burst", &value);
    }
    if let Some(initial) = initial {
        let value = build.count("initial", &initial.value);
        build.set("initial", &value);
    }
    build.wait(waits);
    if let Some(algorithm) = algorithm {
        let (krate, variant) = (cx.krate, format_ident!("{}", algorithm.value));
        build.set("algorithm", &quote!(#krate::Algorithm::#variant));
    }
    if let Some(reserve) = reserve {
        let value = build.ratio("reserve", &reserve.value);
        build.set("reserve", &value);
    }
    if let Some(shards) = shards {
        let value = build.count("shards", &shards.value);
        build.set("shards", &value);
    }
    if adaptive.is_some() {
        build.set("adaptive", &TokenStream::new());
    }
    build.mode(&mut args, cx);
    own_keys(&mut args, may_have_key, keys, &mut build, cx);
    Some(build.finish())
}

/// The variant.
fn algorithm(raw: &Raw) -> syn::Result<&'static str> {
    let expr = raw.expr("`token_bucket`, `sliding_window` or `fixed_window`")?;
    let name = code(expr);
    if let Some((_, variant)) = ALGORITHMS.iter().find(|(word, _)| *word == name) {
        return Ok(variant);
    }
    let known = ALGORITHMS.map(|(word, _)| word);
    let meant = closest(&name, &known).unwrap_or("sliding_window");
    err(
        expr,
        format!(
            "unknown algorithm `{name}`, which is `token_bucket`, `sliding_window` or `fixed_window`: \
             write for example `algorithm = {meant}`"
        ),
    )
}
