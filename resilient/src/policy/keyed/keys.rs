//! Instances whose keys have no type: those of an annotated fn.

use super::{Birth, Instance, KeyError, KeyedStats, fingerprint::Fingerprint, instances::Instances};
use crate::error::ConfigError;
use std::{any::type_name, fmt, hash::Hash, sync::Arc, time::Duration};

/// The instances of a policy, one for each key, whatever the keys' type: those of an annotated fn, as the registry gives
/// them. [`Keyed`](super::Keyed) is the same for people, and typed.
///
/// An instance is made at the first call of its key. There are never more than `max_keys`. Beyond that the ones go that
/// have not been used for longest, approximately: where the map is full a new key has 64 others looked at, the next in
/// turn, and the oldest eighth of these goes. Those idle for longer than `idle` go too, as new keys come. Kept are
///
/// - one that refuses calls, until its time is over: where a health check decides, until the longest `open_for` has
///   passed since it opened and it has been idle for longer than `idle`, whichever is later;
/// - one that was set by hand, until it is reset (or has the mode of all again).
///
/// Where all that were looked at are kept (128 at most) a new key gets an instance for that call only; so do others for
/// up to half a millisecond, in which nothing is looked for.
///
/// Keys are hashed with a secret of the process to 128 bits, and not stored. Borrowed and owned forms that hash alike
/// (`str` and `String`) are the same key. What hashes otherwise can not be found: where the calls' key is a `u64`, `&7`,
/// which is an `i32`, gives [`KeyError::WrongType`]. Types are told apart by their names, without references and the
/// standard library's owners.
pub struct Keys<P: Instance> {
    pub(super) instances: Instances<P>,
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
        Self { instances: Instances::new(config, site) }
    }

    /// How many there are at most (1 to 100 000 000; default 10 000).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.instances.limits = self.instances.limits.max_keys(max_keys);
        self
    }

    /// For how long one is kept that is not used (1 ms to a year; default 10 minutes).
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.instances.limits = self.instances.limits.idle(idle);
        self
    }

    /// That which they were made with.
    pub(crate) const fn first_config(&self) -> P::Config {
        self.instances.first_config()
    }

    /// The configuration of all, with what was said for all since.
    pub fn config(&self) -> P::Config {
        self.instances.config()
    }

    /// The policy's name in errors, events and statistics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        P::name_of(&self.first_config())
    }

    /// The instance of `key`, made now if there is none; `birth` says what it is called.
    #[doc(hidden)]
    #[inline]
    pub fn get_or<K: Hash + ?Sized>(&self, key: &K, birth: impl FnOnce() -> Birth) -> Arc<P> {
        self.instances.get_or(key, birth)
    }

    /// That of `key`, whatever its type.
    pub(super) fn seek<K: Hash + ?Sized>(&self, key: &K) -> Option<Arc<P>> {
        self.instances.find(Fingerprint::of(key))
    }

    /// An order for one key, which outlives its idleness. Without a `birth`, an instance that has to be made learns at its
    /// first call what it is called.
    pub(crate) fn order<K: Hash + ?Sized>(
        &self,
        key: &K,
        birth: Option<Birth>,
        order: impl Fn(&P),
    ) -> Result<(), KeyError> {
        self.instances.order(key, birth, order)
    }

    /// Whether a key of that type may be one of the calls'.
    pub(crate) fn knows<K: ?Sized>(&self) -> Result<(), KeyError> {
        self.instances.knows(type_name::<K>())
    }

    /// A change of the configuration of all, those of the future too.
    pub(crate) fn configure<E>(
        &self,
        next: impl FnOnce(P::Config) -> Result<P::Config, E>,
        tell: impl Fn(&P),
    ) -> Result<(), E> {
        self.instances.configure(next, tell)
    }

    /// The instance of `key`, if there is one.
    ///
    /// # Errors
    /// [`KeyError::WrongType`] where no call has a key of this type.
    pub fn find<K: Hash + ?Sized>(&self, key: &K) -> Result<Option<Arc<P>>, KeyError> {
        self.knows::<K>()?;
        Ok(self.seek(key))
    }

    /// Statistics of the instance of `key`, if there is one.
    ///
    /// # Errors
    /// [`KeyError::WrongType`] where no call has a key of this type.
    pub fn stats_of<K: Hash + ?Sized>(&self, key: &K) -> Result<Option<P::Stats>, KeyError> {
        Ok(self.find(key)?.map(|instance| instance.stats()))
    }

    /// Resets the instance of `key`; tells whether there is one.
    ///
    /// # Errors
    /// [`KeyError::WrongType`] where no call has a key of this type.
    pub fn reset<K: Hash + ?Sized>(&self, key: &K) -> Result<bool, KeyError> {
        Ok(self.find(key)?.map(|instance| instance.reset()).is_some())
    }

    /// Statistics of all instances, with their labels.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, P::Stats)> {
        self.instances().into_iter().map(|(label, instance)| (label, instance.stats())).collect()
    }

    /// All instances, with their labels.
    #[must_use]
    pub fn instances(&self) -> Vec<(Arc<str>, Arc<P>)> {
        self.instances.all()
    }

    /// How many instances there are, and what became of others.
    #[must_use]
    pub fn stats(&self) -> KeyedStats {
        self.instances.stats()
    }

    /// Resets all instances.
    pub fn reset_all(&self) {
        for (_, instance) in self.instances.all() {
            instance.reset();
        }
    }

    /// Has all go by another configuration from now on, new ones too, but for its name and health check.
    ///
    /// # Errors
    /// When a number can not work; then nothing changes.
    pub fn reconfigure(&self, config: P::Config) -> Result<(), ConfigError> {
        self.configure(
            |old| P::next_config(&old, config),
            |instance| {
                let is_checked = instance.reconfigure(config);
                debug_assert!(is_checked.is_ok());
            },
        )
    }
}

impl<P: Instance> fmt::Debug for Keys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("config", &self.config()).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
