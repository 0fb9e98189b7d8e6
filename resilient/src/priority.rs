//! How urgent a call is.

use std::{cmp::Ordering, fmt};

/// How urgent a call is, where calls stand in line by [`priority`](crate::BulkheadConfig::order).
///
/// The more urgent is the greater one: `Critical > High > Normal > Low`.
///
/// A class does not go first for ever: waiting makes a call more urgent, by one class per second. So a `Low` call is passed
/// over only by `Normal` ones that come less than a second after it, by `High` ones less than two and by `Critical` ones
/// less than three seconds after it.
///
/// ```
/// # use resilient::Priority;
/// assert!(Priority::Critical > Priority::High && Priority::Normal > Priority::Low);
/// assert_eq!(Priority::default(), Priority::Normal);
/// assert_eq!(Priority::High.to_string(), "high");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// What must not fail: the last to wait, and the last to be refused.
    Critical,
    /// What somebody waits for.
    High,
    /// What is not said to be anything else.
    #[default]
    Normal,
    /// What may as well be done later: batches, prefetching.
    Low,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// Its place in [`ALL`](Self::ALL): 0 for the most urgent.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// One word for it: `critical`, `high`, `normal`, `low`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl Ord for Priority {
    fn cmp(&self, other: &Self) -> Ordering {
        other.index().cmp(&self.index())
    }
}

impl PartialOrd for Priority {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_urgent_is_the_greater_one() {
        assert!(Priority::ALL.is_sorted_by(|one, other| one > other));
        assert!(Priority::ALL.iter().enumerate().all(|(index, class)| class.index() == index));
    }
}
