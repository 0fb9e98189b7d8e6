//! A bulkhead that is one of many, by key.

use super::{Bulkhead, BulkheadConfig, BulkheadStats};
use crate::policy::keyed::{Birth, Instance};

impl Instance for Bulkhead {
    type Config = BulkheadConfig;
    type Stats = BulkheadStats;

    fn born(config: BulkheadConfig, site: &'static str, birth: Birth) -> Self {
        Self { label: birth.label, ..Self::owned(config, site) }
    }

    fn name_of(config: &BulkheadConfig) -> &'static str {
        config.name
    }

    /// While somebody is inside or waits, who would otherwise meet a second bulkhead of the same key; and while it is set by
    /// hand.
    fn is_pinned(&self) -> bool {
        let word = self.places.word();
        word.taken() > 0 || word.waiters() > 0 || self.settings.is_by_hand()
    }

    fn stats(&self) -> BulkheadStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
