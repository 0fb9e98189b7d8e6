//! What people and schedules do with a bulkhead.

use super::{Bulkhead, BulkheadConfig, limit::Range};
use crate::{error::ConfigError, event::Caller, policy::mode::Mode};

impl Bulkhead {
    /// The configuration that it goes by, with the mode that it was switched to.
    pub fn config(&self) -> BulkheadConfig {
        self.settings.config(self.born).mode(self.places.mode())
    }

    /// Acts, only reports, or does nothing, from now on.
    ///
    /// In the shadow a call that finds no place passes without one, and is counted and reported as rejected, also where it
    /// would have waited: nobody waits there. Switched off, calls pass, take no place and are not counted. Who waits when it
    /// is switched passes.
    pub fn set_mode(&self, mode: Mode) {
        self.settings.touch();
        self.places.set_mode(mode);
    }

    /// Has so many places from now on, whether the limit was found by measurement or not. Fewer than are taken let those
    /// inside finish; who waits for more than there are goes alone.
    ///
    /// # Errors
    /// When `max` can not work; then nothing changes.
    pub fn set_max(&self, max: u32) -> Result<(), ConfigError> {
        self.reconfigure(BulkheadConfig { max, least: None, ..self.config() })
    }

    /// Goes by another configuration from now on, but for its name, its order and its mode. Calls inside finish, and those
    /// that wait go on with the limits that they had. Where the limit is found by measurement, that begins anew.
    ///
    /// # Errors
    /// When a number can not work; then nothing changes.
    pub fn reconfigure(&self, config: BulkheadConfig) -> Result<(), ConfigError> {
        config.check()?;
        self.obey(&config, true);
        Ok(())
    }

    /// Goes by the configuration that it was made with, and measures anew. Calls inside finish, and statistics are kept.
    pub fn reset(&self) {
        self.obey(&self.born, false);
        self.places.set_mode(self.born.mode);
    }

    pub(super) fn set_mode_of_all(&self, mode: Mode) {
        self.places.set_mode(mode);
    }

    pub(super) fn obey(&self, config: &BulkheadConfig, by_hand: bool) {
        self.settings.obey(config, by_hand);
        if let (Some(measure), Some(range)) = (self.measure.get(), config.range()) {
            measure.restart(range);
        }
        let first = config.range().map_or(config.max, Range::first);
        self.limit_to(Caller { site: self.site, alias: "" }, || Some(first));
    }
}
