//! A bulkhead that is one of many, by key.

use super::{Bulkhead, BulkheadConfig, BulkheadStats};
use crate::{
    error::ConfigError,
    policy::keyed::{Birth, Identity, Instance, Keep},
    time::Nanos,
};

impl Instance for Bulkhead {
    type Config = BulkheadConfig;
    type Stats = BulkheadStats;

    fn born(config: BulkheadConfig, site: &'static str, birth: Birth) -> Self {
        Self { identity: Identity::new(birth), ..Self::owned(config, site) }
    }

    fn learn(&self, birth: Birth) {
        self.identity.learn(birth);
    }

    fn name_of(config: &BulkheadConfig) -> &'static str {
        config.name
    }

    /// While somebody is inside or waits, a new one of the same key would let others in besides.
    fn keep(&self, _: Nanos, _: Nanos, _: Nanos) -> Keep {
        let word = self.places.word();
        if self.settings.is_by_hand() {
            Keep::ByHand
        } else if word.taken() > 0 || word.waiters() > 0 {
            Keep::Refusing
        } else {
            Keep::No
        }
    }

    fn next_config(_: &BulkheadConfig, new: BulkheadConfig) -> Result<BulkheadConfig, ConfigError> {
        new.check()?;
        Ok(new)
    }

    fn reconfigure(&self, config: BulkheadConfig) -> Result<(), ConfigError> {
        config.check()?;
        self.obey(&config, false);
        self.set_mode_of_all(config.mode);
        Ok(())
    }

    fn stats(&self) -> BulkheadStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
