//! One annotated function.

use crate::{
    policy::{
        bulkhead::Bulkhead,
        circuit_breaker::CircuitBreaker,
        keyed::Keys,
        rate_limiter::{RateLimiter, RateSlots},
        retry::Retry,
        timeout::Timeout,
    },
    stats::{Count, SiteCounters, SiteStats},
};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// One annotated function: its policies from the outermost inwards, and what its calls did.
///
/// It has one set of policies, shared by all instances of `self`, all type parameters and all implementors.
#[derive(Debug)]
pub struct Site {
    name: &'static str,
    file: &'static str,
    line: u32,
    policies: &'static [SitePolicy],
    pub(crate) counters: SiteCounters,
    listed: AtomicBool,
}

/// A policy of a site.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SitePolicy {
    /// A circuit breaker of its own.
    CircuitBreaker(&'static CircuitBreaker),
    /// Circuit breakers of its own, one for each key.
    KeyedCircuitBreaker(&'static Keys<CircuitBreaker>),
    /// Rate limiters of its own, one for each key.
    KeyedRateLimiter(&'static Keys<RateLimiter>),
    /// Rate limits of its own, one for each key, without more than that.
    RateSlots(&'static RateSlots),
    /// A rate limiter of its own.
    RateLimiter(&'static RateLimiter),
    /// A retry of its own.
    Retry(&'static Retry),
    /// A timeout of its own.
    Timeout(&'static Timeout),
    /// A bulkhead of its own.
    Bulkhead(&'static Bulkhead),
    /// Bulkheads of its own, one for each key.
    KeyedBulkhead(&'static Keys<Bulkhead>),
    /// A fallback.
    #[non_exhaustive]
    Fallback {
        /// Its name.
        name: &'static str,
    },
    /// An instance from elsewhere (`policy = ..`), known only to the call.
    #[non_exhaustive]
    Shared {
        /// The attribute.
        kind: &'static str,
        /// The name that the attribute gives it.
        name: &'static str,
    },
}

impl SitePolicy {
    #[doc(hidden)]
    #[must_use]
    pub const fn fallback(name: &'static str) -> Self {
        Self::Fallback { name }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn shared(kind: &'static str, name: &'static str) -> Self {
        Self::Shared { kind, name }
    }

    /// The policy's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CircuitBreaker(policy) => policy.name(),
            Self::KeyedCircuitBreaker(policy) => policy.first_config().own_name(),
            Self::KeyedRateLimiter(policy) => policy.first_config().own_name(),
            Self::RateSlots(policy) => policy.name(),
            Self::RateLimiter(policy) => policy.name(),
            Self::Retry(policy) => policy.name(),
            Self::Timeout(policy) => policy.name(),
            Self::Bulkhead(policy) => policy.name(),
            Self::KeyedBulkhead(policy) => policy.first_config().own_name(),
            Self::Fallback { name } | Self::Shared { name, .. } => name,
        }
    }

    /// The attribute's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CircuitBreaker(_) | Self::KeyedCircuitBreaker(_) => "circuit_breaker",
            Self::RateLimiter(_) | Self::KeyedRateLimiter(_) | Self::RateSlots(_) => "rate_limited",
            Self::Retry(_) => "retry",
            Self::Timeout(_) => "timeout",
            Self::Bulkhead(_) | Self::KeyedBulkhead(_) => "bulkhead",
            Self::Fallback { .. } => "fallback",
            Self::Shared { kind, .. } => kind,
        }
    }
}

impl Site {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32, policies: &'static [SitePolicy]) -> Self {
        Self::with(name, file, line, policies, false)
    }

    const fn with(
        name: &'static str,
        file: &'static str,
        line: u32,
        policies: &'static [SitePolicy],
        listed: bool,
    ) -> Self {
        Self { name, file, line, policies, counters: SiteCounters::new(), listed: AtomicBool::new(listed) }
    }

    /// Stands for policies used by hand: not listed.
    pub(crate) const fn by_hand() -> Self {
        Self::with("", "", 0, &[], true)
    }

    /// `module::path::fn`, or the name given by `#[resilient(name = "..")]`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The source file.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line in it.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The policies, the outermost first.
    #[must_use]
    pub const fn policies(&self) -> &'static [SitePolicy] {
        self.policies
    }

    /// What the calls did since the process started.
    #[must_use]
    pub fn stats(&self) -> SiteStats {
        self.counters.read()
    }

    /// Its outermost circuit breaker of its own.
    #[must_use]
    pub fn circuit_breaker(&self) -> Option<&'static CircuitBreaker> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::CircuitBreaker(breaker) => Some(*breaker),
            _ => None,
        })
    }

    /// Its outermost circuit breakers of its own that are one for each key.
    #[must_use]
    pub fn keyed_circuit_breaker(&self) -> Option<&'static Keys<CircuitBreaker>> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::KeyedCircuitBreaker(breakers) => Some(*breakers),
            _ => None,
        })
    }

    /// Its outermost rate limiter of its own.
    #[must_use]
    pub fn rate_limiter(&self) -> Option<&'static RateLimiter> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::RateLimiter(limiter) => Some(*limiter),
            _ => None,
        })
    }

    /// Its outermost rate limiters of its own that are one for each key.
    #[must_use]
    pub fn keyed_rate_limiter(&self) -> Option<&'static Keys<RateLimiter>> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::KeyedRateLimiter(limiters) => Some(*limiters),
            _ => None,
        })
    }

    /// Its outermost rate limits of its own that are one for each key, and without more than that.
    #[must_use]
    pub fn rate_slots(&self) -> Option<&'static RateSlots> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::RateSlots(slots) => Some(*slots),
            _ => None,
        })
    }

    /// Its outermost bulkhead of its own.
    #[must_use]
    pub fn bulkhead(&self) -> Option<&'static Bulkhead> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::Bulkhead(bulkhead) => Some(*bulkhead),
            _ => None,
        })
    }

    /// Its outermost bulkheads of its own that are one for each key.
    #[must_use]
    pub fn keyed_bulkhead(&self) -> Option<&'static Keys<Bulkhead>> {
        self.policies.iter().find_map(|policy| match policy {
            SitePolicy::KeyedBulkhead(bulkheads) => Some(*bulkheads),
            _ => None,
        })
    }

    /// A site appears in the registry on its first call.
    #[inline(always)]
    pub(crate) fn visit(&'static self) {
        if !self.listed.load(Ordering::Relaxed) {
            self.list();
        }
    }

    #[cold]
    fn list(&'static self) {
        if !self.listed.swap(true, Ordering::Relaxed) {
            super::add(self);
        }
    }

    /// Counts.
    #[inline(always)]
    pub(crate) fn count(&'static self, count: Count) {
        if !self.counters.add(count) {
            self.counters.add_first(count);
        }
    }

    /// A call that waited has ended.
    #[cold]
    pub(crate) fn resumed(&'static self, nanos: u64) {
        self.count(Count::Resumed);
        self.counters.took(nanos);
    }

    /// The name of a policy; `otherwise` for a policy used by hand.
    pub(crate) fn policy_name(&self, index: usize, otherwise: &'static str) -> &'static str {
        self.policies.get(index).map_or(otherwise, SitePolicy::name)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{}), shared by all instances:", self.name, self.file, self.line)?;
        for (index, policy) in self.policies.iter().enumerate() {
            let separator = if index == 0 { " " } else { " > " };
            write!(f, "{separator}{}", policy.name())?;
            match policy {
                SitePolicy::Shared { .. } => f.write_str(" (from elsewhere)")?,
                SitePolicy::KeyedCircuitBreaker(_)
                | SitePolicy::KeyedRateLimiter(_)
                | SitePolicy::RateSlots(_)
                | SitePolicy::KeyedBulkhead(_) => {
                    f.write_str(" (one for each key)")?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
