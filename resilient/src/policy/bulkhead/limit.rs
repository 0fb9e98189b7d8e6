//! Finds by measurement how many calls may run at once. Pure.
//!
//! Calls are judged in windows. Where they queue in the dependency, a window's calls take longer than calls do without load,
//! and the share by which they do is the share of those in flight that are too many. So the limit becomes what was in flight
//! times `unloaded / loaded`, plus some room for bursts, the square root of it, by which it also rises; and by more where it
//! is far from the limit at which calls queued last.
//!
//! How long calls take without load is the one number that must not be wrong: too low and the limit never recovers, too high
//! and queues are taken for normal. It falls with what is quicker. It is measured anew every [`PROBE_EVERY`] windows, with
//! half the limit for two windows; when the limit has fallen by half and calls are not much quicker for it; when calls stay
//! slow where the limit is the lowest or not used; and after a time without calls. Between these it follows calls that do not queue, slowly.

use crate::time::Nanos;

/// Between which the limit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: u32,
    pub(super) most: u32,
}

impl Range {
    /// The limit to begin with. Above what the dependency serves at once, calls without load could not be measured.
    pub(super) const fn first(self) -> u32 {
        self.least
    }
}

/// What was measured of some calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// Calls that ended well, or were slow and then cancelled.
    pub(super) calls: u32,
    /// Calls that failed or timed out.
    pub(super) dropped: u32,
    /// What the former took on average, in nanoseconds.
    pub(super) took: f64,
    /// By how much the average of as many others might differ: its standard error.
    pub(super) error: f64,
    /// The most that were in flight.
    pub(super) peak: u32,
}

impl Window {
    /// With the sums of what its calls took and of the squares of that.
    pub(super) fn of(self, sum: f64, squares: f64) -> Self {
        let calls = f64::from(self.calls.max(1));
        let took = sum / calls;
        let variance = (squares / calls - took * took).max(0.0);
        Self { took, error: (variance / calls).sqrt(), ..self }
    }
}

#[derive(Debug)]
pub(super) struct Limit {
    range: Range,
    current: f64,
    /// How long calls take without load, once that is known.
    unloaded: Option<f64>,
    /// Where calls queued last.
    knee: f64,
    /// Since when the limit falls: from where, and how long calls took there.
    fall: Option<(f64, f64)>,
    /// Windows in turn in which calls were slow, and a lower limit could not have helped: it is the lowest, or not used.
    helpless: u32,
    /// Windows until the next probe.
    probe_in: u32,
    probe: Option<Probe>,
    /// The end of the last window.
    last: Nanos,
}

/// A look at calls without load.
#[derive(Debug)]
struct Probe {
    /// The limit to go back to.
    back: f64,
    /// Calls of before have ended.
    is_drained: bool,
    /// How long calls took with twice this limit, which was not enough to tell.
    before: Option<f64>,
}

/// A twelfth slower, and calls are said to queue.
const QUEUES: f64 = 12.0 / 13.0;
/// And this much slower never by chance.
const NO_CHANCE: f64 = 0.7;
/// Averages that differ by so many standard errors differ by more than chance.
const CHANCE: f64 = 1.0;
const PROBE_EVERY: u32 = 40;
/// A share of failures that is no matter of load.
const TOLERATED: f64 = 0.1;
/// After so long without a window nothing is known of how long calls take.
const STALE: Nanos = 60_000_000_000;
/// And sooner where it may be wrong.
const PROBE_SOON: u32 = 6;
/// By so much of the difference, what is known of calls without load follows those that do not queue.
const FOLLOW: f64 = 0.03;

impl Limit {
    pub(super) fn new(range: Range) -> Self {
        Self {
            range,
            current: range.first().into(),
            unloaded: None,
            knee: f64::INFINITY,
            fall: None,
            helpless: 0,
            probe_in: PROBE_SOON,
            probe: None,
            last: 0,
        }
    }

    pub(super) fn range(&self) -> Range {
        self.range
    }

    /// How many calls may run at once.
    #[expect(clippy::cast_sign_loss, reason = "it lies within the range")]
    pub(super) fn now(&self) -> u32 {
        (self.current as u32).clamp(self.range.least, self.range.most)
    }

    /// How long calls take without load, in nanoseconds.
    pub(super) fn unloaded(&self) -> Option<f64> {
        self.unloaded
    }

    /// How many calls the next window has: enough for an average, and most of them begun under the present limit.
    pub(super) fn window(&self) -> u32 {
        let limit = self.now();
        // All that were in flight before a probe, twice as many, end before it is measured.
        let is_draining = self.probe.as_ref().is_some_and(|probe| !probe.is_drained);
        let size = if is_draining { limit.saturating_mul(2) } else { limit + limit / 2 };
        size.clamp(20, 1000)
    }

    /// Judges a window that ends now.
    pub(super) fn close(&mut self, now: Nanos, window: Window) {
        let is_stale = now.saturating_sub(std::mem::replace(&mut self.last, now)) > STALE;
        if is_stale {
            (self.unloaded, self.fall) = (None, None);
        }
        if f64::from(window.dropped) > TOLERATED * f64::from(window.calls + window.dropped) {
            self.end_probe();
            self.knee = self.current;
            self.set(self.current * 0.9);
            return;
        }
        if window.calls == 0 {
            return;
        }
        match &mut self.probe {
            Some(Probe { is_drained: is_drained @ false, .. }) => *is_drained = true,
            Some(_) => self.judge_probe(window.took),
            None => self.judge(window),
        }
    }

    /// Where calls are slower than they were known to be without load, half of that half tells whether they queue still.
    fn judge_probe(&mut self, took: f64) {
        let is_slower = self.unloaded.is_some_and(|unloaded| unloaded / took < QUEUES);
        if let Some(probe) = &mut self.probe {
            let is_quicker = probe.before.is_none_or(|before| took < 0.8 * before);
            if is_slower && is_quicker && self.current > self.range.least.into() {
                (probe.before, probe.is_drained) = (Some(took), false);
                self.set(self.current / 2.0);
                return;
            }
        }
        self.unloaded = Some(took);
        self.end_probe();
    }

    fn end_probe(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.probe_in = PROBE_EVERY;
            self.set(probe.back);
        }
    }

    fn judge(&mut self, window: Window) {
        let unloaded = *self.unloaded.get_or_insert(window.took);
        // While no queue has been seen yet, both averages are of few calls.
        let chance = if self.knee.is_finite() { CHANCE } else { 2.0 * CHANCE } * window.error;
        // As quick as they may be, and as slow.
        let (quick, slow) = ((window.took - chance).max(1.0), window.took + chance);
        let peak = f64::from(window.peak);
        if unloaded / quick < QUEUES {
            self.is_slow((unloaded / window.took).max(0.5), window.took, peak);
        } else {
            let follow = if slow < unloaded { 0.5 } else { FOLLOW };
            self.unloaded = Some(unloaded + follow * (window.took - unloaded));
            self.is_quick(peak);
        }
        self.probe_in = self.probe_in.saturating_sub(1);
        // Where little is in flight, every window shows calls without load.
        if self.probe_in == 0 {
            let half = self.current / 2.0;
            self.probe = Some(Probe { back: self.current, is_drained: false, before: None });
            self.set(half);
        }
    }

    /// Calls do not queue: the limit may rise, if it is used.
    fn is_quick(&mut self, peak: f64) {
        (self.fall, self.helpless) = (None, 0);
        if peak < 0.75 * self.current.floor() {
            return;
        }
        let step = match self.current / self.knee {
            ..0.7 => self.current / 2.0,
            1.5.. => self.current / 4.0,
            _ => 0.0,
        };
        self.set(self.current + step.max(self.current.sqrt()));
    }

    /// Calls queue: the limit becomes what ran at once without a queue, and some room.
    fn is_slow(&mut self, share: f64, took: f64, peak: f64) {
        let running = peak.min(self.current);
        // Chance would bring down bit by bit what nobody uses, and so does not bring up again.
        let is_used = running >= self.current / 2.0;
        if !is_used && share > NO_CHANCE {
            return;
        }
        self.knee = running * share;
        let room = running * share + running.sqrt();
        let could_help = self.now() > self.range.least && is_used;
        self.helpless = if could_help { 0 } else { self.helpless + 1 };
        let (from, took_there) = match self.fall {
            // Where they take longer still, it is another fall.
            Some(fall) if took < 1.25 * fall.1 => fall,
            _ => *self.fall.insert((running, took)),
        };
        let in_vain = running <= 0.6 * from && took > 0.75 * took_there;
        if in_vain || self.helpless >= 2 {
            // Less load has made them no quicker: this is how long they take.
            (self.unloaded, self.fall, self.helpless) = (Some(took), None, 0);
            self.probe_in = self.probe_in.min(PROBE_SOON);
            return;
        }
        // One that is far from being used comes down by half at a time: a few slow calls are no reason to forget it.
        self.set(self.current.min(room.max(self.current / 2.0)));
    }

    fn set(&mut self, limit: f64) {
        self.current = limit.clamp(self.range.least.into(), self.range.most.into());
    }
}

#[cfg(test)]
mod tests;
