//! Every attribute in a crate that allows nothing: expansions bring their own paths and no lints.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unused, unused_qualifications, let_underscore_drop)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

mod forbidden;
mod names;
#[cfg_attr(any(), rustfmt::skip)]
mod one_line;
mod shadowed;
mod unused;

pub use forbidden::Forbidding;
pub use names::timeout;
pub use one_line::one_lines;
pub use shadowed::shadowed;

use ::std::prelude::rust_2024::{Box, Err, Ok, Option, Result, Send, Some, Sync, derive};
use ::std::{
    fmt::Debug,
    format, matches,
    string::{String, ToString as _},
    sync::Arc,
    time::Duration,
};
use ::tough::{
    CircuitBreaker, CircuitBreakerConfig, Keyed, bulkhead, circuit_breaker, fallback, rate_limited, resilient, retry,
};

/// What can go wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A policy refused.
    Refused(::tough::Error),
    /// The dependency did.
    Broken,
}

impl ::std::convert::From<::tough::Error> for Fault {
    fn from(error: ::tough::Error) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }

    /// What a later link of the fallback is given.
    const fn worse(self) -> Self {
        self
    }

    const fn refused(error: ::tough::Error) -> Self {
        Self::Refused(error)
    }
}

/// How long.
pub const LIMIT: Duration = Duration::from_millis(500);

/// Shared.
pub static SHARED: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().name("shared"));

/// One for each text.
pub static TEXTS: Keyed<str, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new());

/// How many.
pub const MOST: u32 = 9;

/// A client.
#[derive(Debug)]
pub struct Client {
    fails: bool,
    shared: Arc<CircuitBreaker>,
}

impl Client {
    /// Makes one that answers, or one that fails.
    #[must_use]
    pub fn new(fails: bool) -> Self {
        Self { fails, shared: Arc::new(CircuitBreaker::new(CircuitBreakerConfig::new())) }
    }

    /// Every policy.
    ///
    /// # Errors
    /// Those of the fallback.
    #[fallback(Self::spare, |error| Err(error.worse()), async |_| Ok(String::new()), |error: &Fault| Ok(format!("{error:?}")))]
    #[rate_limited(1000/s, burst = 2000, cost = u32_len(text), wait = 1s)]
    #[bulkhead(10, wait = LIMIT, queue = 5)]
    #[::tough::timeout(10s)]
    #[retry(attempts = 3, backoff = 1ms..=5ms, when = Fault::is_broken, unless = |error| !error.is_broken())]
    #[circuit_breaker(failure_rate = 50%, window = 30s, failure_if = Result::is_err, ignore_if = |output| matches!(output, Ok(text) if text.is_empty()))]
    #[circuit_breaker(SHARED)]
    #[::tough::timeout(LIMIT)]
    #[resilient(name = "everything")]
    pub async fn everything(&self, text: &str) -> Result<String, Fault> {
        ::std::future::ready(()).await;
        if self.fails {
            return Err(Fault::Broken);
        }
        Ok(text.to_string())
    }

    async fn spare(&self, _text: &str, error: Fault) -> Result<String, Fault> {
        ::std::future::ready(()).await;
        Err(error)
    }

    /// An argument that the body does not use, but the fallback is given: what is used is ours, and no lint's business.
    ///
    /// # Errors
    /// Those of the fallback.
    #[fallback(Self::spare)]
    #[retry]
    pub async fn unused_argument(&self, _text: &str) -> Result<String, Fault> {
        ::std::future::ready(()).await;
        Err(Fault::Broken)
    }

    /// A policy that is a reference already.
    ///
    /// # Errors
    /// Those of the policy.
    #[circuit_breaker(policy = &*self.shared)]
    pub async fn referred(&self) -> Result<(), Fault> {
        ::std::future::ready(()).await;
        Ok(())
    }

    /// One breaker for each text.
    ///
    /// # Errors
    /// None.
    #[circuit_breaker(
        slow_call = 2s, open_for = 1s..=9s, ramp, adaptive, shed = 2.0, health_check = well, health_every = 1s, mode = on,
        key = text, key_label = text.len(), max_keys = 9, idle = 1h
    )]
    #[circuit_breaker(key = (text, self.fails))]
    #[circuit_breaker(TEXTS, key = text)]
    #[circuit_breaker(key = text.len() % 2, max_keys = MOST, idle = LIMIT)]
    pub async fn keyed(&self, text: &str) -> Result<usize, Fault> {
        ::std::future::ready(()).await;
        Ok(text.len())
    }

    /// One bulkhead for each text.
    ///
    /// # Errors
    /// None.
    #[bulkhead(
        adaptive = 2..=9, wait = 1s, queue = 9, order = priority, priority = urgency(text), mode = on,
        key = text, key_label = text.len(), max_keys = 9, idle = 1h
    )]
    #[bulkhead(adaptive = FEW..=9, wait, order = ORDER)]
    #[bulkhead(9, wait, order = lifo, key = (text, self.fails))]
    pub async fn placed(&self, text: &str) -> Result<usize, Fault> {
        ::std::future::ready(()).await;
        Ok(text.len())
    }

    /// With `self` for itself.
    ///
    /// # Errors
    /// Its own.
    #[circuit_breaker(policy = self.shared)]
    #[retry]
    pub async fn change(&mut self, fails: bool) -> Result<bool, Fault> {
        ::std::future::ready(()).await;
        Ok(::std::mem::replace(&mut self.fails, fails))
    }
}

const FEW: u32 = 2;
const ORDER: ::tough::Order = ::tough::Order::Fifo;

const fn urgency(text: &str) -> ::tough::Priority {
    if text.is_empty() { ::tough::Priority::Low } else { ::tough::Priority::High }
}

const fn u32_len(text: &str) -> u32 {
    if text.is_empty() { 1 } else { 2 }
}

/// Returns nothing.
#[resilient(rejected = ::std::mem::drop)]
#[bulkhead(1)]
pub async fn unit() {
    ::std::future::ready(()).await;
}

/// Returns never.
#[resilient(rejected = |_| loop_forever())]
#[bulkhead(1)]
pub async fn never() -> ! {
    loop {
        ::std::future::ready(()).await;
    }
}

fn loop_forever() -> ! {
    loop {
        ::std::thread::park();
    }
}

/// Returns what has no name.
///
/// # Errors
/// Those of the policies.
#[retry]
#[::tough::timeout(1s)]
pub async fn nameless<T: Debug + Sync>(value: &T) -> Result<impl ::std::fmt::Display + use<T>, Fault> {
    ::std::future::ready(()).await;
    Ok(format!("{value:?}"))
}

/// Asks one for all.
///
/// # Errors
/// None.
#[circuit_breaker(health_check = all_well, open_for = LIMIT..=1s, mode = ::tough::Mode::Shadow, shed = 2)]
pub async fn asked() -> Result<u8, Fault> {
    ::std::future::ready(()).await;
    Ok(1)
}

async fn all_well() -> Result<(), Fault> {
    ::std::future::ready(()).await;
    Ok(())
}

async fn well(text: String) -> Result<(), String> {
    ::std::future::ready(()).await;
    if text.is_empty() { Err(text) } else { Ok(()) }
}

/// Returns an option, that is no result.
#[circuit_breaker(failures = 5, failure_if = Option::is_none)]
#[resilient(rejected = |_| Option::None)]
pub async fn optional(value: Option<u8>) -> Option<u8> {
    ::std::future::ready(()).await;
    value
}

/// Maps.
///
/// # Errors
/// Those of the policies.
#[resilient(rejected = Fault::refused)]
#[::tough::timeout(1s)]
pub async fn mapped(value: Box<dyn ::std::any::Any + Send + Sync>) -> Result<(), Fault> {
    ::std::future::ready(()).await;
    ::std::mem::drop(value);
    Ok(())
}

/// Boxes.
///
/// # Errors
/// Those of the policies.
#[fallback(|_| Ok(Some(Box::new(0))))]
#[::tough::timeout(1s)]
pub async fn boxes() -> Result<Option<Box<u8>>, Fault> {
    ::std::future::ready(()).await;
    Err(Fault::Broken)
}
