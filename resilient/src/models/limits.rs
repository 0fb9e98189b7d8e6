//! Places of a bulkhead, tokens of a bucket.

use super::*;

#[test]
fn a_place_is_never_taken_twice_and_nobody_waits_for_ever() {
    check(|| {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded()));
        let inside = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let (places, inside) = (Arc::clone(&places), Arc::clone(&inside));
                future::spawn(async move {
                    let place = places.acquire().await.unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    future::yield_now().await;
                    inside.fetch_sub(1, SeqCst);
                    place.success();
                })
            })
            .collect();
        let fickle = {
            let places = Arc::clone(&places);
            thread::spawn(move || {
                let mut call = pin!(places.acquire());
                // Dropped in line, or with its turn come, or inside.
                let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                thread::yield_now();
            })
        };
        future::block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
        fickle.join().unwrap();
        let stats = places.stats();
        assert_eq!((stats.in_use, stats.waiting), (0, 0));
    });
}

#[test]
fn a_bucket_gives_no_token_twice_and_keeps_none_back() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new(Rate::per_day(3))));
        let taken = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..4)
            .map(|index| {
                let (limiter, taken) = (Arc::clone(&limiter), Arc::clone(&taken));
                let tokens = 1 + index % 2;
                thread::spawn(move || {
                    if limiter.try_acquire_many(tokens).is_ok() {
                        taken.fetch_add(tokens, SeqCst);
                    }
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        // 1 + 2 + 1 + 2 were asked of 3: all of them are given, or one is left that nobody who came could use.
        let given = taken.load(SeqCst);
        assert!(given == 3 || (given == 2 && limiter.stats().tokens == 1), "{given}");
    });
}
