//! What policies report, to whom it may concern.
//!
//! Events are emitted outside any lock, after the state has changed. A subscriber that panics is isolated:
//! the call goes on and the other subscribers hear the event.

use crate::{
    brief::{Brief, Count},
    cause::Cause,
    error::{Error, Reason},
    ratio::Ratio,
};
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
    /// Which of a keyed policy's instances it was, by its label.
    pub key: Option<Arc<str>>,
    /// What happened.
    pub kind: EventKind,
}

/// On whose behalf a policy acts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The annotated function, or `""` for a policy used by hand.
    pub(crate) site: &'static str,
    /// What the function calls the policy, if not by its own name.
    pub(crate) alias: &'static str,
}

impl Caller {
    pub(crate) const BY_HAND: Self = Self { site: "", alias: "" };

    pub(crate) fn policy(self, own: &'static str) -> &'static str {
        if self.alias.is_empty() { own } else { self.alias }
    }
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
        /// How long it refuses calls; absent when it was opened by hand.
        open_for: Option<Duration>,
        /// Why.
        cause: Cause,
    },
    /// A circuit breaker lets probes through.
    HalfOpened,
    /// A circuit breaker closed.
    #[non_exhaustive]
    Closed {
        /// Why.
        cause: Cause,
    },
    /// A circuit breaker has no runtime to run its health check, or that runtime has shut down or runs it no longer: it
    /// lets probes through instead.
    HealthCheckStopped,
    /// A circuit breaker was disabled: it admits everything and records nothing.
    Disabled,
    /// A result arrived from an earlier state of the breaker, and was not counted.
    LateResult,
    /// A policy refused the call.
    #[non_exhaustive]
    Rejected {
        /// Why, and when to come back.
        error: Error,
        /// The policy is in [`Mode::Shadow`](crate::Mode::Shadow), so the call passed nevertheless.
        shadow: bool,
    },
    /// A rate limiter goes on at a smaller share of its rate: its dependency is not well.
    #[non_exhaustive]
    Slowed {
        /// The share.
        share: Ratio,
    },
    /// A limit that is found by measurement, or was set by hand, has moved by a fifth or more.
    #[non_exhaustive]
    LimitChanged {
        /// The limit that was reported before.
        from: u32,
        /// The limit now.
        to: u32,
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
        /// The last failure, where the error implements `Debug`.
        error: Option<String>,
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
        match &self.key {
            Some(key) => write!(f, "{} of {key}: {}", self.policy, self.kind),
            None => write!(f, "{}: {}", self.policy, self.kind),
        }
    }
}

impl EventKind {
    /// One word for it: `opened`, `rejected`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::HalfOpened => "half_opened",
            Self::Closed { .. } => "closed",
            Self::HealthCheckStopped => "health_check_stopped",
            Self::Disabled => "disabled",
            Self::LateResult => "late_result",
            Self::Rejected { .. } => "rejected",
            Self::Slowed { .. } => "slowed",
            Self::LimitChanged { .. } => "limit_changed",
            Self::TimedOut { .. } => "timed_out",
            Self::Retried { .. } => "retried",
            Self::RetriesExhausted { .. } => "retries_exhausted",
            Self::FellBack { .. } => "fell_back",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |f: &mut fmt::Formatter<'_>, word: &str, error: &Option<String>| match error {
            Some(error) => write!(f, "{word}{error}"),
            None => Ok(()),
        };
        match self {
            Self::Opened { open_for: Some(time), cause, .. } => write!(f, "opened for {}: {cause}", Brief(*time)),
            Self::Opened { cause, .. } => write!(f, "opened {cause}"),
            Self::HalfOpened => f.write_str("half-opened"),
            Self::Closed { cause } => write!(f, "closed: {cause}"),
            Self::HealthCheckStopped => f.write_str("the health check has no runtime: probes decide instead"),
            Self::Disabled => f.write_str("disabled"),
            Self::LateResult => f.write_str("a late result was not counted"),
            Self::Rejected { error, shadow } => {
                write!(f, "{}: {}", if *shadow { "would reject" } else { "rejected" }, Reason(error))
            }
            Self::Slowed { share } => write!(f, "slowed to {share} of its rate"),
            Self::LimitChanged { from, to } => write!(f, "the limit went from {from} to {to}"),
            Self::TimedOut { after } => write!(f, "timed out after {}", Brief(*after)),
            Self::Retried { attempt, delay, error } => {
                write!(f, "attempt {attempt} failed, retry in {}", Brief(*delay))?;
                because(f, ": ", error)
            }
            Self::RetriesExhausted { attempts, reason, error } => {
                write!(f, "gave up after {}, {reason}", Count((*attempts).into(), "attempt"))?;
                because(f, ": ", error)
            }
            Self::FellBack { error, fallback_error } => {
                f.write_str(if fallback_error.is_some() { "the fallback failed" } else { "fell back" })?;
                because(f, ", answering for ", error)?;
                because(f, ", with ", fallback_error)
            }
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "which are all",
            Self::MaxDuration => "for the next would start too late",
            Self::Deadline => "for the next would start after the deadline",
        })
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
        refused(error, None, false);
    }
}

/// The same of one of a keyed policy's instances, or of a policy in the shadow.
#[cold]
pub(crate) fn refused(error: &Error, key: Option<&Arc<str>>, shadow: bool) {
    let caller = Caller { site: error.site(), alias: error.policy() };
    emit_of(caller, "", key, EventKind::Rejected { error: error.clone(), shadow });
}

#[cold]
pub(crate) fn emit(caller: Caller, own_name: &'static str, kind: EventKind) {
    emit_of(caller, own_name, None, kind);
}

#[cold]
pub(crate) fn emit_of(caller: Caller, own_name: &'static str, key: Option<&Arc<str>>, kind: EventKind) {
    if !heard() {
        return;
    }
    let event = Event { site: caller.site, policy: caller.policy(own_name), key: key.cloned(), kind };
    #[cfg(feature = "tracing")]
    isolated(|| trace(&event));
    if COUNT.load(Ordering::Relaxed) > 0 {
        let subscribers = SUBSCRIBERS.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (_, callback) in subscribers {
            isolated(|| callback(&event));
        }
    }
}

/// Whoever panics here is not the caller; the panic hook has reported it. What was thrown may panic when it is dropped.
pub(crate) fn isolated<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run)).map_err(std::mem::forget).ok()
}

/// The text of a user's error, which may panic while it is written.
pub(crate) fn text(error: &impl fmt::Debug) -> Option<String> {
    isolated(|| format!("{error:?}"))
}

#[cfg(feature = "tracing")]
fn trace(event: &Event) {
    let Event { site, policy, key, kind } = event;
    let (name, key) = (kind.name(), key.as_deref());
    match kind {
        EventKind::Opened { .. } | EventKind::HealthCheckStopped => {
            tracing::warn!(target: "resilient", site, policy, key, kind = name, "{kind}");
        }
        EventKind::HalfOpened | EventKind::Closed { .. } | EventKind::Disabled => {
            tracing::info!(target: "resilient", site, policy, key, kind = name, "{kind}");
        }
        _ => tracing::debug!(target: "resilient", site, policy, key, kind = name, "{kind}"),
    }
}
