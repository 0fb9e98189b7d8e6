//! Answers in place of what failed.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Answers in place of a call that failed or was refused, by hand.
///
/// As an attribute a fallback is written `#[fallback(path)]` and sees the fn's arguments.
///
/// ```
/// # use resilient::Fallback;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cached = Fallback::new(|error: &str| Ok::<_, &str>(error.len()));
/// assert_eq!(cached.call(async { Err("down") }).await, Ok(4));
/// assert_eq!(cached.stats().answered, 1);
/// # }
/// ```
pub struct Fallback<F> {
    pub(crate) answer: F,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl<F> Fallback<F> {
    /// Answers with `answer`, a fn of the error, sync or async.
    pub const fn new(answer: F) -> Self {
        Self { answer, answered: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    pub(crate) fn has_answered(&self, failed: bool) {
        let count = if failed { &self.failed } else { &self.answered };
        count.fetch_add(1, Relaxed);
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> FallbackStats {
        FallbackStats { answered: self.answered.load(Relaxed), failed: self.failed.load(Relaxed) }
    }
}

impl<F> fmt::Debug for Fallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What a fallback did since it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackStats {
    /// Calls that it answered for.
    pub answered: u64,
    /// Calls for which its answer was an error, too.
    pub failed: u64,
}
