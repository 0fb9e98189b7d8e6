use super::*;

#[test]
fn circuit_breakers() {
    let config = |args: &str| config(Kind::CircuitBreaker, args);
    assert_eq!(config(""), "CircuitBreakerConfig::new()");
    assert_eq!(
        config(
            "failure_rate = 50%, window = 100, min_calls = 20, open_for = 30s, probes = 3, successes = 2, probe_timeout = 1.5s"
        ),
        "CircuitBreakerConfig::new().window_calls(100u32).min_calls(20u32).failure_rate(Ratio::from_ppb(500000000u32))\
         .open_for(ns(30000000000)).probes(3u32).successes(2u32).probe_timeout(ns(1500000000))"
    );
    assert_eq!(
        config("slow_call = 2s, slow_rate = 80%, adaptive, shed = 2, open_for = 1s..=5min, ramp, mode = shadow"),
        "CircuitBreakerConfig::new().slow_call(ns(2000000000)).slow_rate(Ratio::from_ppb(800000000u32)).adaptive()\
         .shed(2f64).open_for_range(ns(1000000000)..=ns(300000000000)).ramp().mode(Mode::Shadow)"
    );
    assert_eq!(config("window = 30s"), "CircuitBreakerConfig::new().window_time(ns(30000000000))");
    assert_eq!(config("failures = 5"), "CircuitBreakerConfig::new().failures(5u32)");
}

#[test]
fn circuit_breakers_that_can_not_work() {
    let window = "belongs to a sliding window, and `failures` counts failures in a row without one: \
                  leave out `failures`, or";
    refuses(
        Kind::CircuitBreaker,
        &[
            ("failures = 5, window = 30s, min_calls = 2", &format!("`window` {window} `window` and `min_calls`")),
            ("failure_rate = 50%, failures = 5", &format!("`failure_rate` {window} `failure_rate`")),
            ("failures = 5, slow_rate = 50%, adaptive", &format!("`slow_rate` {window} `slow_rate` and `adaptive`")),
            ("failures = 5, shed = 2, window = 100", &format!("`window` {window} `window` and `shed`")),
            ("failures = 0", "`0` is out of range, which is `1` to `1_000_000`: write for example `failures = 5`"),
            (
                "failure_rate = 0%",
                "`0%` would open the circuit without any failure: write more, as in `failure_rate = 50%`",
            ),
            ("window = 99ms", "`99ms` is out of range, which is `100ms` to `366d`: write for example `window = 30s`"),
            ("window = 0", "`0` is out of range, which is `1` to `1_000_000`: write for example `window = 100`"),
            (
                "window = 10, min_calls = 11",
                "a window of 10 calls never holds 11, so the circuit would never open: write `min_calls = 10` or less",
            ),
            ("open_for = 400d", "`400d` is out of range, which is `1ms` to `366d`: write for example `open_for = 30s`"),
            ("open_for = 2s..=1s", "the range is upside down: write `1s..=2s`"),
            ("open_for = 1s..=1s", "a time that can not grow is no range: write `open_for = 1s`"),
            (
                "open_for = 1s..=400d",
                "`400d` is out of range, which is `1ms` to `366d`: write for example `open_for = 30s`",
            ),
            (
                "slow_rate = 80%",
                "`slow_rate` needs the time above which a call is slow: write for example `slow_call = 2s` beside it",
            ),
            (
                "slow_call = 2s, slow_rate = 0%",
                "`0%` would open the circuit without any slow call: write more, as in `slow_rate = 80%`",
            ),
            ("shed = 1", "`1` is out of range, which is `1.001` to `100`: write for example `shed = 2.0`"),
            ("shed = 100.1", "`100.1` is out of range, which is `1.001` to `100`: write for example `shed = 2.0`"),
            (
                "shed = 2.0, window = 100",
                "`shed` needs a window of time, for what it refuses is no result: write for example `window = 30s`",
            ),
            ("probes = 1001", "`1001` is out of range, which is `1` to `1000`: write for example `probes = 3`"),
            ("classify", "`classify` is not available yet in this version: leave it out"),
            ("5", "`#[circuit_breaker]` takes no value without a name: write `failures = 5`"),
            ("50%", "`#[circuit_breaker]` takes no value without a name: write `failure_rate = 50%`"),
            ("30s", "`#[circuit_breaker]` takes no value without a name: write `open_for = 30s`"),
            (
                "failure_if = f, when = g",
                "`failure_if` sees the whole output and replaces `when`, which sees the error: write one of them",
            ),
            (
                "when = |a, b| a",
                "`when` is given the error and nothing else: write `when = |error| error.is_transient()`",
            ),
            ("when = 5", "`5` is no predicate: write a path or a closure, as in `when = |error| error.is_transient()`"),
            ("name = payments", "a name is a string literal: write a name in quotes, as in `name = \"payments\"`"),
        ],
    );
}

#[test]
fn recoveries_that_can_not_work() {
    refuses(
        Kind::CircuitBreaker,
        &[
            ("ramp = false", "`ramp` is a flag: write `ramp` alone, or leave it out"),
            ("adaptive = ", "`adaptive` is a flag: write `adaptive` alone, or leave it out"),
            ("adaptive(0.5)", "`adaptive` is a flag: write `adaptive` alone, or leave it out"),
            ("ramp: true", "`ramp` is a flag: write `ramp` alone, or leave it out"),
            ("open_for = 30s..", "a range has both ends: write `30s..=5min`"),
            ("open_for = 30s..5min", "the longest time belongs to the range: write `30s..=5min`"),
            ("health_every = 5s", "`health_every` needs what to ask: write for example `health_check = ping`"),
            ("health_check = ping()", "a `health_check` is called when it is needed: write `health_check = ping`"),
            (
                "health_check = Self::ping",
                "this is called in the background, so `Self` can not be used in it: write the type's own path",
            ),
            (
                "health_check = ping::<T>",
                "this is called in the background, and `T` is a generic parameter: write the path of an `async fn`",
            ),
            (
                "health_check = || ping()",
                "`||ping()` is no health check: write the path of an `async fn`, as in `health_check = ping`",
            ),
            (
                "mode = shadw",
                "unknown mode `shadw`, which is `on`, `shadow` or `off`: write for example `mode = shadow`",
            ),
            ("mode = \"off\"", "a mode is no string: write `off` without quotes"),
            ("mode = false", "`false` is no mode: write `on`, `shadow` or `off`"),
        ],
    );
}

#[test]
fn keys_that_tell_nothing_apart() {
    refuses(
        Kind::CircuitBreaker,
        &[
            (
                "idle = 5s, max_keys = 5",
                "`max_keys` needs a `key` to tell calls apart: write for example `key = self.host`",
            ),
            (
                "key = 5",
                "`5` is the same for every call: write an expression over the arguments of the fn, such as `self.host` or `(tenant, region)`",
            ),
            (
                "key = host, key_label = \"host\"",
                "`\"host\"` is the same for every call: write an expression over the arguments of the fn, such as `self.host` or `(tenant, region)`",
            ),
            (
                "key = |host| host",
                "a closure is no `key`: write an expression over the arguments of the fn, such as `self.host` or `(tenant, region)`",
            ),
            (
                "key = host, max_keys = 0",
                "`0` is out of range, which is `1` to `100_000_000`: write for example `max_keys = 10_000`",
            ),
            (
                "policy = HOSTS, key = host, idle = 5s",
                "`idle` belongs to the shared policy: set it where `HOSTS` is made",
            ),
            (
                "policy = HOSTS, key = host, key_label = host",
                "`key_label` belongs to the shared policy: set it where `HOSTS` is made",
            ),
            (
                "HOSTS, key = host, health_check = ping",
                "`health_check` belongs to the shared policy: set it where `HOSTS` is made",
            ),
            ("policy = ONE, mode = off", "`mode` belongs to the shared policy: set it where `ONE` is made"),
            ("policy = ONE, max_keys = 5", "`max_keys` belongs to the shared policy: set it where `ONE` is made"),
            (
                "policy = HOSTS, slow_call = 5s",
                "`slow_call` belongs to the shared policy: set it where `HOSTS` is made",
            ),
        ],
    );
}

#[test]
fn keys() {
    let keys = |args: &str| match read(Kind::CircuitBreaker, args).parsed.unwrap().policy {
        Policy::CircuitBreaker { keys, .. } => keys.map(|keys| *keys),
        _ => None,
    };
    assert!(keys("failures = 5").is_none());
    let own = keys("key = self.host, key_label = name, health_check = ping, max_keys = 9, idle = LONG").unwrap();
    assert!(own.label.is_some() && own.health_check.is_some());
    assert_eq!(own.bounds.to_string().replace(' ', ""), ".max_keys(9u32).idle(__RESILIENT_IDLE_4)");
    assert!(
        config(Kind::CircuitBreaker, "key = x, health_check = ping, health_every = 1s").ends_with("(ns(1000000000))")
    );
    assert!(keys("HOSTS, key = self.host").is_some_and(|keys| keys.bounds.is_empty()));
}
