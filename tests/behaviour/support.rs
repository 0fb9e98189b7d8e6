//! A dependency that does as it is told, and futures that are cut short.

use resilient::{Event, Site, Subscription, registry, subscribe};
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::{Instant, sleep};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Refused(#[from] resilient::Error),
    #[error("down, run {0}")]
    Down(u32),
    #[error("bad request")]
    BadRequest,
}

impl Fault {
    pub(crate) fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }

    pub(crate) fn ours(&self) -> &resilient::Error {
        match self {
            Self::Refused(error) => error,
            other => panic!("{other:?} is not one of ours"),
        }
    }
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What one run of the dependency does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Succeed,
    Fail,
    /// An error that is an answer.
    Refuse,
    Panic,
    Hang,
    /// Takes so many milliseconds, then succeeds.
    Slow(u64),
    /// Takes so many milliseconds, then fails.
    SlowFail(u64),
    /// Wakes itself so often before it succeeds.
    Yield(u32),
    /// Wakes itself so often before it panics.
    YieldPanic(u32),
}

/// A dependency that follows a script; the last act repeats.
#[derive(Debug)]
pub(crate) struct Dependency {
    script: Mutex<VecDeque<Act>>,
    runs: AtomicU32,
    pub(crate) running: AtomicU32,
    pub(crate) most_running: AtomicU32,
    pub(crate) starts: Mutex<Vec<Duration>>,
    epoch: Instant,
}

impl Dependency {
    pub(crate) fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self {
            script: Mutex::new(script.into_iter().collect()),
            runs: AtomicU32::new(0),
            running: AtomicU32::new(0),
            most_running: AtomicU32::new(0),
            starts: Mutex::new(Vec::new()),
            epoch: Instant::now(),
        }
    }

    pub(crate) fn act(&self, script: impl IntoIterator<Item = Act>) {
        *self.script.lock().unwrap() = script.into_iter().collect();
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Relaxed)
    }

    /// When each run began, in milliseconds.
    pub(crate) fn starts(&self) -> Vec<u128> {
        self.starts.lock().unwrap().iter().map(Duration::as_millis).collect()
    }

    pub(crate) async fn run(&self) -> Result<u32, Fault> {
        let run = self.runs.fetch_add(1, Relaxed) + 1;
        self.starts.lock().unwrap().push(self.epoch.elapsed());
        let running = self.running.fetch_add(1, Relaxed) + 1;
        self.most_running.fetch_max(running, Relaxed);
        let _running = OnDrop(|| {
            self.running.fetch_sub(1, Relaxed);
        });
        let act = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().copied() }
        };
        match act.unwrap_or(Act::Succeed) {
            Act::Succeed => Ok(run),
            Act::Fail => Err(Fault::Down(run)),
            Act::Refuse => Err(Fault::BadRequest),
            Act::Panic => quietly_panic(),
            Act::Hang => std::future::pending().await,
            Act::Slow(millis) => {
                sleep(ms(millis)).await;
                Ok(run)
            }
            Act::SlowFail(millis) => {
                sleep(ms(millis)).await;
                Err(Fault::Down(run))
            }
            Act::Yield(times) => {
                yields(times).await;
                Ok(run)
            }
            Act::YieldPanic(times) => {
                yields(times).await;
                quietly_panic()
            }
        }
    }
}

/// A panic that prints nothing.
pub(crate) fn quietly_panic<T>() -> T {
    resume_unwind(Box::new("on purpose"))
}

pub(crate) async fn yields(times: u32) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Drops `future` after so many polls; `None` if it had not ended by then.
pub(crate) async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops what `begin` begins at every one of its await points in turn, with `check` after each, until it ends.
/// Tells how many await points there were.
pub(crate) async fn dropped_everywhere<F: Future>(mut begin: impl FnMut() -> F, mut check: impl FnMut()) -> usize {
    for polls in 0.. {
        let ended = cut(begin(), polls).await.is_some();
        check();
        if ended {
            return polls;
        }
    }
    unreachable!()
}

/// Runs `future`; `None` if it panicked. Like an executor, it drops the future after it has caught the panic.
pub(crate) async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// Polls once, waking nobody.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets every task that is ready run.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn site(name: &str) -> &'static Site {
    registry().site(name).unwrap()
}

/// Every call that ended is in exactly one count, and none is in flight.
pub(crate) fn adds_up(name: &str) {
    let stats = site(name).stats();
    assert_eq!(
        stats.calls,
        stats.succeeded + stats.failed + stats.rejected + stats.cancelled + stats.panicked,
        "{name}: {stats:?}"
    );
    assert_eq!(stats.in_flight, 0, "{name}");
}

/// The events of one site, or of one policy used by hand.
pub(crate) struct Heard {
    events: Arc<Mutex<Vec<Event>>>,
    _subscription: Subscription,
}

impl Heard {
    pub(crate) fn of(name: &'static str) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let subscription = subscribe(move |event| {
            if event.policy == name || event.site == name || event.site.ends_with(&format!("::{name}")) {
                heard.lock().unwrap().push(event.clone());
            }
        });
        Self { events, _subscription: subscription }
    }

    /// The texts so far, without the site.
    pub(crate) fn take(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let text =
            |event: Event| event.to_string().strip_prefix(event.site).unwrap_or_default().trim_start().to_owned();
        events.into_iter().map(text).collect()
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

/// Panics at its second poll.
pub(crate) async fn quietly_panic_later() {
    yields(1).await;
    quietly_panic::<()>();
}
