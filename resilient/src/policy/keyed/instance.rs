//! What a policy must be able to do to be one of many.

use crate::{error::ConfigError, policy::permit::sealed::Sealed, rate::Rate, time::Nanos};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
};

/// A health check on its way: whether the dependency is well.
pub type Checking = Pin<Box<dyn Future<Output = bool> + Send>>;

/// How one instance asks for the health of its own dependency.
pub(crate) type Check = Arc<dyn Fn() -> Checking + Send + Sync>;

/// What an instance is made from, besides its policy's configuration.
#[derive(Clone, Default)]
pub struct Birth {
    /// What it is called in events and statistics.
    pub label: Option<Arc<str>>,
    /// How it asks for the health of its own dependency.
    pub check: Option<Check>,
    /// A limiter's rate, where each key has its own.
    pub rate: Option<Rate>,
}

impl fmt::Debug for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Birth").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What an instance was told at its birth and, where a hand made it that knew no better, at its first call.
#[derive(Debug)]
pub(crate) struct Identity {
    birth: Birth,
    later: OnceLock<Box<Birth>>,
}

impl Identity {
    /// That of the only one.
    pub(crate) const fn none() -> Self {
        Self::new(Birth { label: None, check: None, rate: None })
    }

    pub(crate) const fn new(birth: Birth) -> Self {
        Self { birth, later: OnceLock::new() }
    }

    pub(crate) fn learn(&self, birth: Birth) {
        self.later.get_or_init(|| Box::new(birth));
    }

    pub(crate) fn label(&self) -> Option<&Arc<str>> {
        self.later.get().and_then(|later| later.label.as_ref()).or(self.birth.label.as_ref())
    }

    pub(crate) fn check(&self) -> Option<&Check> {
        self.later.get().and_then(|later| later.check.as_ref()).or(self.birth.check.as_ref())
    }
}

/// How much it matters that an instance is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// It has nothing to say that a new one would not.
    No,
    /// It refuses calls that a new one would let pass.
    Refusing,
    /// Somebody said what it is to do.
    ByHand,
}

/// A policy that there may be one of for each key. Sealed: implemented by this crate's policies.
pub trait Instance: Sealed + Sized + Send + Sync + 'static {
    /// Its configuration.
    type Config: Copy + fmt::Debug + Send + Sync + 'static;
    /// What is known of one instance.
    type Stats;

    #[doc(hidden)]
    fn born(config: Self::Config, site: &'static str, birth: Birth) -> Self;

    /// It was made by hand, and this is its first call.
    #[doc(hidden)]
    fn learn(&self, birth: Birth);

    #[doc(hidden)]
    fn name_of(config: &Self::Config) -> &'static str;

    /// Lets time act where that decides whether it is kept, by the precise clock. May run code of the user's: called without a lock.
    #[doc(hidden)]
    fn catch_up(&self, now: Nanos) {
        let _ = now;
    }

    /// Whether it may be evicted now, unused for so long, where instances may be idle for so long. A mere look.
    #[doc(hidden)]
    fn keep(&self, now: Nanos, unused: Nanos, idle: Nanos) -> Keep;

    /// It is evicted: what it has running in the background ends, even if a call still holds it.
    #[doc(hidden)]
    fn evicted(&self) {}

    /// What `reconfigure` for all makes of the configuration of all.
    #[doc(hidden)]
    fn next_config(old: &Self::Config, new: Self::Config) -> Result<Self::Config, ConfigError>;

    #[doc(hidden)]
    fn reconfigure(&self, config: Self::Config) -> Result<(), ConfigError>;

    #[doc(hidden)]
    fn stats(&self) -> Self::Stats;

    #[doc(hidden)]
    fn reset(&self);
}
