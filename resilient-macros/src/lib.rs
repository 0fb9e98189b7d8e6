//! The attributes of [`resilient`](https://docs.rs/resilient): use them through that crate, which re-exports them and
//! owns everything that their expansions call.
//!
//! # Order
//! The written order is the nesting order: the top attribute is the outermost. The first of our attributes to expand
//! gathers the others on the fn, so they are one expansion with one set of statics, and every mistake of the fn is
//! reported at once. The others are recognised by a bare known name (`retry`) or behind our crate's path
//! (`resilient::retry`); one imported under another name expands apart, and that is an error.
//!
//! A policy is named after its attribute, and the second of a kind `timeout_2`, the third `timeout_3`: where there are
//! several, give each a `name`.
//!
//! # Grammar
//! | value | written | as a const expression |
//! |---|---|---|
//! | duration | `250us`, `100ms`, `2s`, `1.5s`, `5min`, `1h`, `1d` | `Duration` |
//! | range | `100ms..=10s` | its ends are `Duration`s |
//! | rate | `100/s`, `6000/min`, `10/250ms`, `LIMIT/s` | `resilient::Rate` |
//! | ratio | `50%`, `0.5%` | `resilient::Ratio` |
//! | count | `20`, `10_000` | `u32` |
//! | number | `2`, `1.5` | `f64` |
//! | mode | `on`, `shadow`, `off` | `resilient::Mode` |
//!
//! A const expression is checked by the same rules when it is compiled. It may not mention `self`, `Self`, generic
//! parameters or arguments of the fn.
//!
//! # Functions
//! `async fn`s: free, inherent, in a trait's `impl`, in a trait with a body, also under `#[async_trait]`. The signature
//! and the body stay as they are.

#![forbid(unsafe_code)]

mod args;
mod diag;
mod entry;
mod gather;
mod item;
mod krate;
mod lower;
mod policy;
#[cfg(test)]
mod snapshots;
mod span;
mod stack;

use crate::policy::Kind;
use proc_macro::TokenStream;

/// Stops calling what keeps failing, and lets a probe through from time to time.
///
/// Without arguments the circuit opens at 50% failures of at least 20 calls in a sliding window of 30 seconds, for 30
/// seconds; then one probe at a time is let through, and one success closes it again.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `failures = 5` | | opens after so many failures in a row (1 to `1_000_000`), without a window |
/// | `failure_rate = 50%` | `50%` | opens when at least this share of the window failed (above `0%`) |
/// | `window = 30s`, `window = 100` | `30s` | what the window holds: a time (`100ms` to `366d`) or the last so many calls (1 to `1_000_000`) |
/// | `min_calls = 20` | `20`, or the window's calls where those are fewer | nothing is decided on fewer results |
/// | `slow_call = 2s` | | a call that takes longer is slow, whatever its result (`1ms` to `366d`); one still in flight counts when that time passes |
/// | `slow_rate = 80%` | `100%` | opens when at least this share of the window was slow (above `0%`) |
/// | `adaptive` | | opens at a failure rate that is significantly above the usual one, which it learns; `failure_rate` remains the limit |
/// | `shed = 2.0` | | refuses a share of the calls before it has to open: lets so many times as many through as succeed (`1.001` to `100`). It then opens only where `failure_rate`, `adaptive` or `slow_call` say so |
/// | `open_for = 30s`, `open_for = 30s..=5min` | `30s` | how long calls are refused (`1ms` to `366d`); a range doubles with each recovery that fails, and shortens what has grown by up to 10%, at random |
/// | `probes = 1` | `1` | how many probes may run at once afterwards (1 to 1000) |
/// | `successes = 1` | `1` | how many of them must succeed to close the circuit; any failed one opens it again |
/// | `probe_timeout = 10s` | `open_for` | a probe that takes longer counts as failed (`1ms` to `366d`) |
/// | `ramp` | | recovers by degrees: one probe, then `probes` at once, then a share of the calls that grows from 10% to all in the time of `open_for` |
/// | `health_check = path` | | an `async fn() -> Result<(), _>` (with `key`: of the key, as a `String` of a `&str`, otherwise as a clone; of a tuple, each part so) that is asked in the background while the circuit is open, instead of letting probes through; `successes` good answers in a row close it, at the next call or look; one that takes longer than `probe_timeout` is a bad one |
/// | `health_every = 5s` | `5s` | how often, and how long after it opened first; the pause doubles after each bad answer, up to the longest `open_for` |
/// | `mode = shadow`, `mode = off` | `on` | decides and reports but refuses nothing; or does nothing. `CircuitBreaker::set_mode` switches it at run time (with `key`, that of one key: `Keys::find`) |
/// | `key = expr` | | one breaker for each value of an expression over the fn's arguments, which is hashed and not kept |
/// | `key_label = expr` | as the key is displayed | what the key's breaker is called in events and statistics |
/// | `max_keys = 10_000`, `idle = 10min` | so | how many there are at most, and for how long an unused one is kept. One that refuses calls stays until its time is over, and one set by hand until it is reset: see `Keys` |
/// | `when = path`, `unless = path` | every `Err` | which errors are failures: a path or closure over `&E` |
/// | `failure_if = path` | | what is a failure, over the whole `&Output`; replaces `when` and `unless` |
/// | `ignore_if = path` | | what is neither success nor failure, over the whole `&Output` |
/// | `name = ".."` | `circuit_breaker` | the policy's name in errors, events and statistics |
/// | `policy = EXPR` | | a shared instance: a `static`, a field such as `self.breaker`. A path in upper case or of several segments may stand alone: `#[circuit_breaker(PAYMENTS)]` |
///
/// An `Err` that `when` refuses, or `unless` accepts, is a success: the dependency answered. A time-out by a `#[timeout]`
/// below is a failure, without `when` and `unless` being asked. `window = 30` is the last 30 calls, `window = 30s` a time.
///
/// One breaker serves all instances of `self` and all type parameters of the fn, unless there is one for each `key`. Beside
/// `key` a `policy` is a `Keyed<K, CircuitBreaker>`. Under `&mut self`, `self` and
/// `self: Arc<Self>` the field of `policy = self.breaker` must be an `Arc`. See the `resilient` crate for examples.
#[proc_macro_attribute]
pub fn circuit_breaker(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::CircuitBreaker, attr.into(), item.into()).into()
}

/// Lets so many calls through per time, by a token bucket.
///
/// The bucket starts full and holds one period's worth, so up to twice the rate passes in the first period. Several rates
/// decide together: a call takes from all of them, or from none where one refuses.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `100/s`, `10/s, 1000/d` (first, required) | | the rate, or up to four: calls per `s`, `ms`, `min`, `h`, `d`, or per a duration such as `250ms` |
/// | `burst = 200` | the rate's number | how many tokens the bucket holds (at least 1); of several rates, that of the first |
/// | `initial = 0` | `burst` | how many it starts with |
/// | `algorithm = sliding_window` | `token_bucket` | never more than the limit in any time as long as the period; `fixed_window`: so many in each period, counted from the first call on |
/// | `wait = 500ms`, `wait` | refuse at once | how long a call stands in line; alone: without a limit of its own. A wait that would take longer, or outlast the time-out around it, is refused at once |
/// | `cost = expr` | `1` | how many tokens a call takes: an unsigned integer of any type, over the fn's arguments |
/// | `charge = path` | | over the `&T` of an `Ok`: what the call cost in the end. More than `cost` is owed, and paid by what comes next; less is given back |
/// | `priority = expr` | `Priority::Normal` | over the fn's arguments: the more urgent goes first, and each second of waiting counts for one class |
/// | `reserve = 10%` | none | a share of the burst that only `High` and `Critical` calls may use; `Critical` ones may owe as much besides |
/// | `delay_hint = path` | | over the `&E` of an `Err`, to `Option<Duration>`: a server's `Retry-After`. Nobody gets a token until then |
/// | `adaptive` | | goes on at a share of the rate while calls fail, or take more than twice as long as usual; `RateLimiter::adjust` says so by hand |
/// | `shards = 8` | | stocks of tokens for threads that would meet at one word (2 to 64), of a bucket of at least 32 tokens for each; after a pause they may give a 16th of the burst more |
/// | `mode = shadow`, `mode = off` | `on` | decides and reports but refuses nothing; or does nothing. `RateLimiter::set_mode` switches it at run time |
/// | `key = expr` | | one limiter for each value of an expression over the fn's arguments, which is hashed and not kept. Beside no more than `burst`, `cost` and `max_keys` it is a table of buckets: 24 bytes for each key, and without statistics of each |
/// | `rate = expr` | the rate | with `key`, in the place of a rate: the key's own `Rate`, read when its limiter is made |
/// | `key_label = expr` | as the key is displayed | what the key's limiter is called in events and statistics |
/// | `max_keys = 10_000`, `idle = 10min` | so | how many there are at most, and for how long an unused one is kept. One that is not full stays |
/// | `name = ".."` | `rate_limited` | the policy's name in errors, events and statistics |
/// | `policy = EXPR` | | a shared instance instead of a rate: a `static`, or a field, which under `&mut self`, `self` and `self: Arc<Self>` must be an `Arc` |
///
/// Above `#[retry]` it counts calls, below it attempts. Beside `key` a `policy` is a `Keyed<K, RateLimiter>`. See the
/// `resilient` crate for examples.
#[proc_macro_attribute]
pub fn rate_limited(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::RateLimited, attr.into(), item.into()).into()
}

/// Runs the body again when it fails.
///
/// Without arguments it makes up to 3 attempts with exponential pauses from `50ms` to `20s`, each shortened by chance.
/// The caller gets the last real error.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `attempts = 3` | `3` | how often the body runs in all, the first time included (at least 2) |
/// | `backoff = 100ms`, `backoff = 100ms..=10s` | `50ms..=20s` | the pause, or its range of exponential growth |
/// | `factor = 2` | `2` | the growth within the range (above 1, up to 1000) |
/// | `jitter = full` | `full` | how pauses are spread: `full`, `equal`, `decorrelated`, `none`, or a share such as `10%` |
/// | `when = path`, `unless = path` | every `Err` | which errors are worth another attempt: a path or closure over `&E` |
/// | `max_duration = 30s` | none | no attempt begins later than this (`1ms` to `366d`) |
/// | `name = ".."` | `retry` | the policy's name in errors, events and statistics |
/// | `policy = EXPR` | | a shared instance. A path in upper case or of several segments may stand alone: `#[retry(READS)]` |
///
/// With the default jitter, `full`, a pause is anything from nothing to the written one; with `jitter = none` it is exactly
/// that. A time-out by a `#[timeout]` below is retried without `when` and `unless` being asked.
///
/// What the body consumes can not be used by a second attempt; rustc says so at that token. A `mut` argument keeps its
/// changes from attempt to attempt. The future is `Send` only if the output is.
///
/// Under `&mut self`, `self` and `self: Arc<Self>` the field of `policy = self.retry` must be an `Arc`. See the
/// `resilient` crate for examples.
#[proc_macro_attribute]
pub fn retry(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::Retry, attr.into(), item.into()).into()
}

/// Ends what takes too long, by dropping it.
///
/// Above `#[retry]` it bounds the whole call, below it each attempt. The policies below it know its deadline: no pause and
/// no wait in line begins that would outlast it. Annotated fns called from the body do not know it: they are dropped with
/// the body.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `2s` (first, required) | | the longest time (above `0s`, up to `366d`) |
/// | `name = ".."` | `timeout` | the policy's name in errors, events and statistics |
/// | `policy = EXPR` | | a shared instance instead of a time: a `static`, or a field, which under `&mut self`, `self` and `self: Arc<Self>` must be an `Arc` |
///
/// Of two on one fn the second is named `timeout_2` in errors, events and statistics: give both a `name`.
///
/// See the `resilient` crate for examples.
#[proc_macro_attribute]
pub fn timeout(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::Timeout, attr.into(), item.into()).into()
}

/// Lets so many calls run at once.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `10` (first, required) | | how many calls run at once (1 to `1_000_000`) |
/// | `adaptive = 10..=200` | | in place of the number: it is found by measurement, within these limits; an `Err` counts as a failed call |
/// | `wait = 100ms`, `wait` | refuse at once | how long a call stands in line; alone: without a limit of its own |
/// | `queue = 50`, `queue = unbounded` | as many as run at most | how many may stand in line; only beside `wait` |
/// | `order = fifo`, `lifo`, `priority` | `fifo` | who goes first: who came first, who came last, or the most urgent, where each second of waiting counts for one class; only beside `wait` |
/// | `priority = expr` | | the class of a call, an expression of type `resilient::Priority` over the fn's arguments; only beside `order = priority` |
/// | `mode = shadow`, `off`, `on` | `on` | whether it acts, only reports, or does nothing |
/// | `key = expr` | one for all | one bulkhead for each value of an expression over the fn's arguments |
/// | `key_label = expr` | as the key is displayed | what a key is called in events and statistics |
/// | `max_keys = 10_000`, `idle = 10min` | these | how many there are at most, and for how long one is kept that is not used |
/// | `name = ".."` | `bulkhead` | the policy's name in errors, events and statistics |
/// | `policy = EXPR` | | a shared instance instead of a number: a `static`, or a field, which under `&mut self`, `self` and `self: Arc<Self>` must be an `Arc` |
///
/// With `adaptive` it belongs below `#[retry]`: above, pauses would be taken for slow calls.
///
/// See the `resilient` crate for examples.
#[proc_macro_attribute]
pub fn bulkhead(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::Bulkhead, attr.into(), item.into()).into()
}

/// Answers in another way when everything below it failed or refused.
///
/// Its values are tried in order, each with the error of the one before it:
/// - a closure takes nothing or the error (by value, or by reference if written `&`), may be `async`, and sees the fn's
///   arguments by their names;
/// - a path is called with (`self`, arguments, error), with the error alone, or with nothing, whatever it accepts;
///   methods are written `Self::cached`. It is passed the arguments in any case, so the body can not consume them. Where
///   the only argument has the error's type, it is ambiguous which of the two it takes. A closure has neither limit.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | closures and paths (required) | | what to fall back to |
/// | `when = path`, `unless = path` | every error | for which errors: a path or closure over `&E` |
/// | `name = ".."` | `fallback` | the policy's name in events and statistics |
///
/// `when` and `unless` are asked for rejections and time-outs too, after these became the fn's error. Where the fn returns
/// no `Result`, a second value would never be asked, and is an error. The future is `Send` only if the output is.
///
/// It belongs above `#[retry]` and `#[circuit_breaker]`: below them they would see only what it returns, and that is an
/// error unless `#[resilient(allow(fallback_inside_retry, fallback_inside_circuit_breaker))]` says so. See the
/// `resilient` crate for examples.
#[proc_macro_attribute]
pub fn fallback(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::Fallback, attr.into(), item.into()).into()
}

/// What belongs to the annotated fn rather than to one of its policies. It is no policy and has no place in their order.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `name = ".."` | `module::path::fn` | the site's name in errors, events and statistics |
/// | `rejected = path` | `From<resilient::Error>` | makes the fn's error (or, without a `Result`, its output) of ours: a path or closure; only where a policy may reject or time out |
/// | `crate = path` | found in `Cargo.toml` | the absolute path of the `resilient` crate, where it is only re-exported |
/// | `allow(..)` | none | switches off checks that found something: `fallback_inside_retry`, `fallback_inside_circuit_breaker`, `timeout_not_shorter` |
///
/// See the `resilient` crate for examples.
#[proc_macro_attribute]
pub fn resilient(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Kind::Resilient, attr.into(), item.into()).into()
}
