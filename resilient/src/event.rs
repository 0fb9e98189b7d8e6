//! What policies report, to whom it may concern.
//!
//! Events are emitted outside any lock, after the state has changed. A subscriber that panics is isolated:
//! the call goes on and the other subscribers hear the event.

use crate::error::Error;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Something that a policy did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The annotated function (`module::path::fn`), or `""` for a policy used by hand.
    pub site: &'static str,
    /// The policy's name.
    pub policy: &'static str,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// A circuit breaker opened.
    #[non_exhaustive]
    Opened {
        /// Failures in the window that decided.
        failures: u64,
        /// Calls in that window.
        calls: u64,
        /// Until when it refuses calls; absent when it was opened by hand.
        open_for: Option<Duration>,
    },
    /// A circuit breaker lets probes through.
    HalfOpened,
    /// A circuit breaker closed.
    Closed,
    /// A circuit breaker was disabled: it admits everything and records nothing.
    Disabled,
    /// A result arrived from an earlier state of the breaker, and was not counted.
    LateResult,
    /// A policy refused the call.
    #[non_exhaustive]
    Rejected {
        /// Why, and when to come back.
        error: Error,
    },
    /// The function was cancelled because its time was over.
    #[non_exhaustive]
    TimedOut {
        /// The timeout that expired.
        after: Duration,
    },
    /// An attempt failed and another will be made.
    #[non_exhaustive]
    Retried {
        /// The attempt that failed, counted from 1.
        attempt: u32,
        /// The pause before the next.
        delay: Duration,
        /// The failure, where the error implements `Debug`.
        error: Option<String>,
    },
    /// An attempt failed and no other will be made, although the policy would retry this failure.
    #[non_exhaustive]
    RetriesExhausted {
        /// How many attempts were made.
        attempts: u32,
        /// What ended them.
        reason: StopReason,
    },
    /// A fallback answered.
    #[non_exhaustive]
    FellBack {
        /// The failure that it answered for, where the error implements `Debug`.
        error: Option<String>,
        /// Its own error, if it failed too (an empty text where the error does not implement `Debug`).
        fallback_error: Option<String>,
    },
}

/// Why a retry gave up on a failure that it would have retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// All attempts were used.
    Attempts,
    /// The next attempt would have started after `max_duration`.
    MaxDuration,
    /// The next attempt would have started after the deadline around it.
    Deadline,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.site.is_empty() {
            write!(f, "{} ", self.site)?;
        }
        write!(f, "{}: ", self.policy)?;
        match &self.kind {
            EventKind::Opened { failures, calls, open_for: Some(time) } => {
                write!(f, "opened for {time:?} after {failures} failures in {calls} calls")
            }
            EventKind::Opened { .. } => f.write_str("opened by hand"),
            EventKind::HalfOpened => f.write_str("half-opened"),
            EventKind::Closed => f.write_str("closed"),
            EventKind::Disabled => f.write_str("disabled"),
            EventKind::LateResult => f.write_str("a late result was not counted"),
            EventKind::Rejected { error } => write!(f, "rejected: {error}"),
            EventKind::TimedOut { after } => write!(f, "timed out after {after:?}"),
            EventKind::Retried { attempt, delay, error } => {
                write!(f, "attempt {attempt} failed, retry in {delay:?}")?;
                error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
            }
            EventKind::RetriesExhausted { attempts, reason } => {
                write!(f, "gave up after {attempts} attempts ({reason:?})")
            }
            EventKind::FellBack { error, fallback_error } => {
                f.write_str(if fallback_error.is_some() { "the fallback failed" } else { "fell back" })?;
                if let Some(error) = error {
                    write!(f, ", answering for {error}")?;
                }
                fallback_error.as_ref().map_or(Ok(()), |error| write!(f, ", with {error}"))
            }
        }
    }
}

type Callback = dyn Fn(&Event) + Send + Sync;

static SUBSCRIBERS: RwLock<Vec<(usize, Arc<Callback>)>> = RwLock::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Calls `callback` with every event of the process, until the returned guard is dropped.
///
/// The callback runs in the task that caused the event: keep it short. It may subscribe and unsubscribe.
///
/// ```
/// let guard = resilient::subscribe(|event| println!("{event}"));
/// drop(guard);
/// ```
pub fn subscribe(callback: impl Fn(&Event) + Send + Sync + 'static) -> Subscription {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut subscribers = SUBSCRIBERS.write().unwrap_or_else(PoisonError::into_inner);
    subscribers.push((id, Arc::new(callback)));
    COUNT.store(subscribers.len(), Ordering::Relaxed);
    Subscription { id }
}

/// Ends a subscription when dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    id: usize,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = SUBSCRIBERS.write().unwrap_or_else(PoisonError::into_inner);
        let removed = subscribers.iter().position(|(id, _)| *id == self.id).map(|index| subscribers.remove(index));
        COUNT.store(subscribers.len(), Ordering::Relaxed);
        drop(subscribers);
        // What the callback captured is dropped outside the lock.
        drop(removed);
    }
}

/// Whether anybody would hear an event: texts are made only then.
pub(crate) fn heard() -> bool {
    COUNT.load(Ordering::Relaxed) > 0 || traced()
}

#[cfg(feature = "tracing")]
fn traced() -> bool {
    tracing::enabled!(target: "resilient", tracing::Level::DEBUG)
}

#[cfg(not(feature = "tracing"))]
fn traced() -> bool {
    false
}

/// Reports a refusal on its way to the caller.
#[inline]
pub(crate) fn rejected(error: &Error) {
    if heard() {
        emit(error.site(), error.policy(), EventKind::Rejected { error: error.clone() });
    }
}

#[cold]
pub(crate) fn emit(site: &'static str, policy: &'static str, kind: EventKind) {
    if !heard() {
        return;
    }
    let event = Event { site, policy, kind };
    #[cfg(feature = "tracing")]
    let _ = catch_unwind(|| trace(&event));
    if COUNT.load(Ordering::Relaxed) > 0 {
        let subscribers = SUBSCRIBERS.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (_, callback) in subscribers {
            // The payload is dropped; the panic hook has already reported it.
            let _ = catch_unwind(AssertUnwindSafe(|| callback(&event)));
        }
    }
}

#[cfg(feature = "tracing")]
fn trace(event: &Event) {
    let Event { site, policy, kind } = event;
    match kind {
        EventKind::Opened { .. } => tracing::warn!(target: "resilient", site, policy, "{event}"),
        EventKind::HalfOpened | EventKind::Closed | EventKind::Disabled => {
            tracing::info!(target: "resilient", site, policy, "{event}");
        }
        _ => tracing::debug!(target: "resilient", site, policy, "{event}"),
    }
}
