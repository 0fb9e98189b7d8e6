//! Bulkheads beside tokio's semaphore: what a place costs, how many waiters a second are served, and how large they are.

use crate::{
    cases::{Failed, body},
    measure,
};
use resilient::{Bulkhead, BulkheadConfig, Order, bulkhead};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, sync::Semaphore, task::yield_now};

type Answer = Result<u64, Failed>;

static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(100));
static ADAPTIVE: Bulkhead = Bulkhead::new(BulkheadConfig::adaptive(10..=200));
static FULL: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));
static SEMAPHORE: Semaphore = Semaphore::const_new(100);

async fn by_hand(input: u64) -> Answer {
    let place = PLACES.try_acquire()?;
    let answer = body(input).await;
    place.success();
    answer
}

async fn by_hand_adaptive(input: u64) -> Answer {
    let place = ADAPTIVE.try_acquire()?;
    let answer = body(input).await;
    place.success();
    answer
}

async fn acquired(input: u64) -> Answer {
    let place = PLACES.acquire().await?;
    let answer = body(input).await;
    place.success();
    answer
}

async fn full(_: u64) -> Answer {
    FULL.try_acquire()?.success();
    Ok(1)
}

async fn semaphore_try(input: u64) -> Answer {
    let Ok(place) = SEMAPHORE.try_acquire() else { return Err(Failed(1)) };
    let answer = body(input).await;
    drop(place);
    answer
}

async fn semaphore(input: u64) -> Answer {
    let Ok(place) = SEMAPHORE.acquire().await else { return Err(Failed(1)) };
    let answer = body(input).await;
    drop(place);
    answer
}

#[bulkhead(100)]
async fn annotated(input: u64) -> Answer {
    body(input).await
}

#[bulkhead(adaptive = 10..=200)]
async fn annotated_adaptive(input: u64) -> Answer {
    body(input).await
}

#[bulkhead(100, key = input % 8)]
async fn annotated_keyed(input: u64) -> Answer {
    body(input).await
}

/// So many tasks that take turns, each of which waits most of the time: turns per second.
fn turns<F>(threads: usize, turn: impl Fn() -> F + Clone + Send + Sync + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    const TASKS: u32 = 64;
    const TURNS: u32 = 4_000;
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = builder.worker_threads(threads).enable_all().build().expect("a runtime");
    let mut rounds: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            runtime.block_on(async {
                let tasks: Vec<_> = (0..TASKS)
                    .map(|_| {
                        let turn = turn.clone();
                        tokio::spawn(async move {
                            for _ in 0..TURNS {
                                turn().await;
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("no turn panics");
                }
            });
            f64::from(TASKS * TURNS) / start.elapsed().as_secs_f64()
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn bulkhead_turns(threads: usize, config: BulkheadConfig) -> f64 {
    let places = Arc::new(Bulkhead::new(config.wait_unbounded().queue_unbounded()));
    turns(threads, move || {
        let places = Arc::clone(&places);
        async move {
            let place = places.acquire().await.expect("nobody is refused");
            yield_now().await;
            place.success();
        }
    })
}

fn semaphore_turns(threads: usize, places: u32) -> f64 {
    let semaphore = Arc::new(Semaphore::new(places as usize));
    turns(threads, move || {
        let semaphore = Arc::clone(&semaphore);
        async move {
            let place = semaphore.acquire().await.expect("never closed");
            yield_now().await;
            drop(place);
        }
    })
}

pub(crate) fn compare() {
    println!("| a call | ns |\n|---|---:|");
    let _held = FULL.try_acquire();
    let row = |name: &str, nanos: f64| println!("| {name} | {nanos:.1} |");
    row("bare", measure(crate::cases::bare));
    row("`#[bulkhead(100)]`", measure(annotated));
    row("`#[bulkhead(adaptive = 10..=200)]`", measure(annotated_adaptive));
    row("`#[bulkhead(100, key = ..)]`", measure(annotated_keyed));
    row("`try_acquire`, by hand", measure(by_hand));
    row("the same, adaptive", measure(by_hand_adaptive));
    row("`acquire().await`, by hand", measure(acquired));
    row("`try_acquire`, refused", measure(full));
    row("tokio's semaphore, `try_acquire`", measure(semaphore_try));
    row("tokio's semaphore, `acquire().await`", measure(semaphore));
    println!("\n| turns per second of 64 tasks | 1 thread | 2 threads |\n|---|---:|---:|");
    let row = |name: &str, turns: [f64; 2]| println!("| {name} | {:.2} M | {:.2} M |", turns[0] / 1e6, turns[1] / 1e6);
    for places in [1, 8] {
        row(
            &format!("bulkhead, {places} at once"),
            [1, 2].map(|threads| bulkhead_turns(threads, BulkheadConfig::new(places))),
        );
        row(&format!("tokio's semaphore, {places} at once"), [1, 2].map(|threads| semaphore_turns(threads, places)));
    }
    let by_priority = BulkheadConfig::new(1).order(Order::Priority);
    row("bulkhead by priority, 1 at once", [1, 2].map(|threads| bulkhead_turns(threads, by_priority)));
    let timed = BulkheadConfig::new(1).wait(Duration::from_secs(60)).queue_unbounded();
    let places = Arc::new(Bulkhead::new(timed));
    let turn = move || {
        let places = Arc::clone(&places);
        async move {
            let place = places.acquire().await.expect("nobody is refused");
            yield_now().await;
            place.success();
        }
    };
    row("bulkhead with `wait = 60s`, 1 at once", [1, 2].map(|threads| turns(threads, turn.clone())));
    println!("\n| bytes | |\n|---|---:|");
    println!("| a bulkhead | {} |\n| tokio's semaphore | {} |", size_of::<Bulkhead>(), size_of::<Semaphore>());
}
