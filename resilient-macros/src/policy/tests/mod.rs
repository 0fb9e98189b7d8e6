mod bulkhead;
mod circuit_breaker;

use super::*;
use quote::quote;

struct Read {
    parsed: Option<Parsed>,
    errors: Vec<String>,
}

fn read(kind: Kind, args: &str) -> Read {
    let scope = Scope::new(&syn::parse_str("async fn f<T>(items: Vec<u8>)").unwrap());
    let mut diag = Diagnostics::default();
    let krate = quote!(::r);
    let span = Span::call_site();
    let mut cx = Context { krate: &krate, scope: &scope, diag: &mut diag, layer: 4, span };
    let parsed = parse(kind, &args.parse().unwrap(), &mut cx);
    Read { parsed, errors: diag.texts() }
}

fn instance(kind: Kind, args: &str) -> Instance {
    let Read { parsed, errors } = read(kind, args);
    assert_eq!(errors, [""; 0], "{args}");
    match parsed.unwrap().policy {
        Policy::CircuitBreaker { instance, .. }
        | Policy::RateLimited { instance, .. }
        | Policy::Retry { instance, .. }
        | Policy::Timeout { instance }
        | Policy::Bulkhead { instance, .. } => instance,
        Policy::Fallback { .. } => panic!("no instance"),
    }
}

/// The config, with `::r::` and the door to durations taken out for reading.
fn config(kind: Kind, args: &str) -> String {
    let Instance::Owned(config) = instance(kind, args) else { panic!("{args} is shared") };
    let text = config.config.to_string().replace(' ', "");
    text.replace("::r::__private::Duration::from_nanos", "ns").replace("::r::", "").replace("u64", "")
}

fn checks(kind: Kind, args: &str) -> String {
    let Instance::Owned(config) = instance(kind, args) else { panic!("{args} is shared") };
    config.checks.to_string().replace(' ', "")
}

fn refuses(kind: Kind, cases: &[(&str, &str)]) {
    for (args, expected) in cases {
        assert_eq!(read(kind, args).errors, [*expected], "{args}");
    }
}

#[test]
fn const_arguments_are_evaluated_in_one_item_each() {
    assert_eq!(
        config(Kind::CircuitBreaker, "failures = N"),
        "CircuitBreakerConfig::new().failures(__RESILIENT_FAILURES_4)"
    );
    assert_eq!(
        checks(Kind::CircuitBreaker, "failures = N"),
        "const__RESILIENT_FAILURES_4:::core::primitive::u32={letvalue:::core::primitive::u32=N;\
         ::r::__private::check::failures(value);value};"
    );
    assert_eq!(config(Kind::CircuitBreaker, "window = W, min_calls = 2"), "__RESILIENT_WINDOW_4.min_calls(2u32)");
    assert_eq!(
        config(Kind::CircuitBreaker, "open_for = 1s..=LONG, mode = MODE, shed = K"),
        "CircuitBreakerConfig::new().shed(__RESILIENT_SHED_4)\
         .open_for_range(__RESILIENT_OPEN_FOR_RANGE_4[0]..=__RESILIENT_OPEN_FOR_RANGE_4[1]).mode(__RESILIENT_MODE_4)"
    );
    assert!(
        checks(Kind::CircuitBreaker, "open_for = 1s..=LONG").contains("Duration::from_nanos(1000000000u64),LONG];")
    );
    assert!(checks(Kind::CircuitBreaker, "key = x, max_keys = MANY").contains("=MANY;"));
    assert_eq!(config(Kind::RateLimited, "RATE"), "RateLimiterConfig::new(__RESILIENT_RATE_4)");
    assert!(checks(Kind::RateLimited, "LIMIT/s").contains("::r::Rate=::r::Rate::new(LIMIT,::r::__private::Duration"));
    assert_eq!(
        config(Kind::Retry, "backoff = A..=B"),
        "RetryConfig::new().backoff(Backoff::exponential(__RESILIENT_BACKOFF_4,__RESILIENT_BACKOFF_4_MAX))"
    );
    assert_eq!(config(Kind::Retry, "backoff = GENTLE"), "RetryConfig::new().backoff(__RESILIENT_BACKOFF_4)");
    assert!(checks(Kind::Retry, "backoff = GENTLE").contains("=::r::__private::DurationOrBackoff(GENTLE).backoff();"));
    assert!(checks(Kind::Retry, "jitter = SHARE").contains("::r::Jitter=::r::Jitter::Proportional(SHARE);"));
    assert_eq!(config(Kind::Timeout, "Timeout::FAST"), "TimeoutConfig::new(__RESILIENT_TIMEOUT_4)");
}

#[test]
fn shared_instances() {
    for args in ["policy = self.breaker", "PAYMENTS", "a::b", "Self::BREAKER", "PAYMENTS, when = f, name = \"x\""] {
        assert!(matches!(instance(Kind::CircuitBreaker, args), Instance::Shared(_)), "{args}");
    }
    assert!(matches!(instance(Kind::Timeout, "policy = T"), Instance::Shared(_)));
    assert!(matches!(instance(Kind::RateLimited, "policy = T, cost = items.len()"), Instance::Shared(_)));
    refuses(
        Kind::Retry,
        &[
            ("READS, attempts = 3", "`attempts` belongs to the shared policy: set it where `READS` is made"),
            ("policy = READS, WRITES", "a second policy: keep one of `READS` and `WRITES`"),
            ("self.retry", "`self.retry` is no path: a shared policy that is none is written `policy = self.retry`"),
            (
                "policy = 3",
                "`3` is no policy: write the path of one, as in `policy = PAYMENTS` or `policy = self.breaker`",
            ),
        ],
    );
    refuses(Kind::Timeout, &[("2s, policy = T", "`2s` belongs to the shared policy: set it where `T` is made")]);
}

#[test]
fn rate_limiters() {
    let config = |args: &str| config(Kind::RateLimited, args);
    assert_eq!(config("100/s"), "RateLimiterConfig::new(Rate::new(100u32,ns(1000000000)))");
    assert_eq!(
        config("10/250ms, burst = 20, initial = 0, wait = 500ms, cost = items.len()"),
        "RateLimiterConfig::new(Rate::new(10u32,ns(250000000))).burst(20u32).initial(0u32).wait(ns(500000000))"
    );
    assert_eq!(config("1/s, wait"), "RateLimiterConfig::new(Rate::new(1u32,ns(1000000000))).wait_unbounded()");
    assert_eq!(
        config("10/s, 1000/d"),
        "RateLimiterConfig::new(Rate::new(10u32,ns(1000000000))).and(Rate::new(1000u32,ns(86400000000000)))"
    );
    assert_eq!(
        config("10/s, algorithm = sliding_window, priority = p, reserve = 10%, adaptive, mode = shadow"),
        "RateLimiterConfig::new(Rate::new(10u32,ns(1000000000))).algorithm(Algorithm::SlidingWindow)\
         .reserve(Ratio::from_ppb(100000000u32)).adaptive().mode(Mode::Shadow)"
    );
    assert_eq!(config("key = k, rate = plan.rate, burst = 9"), "RateLimiterConfig::per_key().burst(9u32)");
    assert!(matches!(
        instance(Kind::RateLimited, "policy = T, key = k, priority = p, charge = f"),
        Instance::Shared(_)
    ));
    refuses(
        Kind::RateLimited,
        &[
            ("", "`#[rate_limited]` needs a rate: write for example `#[rate_limited(100/s)]`"),
            ("burst = 5", "`#[rate_limited]` needs a rate: write for example `#[rate_limited(100/s)]`"),
            ("0/s", "`0/s` is out of range, which begins at `1`: write for example `100/s`"),
            ("1/10ns", "`1/10ns` is out of range, whose period is `1us` to `366d`: write for example `100/s`"),
            ("2_000/us", "`2_000/us` is more than one call per nanosecond: write a lower rate, as in `100/s`"),
            ("100/s, burst = 0", "`0` is out of range, which begins at `1`: write for example `burst = 200`"),
            ("100/s, initial = 101", "the bucket holds 100: write `initial = 100` or less, or a larger `burst`"),
            ("100/s, cost = 0", "a cost of 0 is never refused: leave `cost` out for 1, or write what a call costs"),
            (
                "100/s, burst = 5, cost = 6",
                "the bucket holds 5, so this would never be admitted: write `cost = 5` or less, or a larger `burst`",
            ),
            (
                "100/s, wait = 0s",
                "a wait of nothing refuses at once: leave `wait` out, or write for example `wait = 500ms`",
            ),
            ("rate = 3/s", "the rate stands alone: write `#[rate_limited(3/s)]`"),
            ("limit = 3/s, burst = 9", "the rate stands alone: write `#[rate_limited(3/s, ..)]`"),
            ("rate = Api::RATE", "the rate stands alone: write `#[rate_limited(Api::RATE)]`"),
            ("3/s, rate = 4/s", "the rate stands alone: write `#[rate_limited(4/s)]`"),
            (
                "rate = self.plan.rate()",
                "`rate` is the rate of one key, and needs a `key`: write for example `key = tenant.id`, or a rate alone, \
                 as in `#[rate_limited(100/s)]`",
            ),
            ("3/s, key = k, rate = plan.rate", "a second rate: keep one of `3/s` and `rate = plan.rate`"),
            ("1/s, 2/s, 3/s, 4/s, 5/s", "one attribute has at most 4 quotas: write a second `#[rate_limited(..)]`"),
            ("1/s, 0/min", "`0/min` is out of range, which begins at `1`: write for example `100/s`"),
            (
                "10/s, algorithm = slidng_window",
                "unknown algorithm `slidng_window`, which is `token_bucket`, `sliding_window` or `fixed_window`: \
                 write for example `algorithm = sliding_window`",
            ),
            (
                "10/s, burst = 20, algorithm = fixed_window",
                "a `burst` belongs to the token bucket: in a window, the limit of the rate is all there is",
            ),
            (
                "10/s, reserve = 10%",
                "a `reserve` is for urgent calls: say which are, as in `priority = request.priority`",
            ),
            (
                "10/s, priority = p, reserve = 0%",
                "a `reserve` lies between `0%` and `100%`, and leaves something for the other calls: write for example \
                 `reserve = 10%`",
            ),
            (
                "10/s, priority = 3",
                "`3` is no priority: write a `Priority` over the arguments of the fn, such as `request.priority`",
            ),
            ("10/s, charge = 3", "`3` is no fn: write a path or a closure, as in `charge = |answer| answer.tokens`"),
            (
                "10/s, delay_hint = |a, b| a",
                "`delay_hint` is given the error and nothing else: write `delay_hint = |error| error.retry_after()`",
            ),
            ("10/s, shards = 1", "`1` is out of range, which is `2` to `64`: write for example `shards = 8`"),
            (
                "10/s, shards = 8",
                "`shards` need a larger bucket, of at least 32 tokens for each: write a larger `burst`, or leave `shards` out",
            ),
            ("10/s, adaptive = 3", "`adaptive` is a flag: write `adaptive` alone, or leave it out"),
            ("10/s, max_keys = 3", "`max_keys` needs a `key` to tell calls apart: write for example `key = self.host`"),
        ],
    );
}

#[test]
fn retries() {
    let config = |args: &str| config(Kind::Retry, args);
    assert_eq!(
        config("attempts = 3, backoff = 100ms..=2s, factor = 3, jitter = 10%, max_duration = 30s"),
        "RetryConfig::new().attempts(3u32).backoff(Backoff::exponential(ns(100000000),ns(2000000000)).factor(3f64))\
         .jitter(Jitter::Proportional(Ratio::from_ppb(100000000u32))).max_duration(ns(30000000000))"
    );
    assert_eq!(config("backoff = 0s"), "RetryConfig::new().backoff(Backoff::constant(ns(0)))");
    for (keyword, variant) in [("full", "Full"), ("equal", "Equal"), ("decorrelated", "Decorrelated"), ("none", "None")]
    {
        assert_eq!(config(&format!("jitter = {keyword}")), format!("RetryConfig::new().jitter(Jitter::{variant})"));
    }
    let attempts = "`attempts` counts every run of the body, the first too, so";
    refuses(
        Kind::Retry,
        &[
            ("attempts = 1", &format!("{attempts} 1 makes no retry: write `attempts = 2` or more")),
            ("attempts = 0", &format!("{attempts} 0 never runs it: write `attempts = 2` or more")),
            ("3", "`#[retry]` takes no value without a name: write `attempts = 3`"),
            ("100ms..=1s", "`#[retry]` takes no value without a name: write `backoff = 100ms..=1s`"),
            ("backoff = 2s..=1s", "the range is upside down: write `1s..=2s`"),
            ("backoff = 0s..=1s", "a pause of nothing never grows: write for example `1ms..=1s`"),
            ("backoff = 1s, factor = 2", "`factor` needs a range to grow in: write for example `backoff = 1s..=20s`"),
            ("factor = 2", "`factor` needs a range to grow in: write for example `backoff = 50ms..=20s`"),
            (
                "backoff = 1s..=9s, factor = 1",
                "`1` is out of range, which is above `1` and up to `1000`: write for example `factor = 2`",
            ),
            ("backoff = 5, factor = 2", "`5` has no unit: write `5s` (or `5ms`, `5min`)"),
            (
                "jitter = ful",
                "unknown jitter `ful`, which is `full`, `equal`, `decorrelated` and `none` or a share such as `10%`: write `jitter = full`",
            ),
            ("jitter = 10", "`10` has no unit: write `10%`"),
            (
                "jitter = true",
                "`true` is no jitter: write `full`, `equal`, `decorrelated`, `none`, or a share such as `10%`",
            ),
            (
                "jitter = \"some\"",
                "`\"some\"` is no jitter: write `full`, `equal`, `decorrelated`, `none`, or a share such as `10%`",
            ),
            ("jitter = \"full\"", "a jitter is no string: write `full` without quotes"),
            ("jitter = \"10%\"", "a jitter is no string: write `10%` without quotes"),
            ("attemps = 3", &read(Kind::Retry, "attemps = 3").errors[0]),
        ],
    );
}

#[test]
fn timeouts() {
    assert_eq!(config(Kind::Timeout, "2s"), "TimeoutConfig::new(ns(2000000000))");
    refuses(
        Kind::Timeout,
        &[
            ("", "`#[timeout]` needs a duration: write for example `#[timeout(2s)]`"),
            ("2", "`2` has no unit: write `2s` (or `2ms`, `2min`)"),
            ("0s", "`0s` is out of range, which is above `0s` and up to `366d`: write for example `#[timeout(2s)]`"),
            ("1s, 2s", "one value too many: write `#[timeout(2s)]`"),
            ("after = 3s", "the time stands alone: write `#[timeout(3s)]`"),
            ("deadline = 3s", "the time stands alone: write `#[timeout(3s)]`"),
            ("after = LIMIT, name = \"x\"", "the time stands alone: write `#[timeout(LIMIT, ..)]`"),
            ("deadline = at", "`deadline` is not available yet in this version: write `#[timeout(2s)]`"),
            ("deadline = self.at", "`deadline` is not available yet in this version: write `#[timeout(2s)]`"),
            ("2s, after = 3s", "unknown argument `after`: `#[timeout]` takes `name` and `policy`"),
            ("policy = T, after = 3s", "unknown argument `after`: `#[timeout]` takes `name` and `policy`"),
        ],
    );
}

#[test]
fn fallbacks() {
    let read_links = |args| match read(Kind::Fallback, args).parsed.unwrap().policy {
        Policy::Fallback { links, .. } => links,
        _ => panic!("{args}"),
    };
    let links = read_links("Self::replica, |e| cached(sku, e), f::<T>, || x, async move |_| y, when = w");
    let closures = links.iter().map(|link| matches!(link, Link::Closure(_))).collect::<Vec<_>>();
    assert_eq!(closures, [false, true, false, true, true]);
    refuses(
        Kind::Fallback,
        &[
            (
                "",
                "`#[fallback]` needs something to fall back to: write for example `#[fallback(|_| Ok(0))]` or `#[fallback(Self::cached)]`",
            ),
            ("Ok(5)", "a fallback is a path or a closure: write `|_| Ok(5)`"),
            ("5", "a fallback is a path or a closure: write `|_| 5`"),
            ("self.cached", "a method is given by its path: write `Self::cached`"),
            ("__self.cached", "a method is given by its path: write `Self::cached`"),
            ("__self.cached()", "a fallback is a path or a closure: write `|_| self.cached()`"),
            ("\"cached\"", "a fallback is no string: write `cached` without quotes, or `|_| \"cached\"`"),
            ("\"not cached\"", "a fallback is a path or a closure: write `|_| \"not cached\"`"),
            ("with = cached", "what to fall back to stands alone: write `#[fallback(cached)]`"),
            ("with = |_| 5", "what to fall back to stands alone: write `#[fallback(|_|5)]`"),
            ("wen = cached, |_| 5", &read(Kind::Fallback, "wen = cached, |_| 5").errors[0]),
            (
                "|a, b| c",
                "a fallback closure takes nothing or the error, and sees the fn's arguments by their names: write `|error| ..`",
            ),
        ],
    );
}

#[test]
fn the_site() {
    let read = |args: &str| {
        let mut diag = Diagnostics::default();
        let site = site(&args.parse().unwrap(), &["a_check", "b_check"], &mut diag);
        (site, diag.texts())
    };
    let (args, errors) = read("name = \"prices\", rejected = E::refused, crate = ::x, allow(a_check, b_check)");
    assert_eq!(errors, [""; 0]);
    assert_eq!((args.name.unwrap().value(), args.rejected.is_some()), ("prices".to_owned(), true));
    assert_eq!(args.allowed, ["a_check", "b_check"]);
    for (args, expected) in [
        ("allow(c_check)", "unknown check `c_check`, there are `a_check` and `b_check`: write `allow(a_check)`"),
        ("allow", "`allow` names checks, there are `a_check` and `b_check`: write `allow(..)`"),
        ("crate = x", "`x` is not absolute, and would mean something else in every module: write `crate = ::x`"),
        (
            "crate = self::x",
            "`self::x` is not absolute, and would mean something else in every module: write `crate = crate::reexports::resilient`",
        ),
        ("crate = \"x\"", "the crate is no string or value: write a path, as in `crate = ::x`"),
        ("rejected = 5", "`5` maps no error: write a path or a closure, as in `rejected = MyError::refused`"),
        (
            "nam = \"x\"",
            "unknown argument `nam`, did you mean `name`? `#[resilient]` takes `name`, `rejected` and `crate`",
        ),
        ("preset = network", "`preset` is not available yet in this version: leave it out"),
        ("STACK", "`STACK`: a stack by name is not available yet in this version: write its attributes one by one"),
    ] {
        assert_eq!(read(args).1, [expected], "{args}");
    }
}
