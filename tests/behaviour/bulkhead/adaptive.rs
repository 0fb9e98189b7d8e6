//! Limits that are found by measurement, on a dependency that serves so many at once.

use crate::support::{Fault, Heard, cut, ms};
use resilient::{Bulkhead, BulkheadConfig, Error, bulkhead, registry};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

/// Serves so many at once, each for 20 ms, first come, first served.
#[derive(Clone)]
struct Server(Arc<Semaphore>);

impl Server {
    fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    async fn serve(&self) -> Result<u32, Fault> {
        let _served = self.0.acquire().await.unwrap();
        sleep(ms(20)).await;
        Ok(1)
    }
}

/// So many callers who always want more.
async fn load(places: &Arc<Bulkhead>, server: &Server, callers: usize, time: Duration) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (places, server) = (Arc::clone(places), server.clone());
        tasks.spawn(async move {
            loop {
                let _ = places.call(server.serve()).await;
            }
        });
    }
    sleep(time).await;
    tasks.shutdown().await;
}

fn adaptive() -> BulkheadConfig {
    BulkheadConfig::adaptive(5..=300).wait_unbounded().queue_unbounded()
}

#[tokio::test(start_paused = true)]
async fn it_finds_what_the_dependency_serves_at_once_and_follows_it() {
    let heard = Heard::of("followed");
    let places = Arc::new(Bulkhead::new(adaptive().name("followed")));
    let server = Server::new(40);
    load(&places, &server, 400, ms(1000)).await;
    let limit = places.stats().limit;
    assert!((30..70).contains(&limit), "{limit} of 40");
    let unloaded = places.stats().unloaded.unwrap();
    assert!((ms(19)..ms(27)).contains(&unloaded), "{unloaded:?}");
    let _gone = server.0.clone().acquire_many_owned(20).await.unwrap();
    load(&places, &server, 400, ms(1000)).await;
    let limit = places.stats().limit;
    assert!((15..40).contains(&limit), "{limit} of 20");
    server.0.add_permits(60);
    load(&places, &server, 400, ms(1000)).await;
    let limit = places.stats().limit;
    assert!((60..130).contains(&limit), "{limit} of 80");
    let changes = heard.take();
    assert!(changes.iter().any(|text| text.starts_with("followed: the limit went from 5 to ")), "{changes:?}");
    assert_eq!((places.stats().in_use, places.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_annotated_fn_measures_its_calls() {
    #[bulkhead(adaptive = 4..=100, wait, queue = unbounded, name = "measured places")]
    async fn measured(server: &Server) -> Result<u32, Fault> {
        server.serve().await
    }
    let server = Server::new(25);
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let server = server.clone();
        tasks.spawn(async move {
            loop {
                measured(&server).await.unwrap();
            }
        });
    }
    sleep(ms(1000)).await;
    tasks.shutdown().await;
    let stats = registry().bulkhead("measured places").unwrap().stats();
    assert!((18..45).contains(&stats.limit), "{stats:?}");
    assert_eq!((stats.max, stats.in_use), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn failures_lower_it_and_refusals_inside_do_not() {
    let places = Bulkhead::new(adaptive());
    let server = Server::new(100);
    let all = Arc::new(places);
    load(&all, &server, 100, ms(800)).await;
    let high = all.stats().limit;
    assert!(high > 50, "{high}");
    let refused = || async { Err::<u32, Error>(all.try_acquire_many(1000).unwrap_err()) };
    for _ in 0..500 {
        // A rejection of another policy, as a breaker inside returns it.
        let inner = Bulkhead::new(BulkheadConfig::new(1));
        let _held = inner.try_acquire().unwrap();
        let _ = all.call(inner.call(refused())).await;
    }
    assert_eq!(all.stats().limit, high);
    for _ in 0..2000 {
        let _ = all.call(async { Err::<u32, Fault>(Fault::BadRequest) }).await;
    }
    assert!(all.stats().limit < high / 2, "{} of {high}", all.stats().limit);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_cancelled_because_they_are_slow_count_as_slow() {
    let places = Arc::new(Bulkhead::new(adaptive()));
    let server = Server::new(50);
    load(&places, &server, 100, ms(1000)).await;
    let high = places.stats().limit;
    // The dependency hangs; callers give up after a while, which nobody else sees.
    let cancelled = AtomicU32::new(0);
    for _ in 0..30 {
        let mut tasks = JoinSet::new();
        for _ in 0..high {
            let places = Arc::clone(&places);
            tasks.spawn(async move {
                let hung = places.call(async {
                    sleep(Duration::from_secs(3600)).await;
                    Ok::<u32, Fault>(1)
                });
                let _ = tokio::time::timeout(ms(100), hung).await;
            });
        }
        while tasks.join_next().await.is_some() {
            cancelled.fetch_add(1, SeqCst);
        }
        if places.stats().limit * 3 < high * 2 {
            break;
        }
    }
    assert!(places.stats().limit * 3 < high * 2, "{} of {high}", places.stats().limit);
    // Those that are cancelled before that say nothing.
    let limit = places.stats().limit;
    for _ in 0..1000 {
        assert!(cut(places.call(sleep_for_long()), 1).await.is_none());
    }
    assert_eq!(places.stats().limit, limit);
}

async fn sleep_for_long() -> Result<u32, Fault> {
    sleep(Duration::from_secs(3600)).await;
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn one_who_asks_for_more_than_the_present_limit_goes_alone() {
    let places = Bulkhead::new(BulkheadConfig::adaptive(2..=10).wait_unbounded());
    let held = places.try_acquire().unwrap();
    let (many, ()) = tokio::join!(biased; places.acquire_many(8), async {
        assert_eq!(places.stats().waiting, 1);
        drop(held);
    });
    assert_eq!((places.stats().in_use, places.stats().limit), (8, 2));
    drop(many.unwrap());
    assert!(matches!(places.try_acquire_many(11), Err(Error::TooManyPlaces { max: 10, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_limit_set_by_hand_is_not_measured_any_more_until_it_is_reset() {
    let places = Arc::new(Bulkhead::new(adaptive()));
    places.set_max(7).unwrap();
    load(&places, &Server::new(40), 100, ms(500)).await;
    assert_eq!((places.stats().limit, places.stats().max, places.stats().unloaded), (7, 7, None));
    places.reset();
    load(&places, &Server::new(40), 100, ms(1000)).await;
    assert!(places.stats().limit > 20);
    places.reset();
    assert_eq!(places.stats().limit, 5);
}
