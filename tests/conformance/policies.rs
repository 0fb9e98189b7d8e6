//! The policies of one site, made from a case's configuration.

use crate::inner::{Fault, Inner, Out, describe};
use resilient::{
    Algorithm, Backoff, Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Ending,
    EventKind, Jitter, Keyed, Rate, RateLimiter, RateLimiterConfig, Ratio, Retry, RetryConfig, Subscription, Timeout,
    TimeoutConfig, subscribe,
};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// What `"max"`, and a missing cap, stand for: the longest time that we take.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

fn millis(value: &Value) -> Duration {
    value.as_u64().map_or(LONGEST, Duration::from_millis)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().map(|number| number.try_into().unwrap())
}

/// Lists of classes.
fn lists(class: &str, list: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|listed| listed == class || listed == "*"))
}

fn class(out: &Out) -> Option<&str> {
    match out {
        Err(Fault::Class(class)) => Some(class),
        _ => None,
    }
}

pub(crate) struct Policies {
    pub(crate) stack: String,
    pub(crate) breakers: Vec<Breaker>,
    pub(crate) rates: Vec<RateLimiter>,
    pub(crate) keyed_rates: Vec<Keyed<str, RateLimiter>>,
    pub(crate) retries: Vec<Retrying>,
    pub(crate) timeouts: Vec<Timeout>,
    pub(crate) bulkheads: Vec<Bulkhead>,
    pub(crate) fallbacks: Vec<Answering>,
}

impl Policies {
    pub(crate) fn new(case: &Value) -> Self {
        let names = case["stack"].as_array();
        let mut names: Vec<_> = names.map_or(vec![case["policy"].as_str().unwrap().to_owned()], |names| {
            names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        });
        // A retry of no retries is what we call no retry.
        names.retain(|name| case["config"][name]["max_retries"] != 0);
        let of = |kind: &str| {
            let of_kind = names.iter().filter(move |name| name.split('#').next() == Some(kind));
            of_kind.map(|name| &case["config"][name]).collect::<Vec<_>>()
        };
        Self {
            breakers: of("breaker").into_iter().map(Breaker::new).collect(),
            rates: of("rate").into_iter().map(|config| RateLimiter::new(rate(config))).collect(),
            keyed_rates: of("rate").into_iter().map(|config| Keyed::new(rate(config))).collect(),
            retries: of("retry").into_iter().map(Retrying::new).collect(),
            timeouts: of("timeout").into_iter().map(|c| Timeout::new(TimeoutConfig::new(millis(&c["ms"])))).collect(),
            bulkheads: of("bulkhead").into_iter().map(bulkhead).collect(),
            fallbacks: of("fallback").into_iter().map(|config| Answering { config: config.clone() }).collect(),
            stack: names.join(" > "),
        }
    }
}

pub(crate) struct Breaker {
    config: Value,
    pub(crate) policy: CircuitBreaker,
    pub(crate) successes: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) half_opened: Arc<AtomicU64>,
    pub(crate) closed: Arc<AtomicU64>,
    _heard: Subscription,
}

impl Breaker {
    fn new(config: &Value) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name: &'static str = format!("breaker {}", NEXT.fetch_add(1, Relaxed)).leak();
        let probes = number(&config["half_open"]["probes"]).unwrap();
        let mut built = opened(CircuitBreakerConfig::new(), config).name(name).probes(probes).successes(probes);
        if config["window"] == "consecutive" {
            built = built.failures(number(&config["failures"]).unwrap());
        } else {
            built = built.failure_rate(share(&config["rate"]));
            let size = number(&config["size"]);
            built = match size {
                Some(size) => built.window_calls(size),
                None => built.window_time(millis(&config["window_ms"])),
            };
            if let Some(min) = number(&config["min_calls"]).or(size) {
                built = built.min_calls(min);
            }
            // At a rate above one it never opens by slow calls.
            if !config["slow_ms"].is_null() && config["slow_rate"].as_f64().is_none_or(|rate| rate <= 1.0) {
                built = built.slow_call(millis(&config["slow_ms"]));
                if !config["slow_rate"].is_null() {
                    built = built.slow_rate(share(&config["slow_rate"]));
                }
            }
        }
        let (half_opened, closed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (half, close) = (half_opened.clone(), closed.clone());
        let heard = subscribe(move |event| match event.kind {
            EventKind::HalfOpened if event.policy == name => drop(half.fetch_add(1, Relaxed)),
            EventKind::Closed { .. } if event.policy == name => drop(close.fetch_add(1, Relaxed)),
            _ => {}
        });
        Self {
            config: config.clone(),
            policy: CircuitBreaker::new(built),
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            half_opened,
            closed,
            _heard: heard,
        }
    }

    pub(crate) fn judge(&self, out: &Out) -> Ending {
        let config = &self.config;
        let ending = match out {
            Ok(value) if lists(value, &config["fail_result"]) => Ending::Failure,
            Err(Fault::Class(class)) if lists(class, &config["ignore"]) => Ending::Ignored,
            Err(Fault::Class(class)) if lists(class, &config["as_success"]) => Ending::Success,
            Err(Fault::Class(class)) if config["fail_on"].is_array() && !lists(class, &config["fail_on"]) => {
                Ending::Success
            }
            Ok(_) => Ending::Success,
            Err(_) => Ending::Failure,
        };
        match ending {
            Ending::Success => self.successes.fetch_add(1, Relaxed),
            Ending::Failure => self.failures.fetch_add(1, Relaxed),
            _ => 0,
        };
        // At a rate above one it never opens by failures, though a failed probe re-opens.
        let never_opens = config["rate"].as_f64().is_some_and(|rate| rate > 1.0);
        if never_opens && ending == Ending::Failure && self.policy.state() == CircuitState::Closed {
            return Ending::Success;
        }
        ending
    }
}

/// What never opens, a rate above one, is written as one: [`Breaker::judge`] does the rest.
fn share(rate: &Value) -> Ratio {
    Ratio::new(rate.as_f64().unwrap().min(1.0)).unwrap()
}

/// Ours doubles the time, so the times of a list are its first and its last; the cases that grow it otherwise look at
/// instants where that makes no difference.
fn opened(built: CircuitBreakerConfig, config: &Value) -> CircuitBreakerConfig {
    let (first, growth) = (millis(&config["open_ms"]), &config["open_backoff"]);
    let longest = match growth["list"].as_array() {
        None if growth["factor"].is_null() => return built.open_for(first),
        None => LONGEST,
        Some(list) => millis(list.last().unwrap()),
    };
    built.open_for_range(first..=longest).open_jitter(Ratio::percent(0))
}

fn rate(config: &Value) -> RateLimiterConfig {
    let rate = Rate::new(number(&config["limit"]).unwrap(), millis(&config["period_ms"]));
    let mut built = RateLimiterConfig::new(rate);
    if let Some(burst) = number(&config["burst"]) {
        built = built.burst(burst);
    }
    built = match &config["wait_ms"] {
        Value::Null => built,
        Value::String(_) => built.wait_unbounded(),
        wait => built.wait(millis(wait)),
    };
    match config["algo"].as_str() {
        Some("windowed" | "fixed_grid") => built.algorithm(Algorithm::FixedWindow),
        Some("sliding") => built.algorithm(Algorithm::SlidingWindow),
        Some("smooth") => built.burst(1),
        _ => built,
    }
}

fn bulkhead(config: &Value) -> Bulkhead {
    let built = BulkheadConfig::new(number(&config["max"]).unwrap());
    let built = match number(&config["queue"]).unwrap_or(0) {
        0 => built,
        queue if config["wait_ms"].is_null() => built.wait_unbounded().queue(queue),
        queue => built.wait(millis(&config["wait_ms"])).queue(queue),
    };
    Bulkhead::new(built)
}

pub(crate) struct Retrying {
    config: Value,
    pub(crate) policy: Retry,
}

impl Retrying {
    fn new(config: &Value) -> Self {
        let mut built = RetryConfig::new().backoff(Backoff::constant(Duration::ZERO)).jitter(Jitter::None);
        built = built.attempts(number(&config["max_retries"]).map_or(u32::MAX, |retries| retries + 1));
        if config["backoff"].is_object() {
            built = backed_off(built, &config["backoff"]);
        }
        if !config["max_duration_ms"].is_null() {
            built = built.max_duration(millis(&config["max_duration_ms"]));
        }
        Self { config: config.clone(), policy: Retry::new(built) }
    }

    pub(crate) fn judge(&self, out: &Out) -> Ending {
        let config = &self.config;
        let retried = match out {
            Ok(value) => lists(value, &config["retry_result"]),
            Err(Fault::Ours(_)) => true,
            Err(Fault::Class(class)) => {
                // Where only results are retried, errors end it.
                let named = match &config["retry_on"] {
                    Value::Null => config["retry_result"].is_null(),
                    listed => lists(class, listed),
                };
                named && !lists(class, &config["abort_on"])
            }
        };
        if retried { Ending::Failure } else { Ending::Success }
    }
}

pub(crate) fn backed_off(built: RetryConfig, config: &Value) -> RetryConfig {
    let base = millis(&config["base_ms"]);
    let backoff = match config["kind"].as_str() {
        Some("const") => Backoff::constant(base),
        // What never grows is written as a constant here.
        Some("exp") if base.is_zero() => Backoff::constant(base),
        Some("exp") => Backoff::exponential(base, millis(&config["max_ms"])).factor(config["factor"].as_f64().unwrap()),
        kind => panic!("{kind:?}?"),
    };
    let jitter = &config["jitter"];
    let jitter = match jitter["kind"].as_str() {
        None => Jitter::None,
        Some("full") => Jitter::Full,
        Some("equal") => Jitter::Equal,
        Some("pm_frac") => Jitter::Proportional(Ratio::new(jitter["f"].as_f64().unwrap()).unwrap()),
        kind => panic!("{kind:?}?"),
    };
    built.backoff(backoff).jitter(jitter)
}

pub(crate) struct Answering {
    config: Value,
}

impl Answering {
    pub(crate) fn judge(&self, out: &Out) -> Ending {
        let config = &self.config;
        let answers = class(out).is_some_and(|class| {
            !lists(class, &config["skip"]) && (config["on"].is_null() || lists(class, &config["on"]))
        });
        if answers { Ending::Failure } else { Ending::Success }
    }

    pub(crate) async fn answer(&self, inner: &Inner, cause: Result<Fault, Out>) -> Out {
        let error = match cause {
            Ok(error) => error,
            Err(out) => return out,
        };
        inner.fallbacks.set(inner.fallbacks.get() + 1);
        *inner.cause.borrow_mut() = Some(describe(&Err(error)));
        if let Some(millis) = self.config["ms"].as_u64() {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        match self.config["error"].as_str() {
            Some(class) => Err(Fault::Class(class.to_owned())),
            None => Ok("fb"),
        }
    }
}
