//! One instance of a policy for each key.

mod fingerprint;
mod instances;

pub use instances::KeyedStats;

use fingerprint::Fingerprint;
use instances::{Instances, Limits};
use std::{fmt, future::Future, hash::Hash, marker::PhantomData, pin::Pin, sync::Arc, time::Duration};

/// A health check on its way: whether the dependency is well.
pub type Checking = Pin<Box<dyn Future<Output = bool> + Send>>;

/// How one instance asks for the health of its own dependency.
pub(crate) type Check = Arc<dyn Fn() -> Checking + Send + Sync>;

/// What an instance is made from, besides its policy's configuration.
#[derive(Default)]
pub struct Birth {
    /// What it is called in events and statistics.
    pub label: Option<Arc<str>>,
    /// How it asks for the health of its own dependency.
    pub check: Option<Check>,
}

impl fmt::Debug for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Birth").field("label", &self.label).finish_non_exhaustive()
    }
}

/// A policy that there may be one of for each key. Sealed: implemented by this crate's policies.
pub trait Instance: super::permit::sealed::Sealed + Sized + Send + Sync + 'static {
    /// Its configuration.
    type Config: Copy + fmt::Debug + Send + Sync + 'static;
    /// What is known of one instance.
    type Stats;

    #[doc(hidden)]
    fn born(config: Self::Config, site: &'static str, birth: Birth) -> Self;

    #[doc(hidden)]
    fn name_of(config: &Self::Config) -> &'static str;

    /// Whether it may not be evicted now.
    #[doc(hidden)]
    fn is_pinned(&self) -> bool;

    #[doc(hidden)]
    fn stats(&self) -> Self::Stats;

    #[doc(hidden)]
    fn reset(&self);
}

/// The instances of a policy, one for each key, whatever the keys' type.
///
/// An instance is made at the first call of its key. There are never more than `max_keys`: beyond that the ones
/// that have not been used for longest go, and so do those idle for longer than `idle`. One that refuses calls is kept until
/// its time is over, and one that was set by hand until it is reset; where all are kept, a new key gets an instance for
/// that call only. Keys are hashed with a secret of the process to 128 bits, and not stored: borrowed and owned forms
/// that hash alike (`str` and `String`) are the same key, and numbers of different types are not: where the key is a
/// `u64`, ask for `&7_u64`.
pub struct Keys<P: Instance> {
    config: P::Config,
    site: &'static str,
    limits: Limits,
    instances: Instances<P>,
}

impl<P: Instance> Keys<P> {
    /// Instances with this configuration.
    #[must_use]
    pub const fn new(config: P::Config) -> Self {
        Self::owned(config, "")
    }

    /// Those of one annotated fn.
    #[doc(hidden)]
    #[must_use]
    pub const fn owned(config: P::Config, site: &'static str) -> Self {
        Self { config, site, limits: Limits::DEFAULT, instances: Instances::new() }
    }

    /// How many there are at most (1 to 100 000 000; default 10 000).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.limits = self.limits.max_keys(max_keys);
        self
    }

    /// For how long one is kept that is not used (1 ms to a year; default 10 minutes).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.limits = self.limits.idle(idle);
        self
    }

    /// The configuration of each.
    pub const fn config(&self) -> P::Config {
        self.config
    }

    /// The policy's name in errors, events and statistics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        P::name_of(&self.config)
    }

    /// The instance of `key`, made now if there is none; `birth` says what it is called.
    #[doc(hidden)]
    pub fn get_or(&self, key: &(impl Hash + ?Sized), birth: impl FnOnce() -> Birth) -> Arc<P> {
        let fingerprint = Fingerprint::of(key);
        self.instances.get_or(fingerprint, self.limits, || {
            let birth = birth();
            let label = birth.label.clone().unwrap_or_else(|| format!("{:032x}", fingerprint.0).into());
            let birth = Birth { label: Some(Arc::clone(&label)), ..birth };
            (P::born(self.config, self.site, birth), label)
        })
    }

    /// The instance of `key`, if there is one.
    pub fn find(&self, key: &(impl Hash + ?Sized)) -> Option<Arc<P>> {
        self.instances.find(Fingerprint::of(key))
    }

    /// Statistics of the instance of `key`, if there is one.
    pub fn stats_of(&self, key: &(impl Hash + ?Sized)) -> Option<P::Stats> {
        self.find(key).map(|instance| instance.stats())
    }

    /// Statistics of all instances, with their labels.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, P::Stats)> {
        self.instances.all().into_iter().map(|(label, instance)| (label, instance.stats())).collect()
    }

    /// How many instances there are, and what became of others.
    #[must_use]
    pub fn stats(&self) -> KeyedStats {
        self.instances.stats()
    }

    /// Resets the instance of `key`; tells whether there is one.
    pub fn reset(&self, key: &(impl Hash + ?Sized)) -> bool {
        self.find(key).map(|instance| instance.reset()).is_some()
    }

    /// Resets all instances.
    pub fn reset_all(&self) {
        for (_, instance) in self.instances.all() {
            instance.reset();
        }
    }
}

impl<P: Instance> fmt::Debug for Keys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("config", &self.config).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// The instances of a policy, one for each key of one type. See [`Keys`], to which it dereferences, for how long they live.
///
/// ```
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Error, Keyed};
/// static HOSTS: Keyed<str, CircuitBreaker> =
///     Keyed::new(CircuitBreakerConfig::new().failures(1).checked()).max_keys(1000).displayed();
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// async fn get(host: &str) -> Result<String, Error> {
///     HOSTS.call(host, async { Ok(host.to_uppercase()) }).await
/// }
/// assert_eq!(get("a.example").await.unwrap(), "A.EXAMPLE");
/// assert_eq!(HOSTS.state(&String::from("b.example")), CircuitState::Closed);
/// assert_eq!(HOSTS.stats().keys, 1);
/// # }
/// ```
pub struct Keyed<K: ?Sized, P: Instance> {
    keys: Keys<P>,
    label: Option<fn(&K) -> String>,
    key: PhantomData<fn(&K)>,
}

impl<K: Hash + ?Sized, P: Instance> Keyed<K, P> {
    /// Instances with this configuration.
    ///
    /// A `const fn` can not check a configuration of any type: write `.checked()` behind it, or the first call panics where
    /// a number can not work.
    #[must_use]
    pub const fn new(config: P::Config) -> Self {
        Self { keys: Keys::new(config), label: None, key: PhantomData }
    }

    /// How many there are at most (1 to 100 000 000; default 10 000).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.keys.limits = self.keys.limits.max_keys(max_keys);
        self
    }

    /// For how long one is kept that is not used (1 ms to a year; default 10 minutes).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.keys.limits = self.keys.limits.idle(idle);
        self
    }

    /// Instances are called what `label` says (default: their fingerprint).
    #[must_use]
    pub const fn label(mut self, label: fn(&K) -> String) -> Self {
        self.label = Some(label);
        self
    }

    /// Instances are called as their keys are displayed.
    #[must_use]
    pub const fn displayed(self) -> Self
    where
        K: fmt::Display,
    {
        self.label(K::to_string)
    }

    /// The instance of `key`, made now if there is none.
    pub fn get(&self, key: &K) -> Arc<P> {
        self.keys.get_or(key, || Birth { label: self.label.map(|label| label(key).into()), check: None })
    }
}

impl<K: ?Sized, P: Instance> std::ops::Deref for Keyed<K, P> {
    type Target = Keys<P>;

    fn deref(&self) -> &Keys<P> {
        &self.keys
    }
}

impl<K: ?Sized, P: Instance> fmt::Debug for Keyed<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.fmt(f)
    }
}
