//! Instances whose keys have one type: for people.

use super::{Birth, Check, Checking, Instance, KeyError, KeyOf, KeyedStats, Keys};
use crate::{error::ConfigError, rate::Rate};
use std::{borrow::Borrow, fmt, hash::Hash, marker::PhantomData, sync::Arc, time::Duration};

/// The instances of a policy, one for each key of one type. See [`Keys`] for how long they live.
///
/// Where a key is only looked up it may have any form that hashes alike: see [`KeyOf`].
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
    check: Option<KeyCheck<K>>,
    rate: Option<fn(&K) -> Rate>,
    key: PhantomData<fn(&K)>,
}

/// What asks for the health of a key's dependency, and how that is bound to one key.
struct KeyCheck<K: ?Sized> {
    ask: AskAbout<K>,
    bind: fn(&K, AskAbout<K>) -> Check,
}

type AskAbout<K> = fn(&K) -> Checking;

fn bind<K>(key: &K, ask: AskAbout<K>) -> Check
where
    K: ToOwned<Owned: Send + Sync + 'static> + ?Sized + 'static,
{
    let key = key.to_owned();
    Arc::new(move || ask(key.borrow()))
}

impl<K: Hash + ?Sized, P: Instance> Keyed<K, P> {
    /// Instances with this configuration.
    ///
    /// A `const fn` can not check a configuration of any type: write `.checked()` behind it, or the first call panics where
    /// a number can not work.
    #[must_use]
    pub const fn new(config: P::Config) -> Self {
        Self { keys: Keys::new(config), label: None, check: None, rate: None, key: PhantomData }
    }

    /// How many there are at most (1 to 100 000 000; default 10 000).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.keys.instances.limits = self.keys.instances.limits.max_keys(max_keys);
        self
    }

    /// For how long one is kept that is not used (1 ms to a year; default 10 minutes).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.keys.instances.limits = self.keys.instances.limits.idle(idle);
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

    /// While the circuit of a key is open, asks this about the key instead of letting probes through, on the terms of
    /// [`CircuitBreakerConfig::health_check`](crate::CircuitBreakerConfig::health_check). Each instance keeps a copy of
    /// its key; the future has to own what it needs of it.
    ///
    /// ```
    /// # use resilient::{CircuitBreaker, CircuitBreakerConfig, Keyed};
    /// async fn ping(host: &str) -> bool { host.ends_with(".example") }
    ///
    /// static HOSTS: Keyed<str, CircuitBreaker> =
    ///     Keyed::new(CircuitBreakerConfig::new().checked()).displayed().health_check(|host| {
    ///         let host = host.to_owned();
    ///         Box::pin(async move { ping(&host).await })
    ///     });
    /// ```
    #[must_use]
    pub const fn health_check(mut self, check: fn(&K) -> Checking) -> Self
    where
        K: ToOwned<Owned: Send + Sync + 'static> + 'static,
    {
        self.check = Some(KeyCheck { ask: check, bind: bind::<K> });
        self
    }

    pub(in crate::policy) const fn of_rate(mut self, rate: fn(&K) -> Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    fn birth(&self, key: &K) -> Birth {
        Birth {
            label: self.label.map(|label| label(key).into()),
            check: self.check.as_ref().map(|check| (check.bind)(key, check.ask)),
            rate: self.rate.map(|rate| rate(key)),
        }
    }

    /// The instance of `key`, made now if there is none.
    ///
    /// A state or a mode that is set by hand outlives its idleness with it; a configuration of its own does not.
    pub fn get(&self, key: &K) -> Arc<P> {
        self.keys.get_or(key, || self.birth(key))
    }

    /// An order for one key.
    pub(crate) fn order(&self, key: &K, order: impl Fn(&P)) -> Result<(), KeyError> {
        self.keys.order(key, Some(self.birth(key)), order)
    }

    /// What is the same whatever the keys' type.
    pub(crate) fn keys(&self) -> &Keys<P> {
        &self.keys
    }

    /// The instance of `key`, if there is one.
    pub fn find<Q: KeyOf<K> + ?Sized>(&self, key: &Q) -> Option<Arc<P>> {
        self.keys.seek(key)
    }

    /// Statistics of the instance of `key`, if there is one.
    pub fn stats_of<Q: KeyOf<K> + ?Sized>(&self, key: &Q) -> Option<P::Stats> {
        self.find(key).map(|instance| instance.stats())
    }

    /// Resets the instance of `key`; tells whether there is one.
    pub fn reset<Q: KeyOf<K> + ?Sized>(&self, key: &Q) -> bool {
        self.find(key).map(|instance| instance.reset()).is_some()
    }
}

impl<K: ?Sized, P: Instance> Keyed<K, P> {
    /// The configuration of all, with what was said for all since.
    pub fn config(&self) -> P::Config {
        self.keys.config()
    }

    /// The policy's name in errors, events and statistics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.keys.name()
    }

    /// Statistics of all instances, with their labels.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, P::Stats)> {
        self.keys.all()
    }

    /// All instances, with their labels.
    #[must_use]
    pub fn instances(&self) -> Vec<(Arc<str>, Arc<P>)> {
        self.keys.instances()
    }

    /// How many instances there are, and what became of others.
    #[must_use]
    pub fn stats(&self) -> KeyedStats {
        self.keys.stats()
    }

    /// Resets all instances.
    pub fn reset_all(&self) {
        self.keys.reset_all();
    }

    /// Has all go by another configuration from now on, new ones too, but for its name and health check.
    ///
    /// # Errors
    /// When a number can not work; then nothing changes.
    pub fn reconfigure(&self, config: P::Config) -> Result<(), ConfigError> {
        self.keys.reconfigure(config)
    }
}

impl<K: ?Sized, P: Instance> fmt::Debug for Keyed<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.fmt(f)
    }
}
