//! A dependency that fails as often as it is told to.

use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Refused(#[from] resilient::Error),
    #[error("transient")]
    Transient,
    #[error("permanent")]
    Permanent,
}

impl Fault {
    pub(crate) fn is_transient(&self) -> bool {
        *self == Self::Transient
    }
}

/// Fails so many times, then gives the number of the run.
#[derive(Debug, Default)]
pub(crate) struct Flaky {
    failures: AtomicU32,
    runs: AtomicU32,
}

impl Flaky {
    pub(crate) const fn failing(times: u32) -> Self {
        Self { failures: AtomicU32::new(times), runs: AtomicU32::new(0) }
    }

    pub(crate) fn run(&self) -> Result<u32, Fault> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        let left = self.failures.load(Ordering::Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(Fault::Transient);
        }
        Ok(run)
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }
}

/// What is never ready.
pub(crate) async fn forever<T>() -> T {
    std::future::pending().await
}
