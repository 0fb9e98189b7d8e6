//! Fixed limits beside one that is found by measurement: `cargo run --release -p resilient-benches limits`.
//!
//! Every limit has a dependency of its own, which serves so many calls at once, first come, first served, and as many callers,
//! who come whether it copes or not. In real time, all at once.

use resilient::{Bulkhead, BulkheadConfig, Error};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    runtime::Builder,
    sync::{Semaphore, SemaphorePermit},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// What one call takes by itself.
const SERVICE: Duration = Duration::from_millis(20);
/// Later answers are of no use.
const DEADLINE: Duration = Duration::from_millis(200);
const PLACES: usize = 20;
/// As many calls as it can serve with all its places, times this.
const LOAD: f64 = 1.4;
const SETTLE: Duration = Duration::from_secs(2);
const SEEN: Duration = Duration::from_secs(4);
const PHASES: [(&str, usize); 3] = [("20 at once", 20), ("halved to 10", 10), ("20 again", 20)];

#[derive(Debug)]
struct Refused;

impl From<Error> for Refused {
    fn from(_: Error) -> Self {
        Self
    }
}

#[derive(Default)]
struct Seen {
    phase: AtomicUsize,
    took: [Mutex<Vec<Duration>>; 3],
}

struct Side {
    bulkhead: Bulkhead,
    server: Semaphore,
    seen: Seen,
}

impl Side {
    async fn call(&self, start: Instant) {
        let answer = self.bulkhead.call(async {
            let _served = self.server.acquire().await.expect("never closed");
            // Half to one and a half of it.
            sleep(SERVICE.mul_f64(0.5 + random())).await;
            Ok::<(), Refused>(())
        });
        if answer.await.is_ok() {
            let phase = self.seen.phase.load(Relaxed);
            if let Some(took) = self.seen.took.get(phase) {
                took.lock().unwrap_or_else(PoisonError::into_inner).push(start.elapsed());
            }
        }
    }
}

/// From 0 to 1, without a dependency: what differs between two hashers.
fn random() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Callers come as often as they do, each a moment after the last.
async fn callers(side: Arc<Side>, end: Instant) {
    let mean = SERVICE.as_secs_f64() / (LOAD * PLACES as f64);
    let mut at = Instant::now();
    let mut calls = JoinSet::new();
    while at < end {
        at += Duration::from_secs_f64(-mean * (1.0 - random()).ln());
        sleep_until(at).await;
        let side = Arc::clone(&side);
        calls.spawn(async move { side.call(at).await });
        while calls.try_join_next().is_some() {}
    }
    calls.shutdown().await;
}

async fn phases(sides: &[Arc<Side>]) -> Vec<[u32; 3]> {
    let mut limits = vec![[0; 3]; sides.len()];
    let mut places = PLACES;
    for (phase, (_, next)) in PHASES.into_iter().enumerate() {
        for side in sides {
            side.seen.phase.store(usize::MAX, Relaxed);
            if next > places {
                side.server.add_permits(next - places);
            }
        }
        if next < places {
            for side in sides {
                let side = Arc::clone(side);
                let count = (places - next) as u32;
                // In line with the calls.
                tokio::spawn(async move { side.server.acquire_many(count).await.map(SemaphorePermit::forget) });
            }
        }
        places = next;
        sleep(SETTLE).await;
        for side in sides {
            side.seen.phase.store(phase, Relaxed);
        }
        sleep(SEEN).await;
        for (side, limits) in sides.iter().zip(&mut limits) {
            limits[phase] = side.bulkhead.stats().limit;
        }
    }
    limits
}

fn row(side: &Side, limits: [u32; 3]) -> String {
    let cells = side.seen.took.iter().zip(limits).map(|(took, limit)| {
        let mut took = std::mem::take(&mut *took.lock().unwrap_or_else(PoisonError::into_inner));
        took.sort_unstable();
        let useful = took.iter().filter(|took| **took <= DEADLINE).count();
        let p99 = took.get(took.len() * 99 / 100).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3);
        let per_second = useful as f64 / SEEN.as_secs_f64();
        format!("{per_second:.0} | {p99:.0} ms | {limit}")
    });
    cells.collect::<Vec<_>>().join(" | ")
}

pub(crate) fn compare() {
    let fixed = [5, 10, 20, 40, 100, 100_000];
    let configs = fixed.iter().map(|max| (BulkheadConfig::new(*max), format!("{max}")));
    let configs = configs.chain([(BulkheadConfig::adaptive(5..=500), "adaptive = 5..=500".to_owned())]);
    let (sides, names): (Vec<_>, Vec<_>) = configs
        .map(|(config, name)| {
            let side = Side { bulkhead: Bulkhead::new(config), server: Semaphore::new(PLACES), seen: Seen::default() };
            (Arc::new(side), name)
        })
        .unzip();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let limits = runtime.block_on(async {
        let end = Instant::now() + (SETTLE + SEEN) * 3;
        for side in &sides {
            tokio::spawn(callers(Arc::clone(side), end));
        }
        phases(&sides).await
    });
    println!(
        "Calls of {SERVICE:?}, {LOAD} times as many as {PLACES} at once can serve; useful answers (within {DEADLINE:?}) per \
         second, the 99th percentile of all answers, and the limit at the end.\n"
    );
    let heads = PHASES.map(|(name, _)| format!("{name}: useful/s | p99 | limit")).join(" | ");
    println!("| limit | {heads} |\n|---|{}", "---:|".repeat(9));
    for ((side, name), limits) in sides.iter().zip(names).zip(limits) {
        println!("| {name} | {} |", row(side, limits));
    }
}
