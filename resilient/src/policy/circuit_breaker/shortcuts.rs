//! What calls may do without asking the machine, and the word that tells them. Pure.

use super::rules::{Rules, Span};
use crate::policy::mode::Mode;

/// What a call may do without asking the machine, until its next step.
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of one word")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shortcuts {
    /// It is admitted.
    pub(super) admit: bool,
    /// Its fast success changes nothing.
    pub(super) absorb: bool,
    /// Its fast success is counted by its thread; unless it is the first in a bucket while the window holds evidence.
    pub(super) count: bool,
    /// The window holds failures or slow calls: as old results leave it, a success may be what opens the circuit. Or it
    /// is being learnt.
    pub(super) evidence_held: bool,
    /// Its time is watched.
    pub(super) watch: bool,
    /// It passes where it would be refused.
    pub(super) shadow: bool,
    /// Nothing of it is recorded.
    pub(super) deaf: bool,
}

pub(super) const ADMIT: u64 = 1 << 32;
pub(super) const ABSORB: u64 = 1 << 33;
pub(super) const COUNT: u64 = 1 << 34;
pub(super) const EVIDENCE_HELD: u64 = 1 << 35;
pub(super) const WATCH: u64 = 1 << 36;
pub(super) const SHADOW: u64 = 1 << 37;
pub(super) const DEAF: u64 = 1 << 38;

/// The generation is below the flags.
pub(super) const GENERATION: u64 = u32::MAX as u64;

pub(super) const fn generation(word: u64) -> u32 {
    word as u32
}

const fn flag(set: bool, flag: u64) -> u64 {
    if set { flag } else { 0 }
}

impl Shortcuts {
    /// Those of a breaker that has seen no call.
    pub(super) const fn first(rules: &Rules) -> Self {
        let deaf = matches!(rules.mode, Mode::Off);
        let is_timed = matches!(rules.span, Span::Time(_));
        Self {
            admit: true,
            absorb: deaf || matches!(rules.span, Span::Streak),
            count: is_timed && !deaf,
            evidence_held: rules.adaptive && !deaf,
            watch: rules.slow.is_some() && !deaf,
            shadow: matches!(rules.mode, Mode::Shadow),
            deaf,
        }
    }

    /// With them, what calls are admitted to.
    pub(super) const fn word(self, generation: u32) -> u64 {
        generation as u64
            | flag(self.admit, ADMIT)
            | flag(self.absorb, ABSORB)
            | flag(self.count, COUNT)
            | flag(self.evidence_held, EVIDENCE_HELD)
            | flag(self.watch, WATCH)
            | flag(self.shadow, SHADOW)
            | flag(self.deaf, DEAF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CircuitBreakerConfig,
        policy::circuit_breaker::{machine::Machine, window::Successes},
    };
    use std::time::Duration;

    struct Nobody;

    impl Successes for Nobody {
        fn within(&self, _: u64, _: u64) -> u64 {
            0
        }
    }

    #[test]
    fn the_first_are_those_that_the_machine_gives() {
        let new = CircuitBreakerConfig::new();
        for config in [new, new.failures(3), new.window_calls(10), new.adaptive(), new.adaptive().window_calls(10)] {
            for mode in [Mode::On, Mode::Shadow, Mode::Off] {
                let config = config.mode(mode);
                let slow = config.slow_call(Duration::from_secs(1));
                for config in [config, slow].into_iter().filter(|config| config.check().is_ok()) {
                    let machine = Machine::new(config.rules());
                    assert_eq!(Shortcuts::first(&config.rules()), machine.shortcuts(1 << 50, &Nobody), "{config:?}");
                }
            }
        }
    }
}
