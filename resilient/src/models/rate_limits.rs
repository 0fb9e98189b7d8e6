//! Lines of waiters, debt, and configurations that change while calls take tokens.

use super::*;
use crate::{Priority, event::Caller, time::NEVER};
use std::{future::poll_fn, task::Poll};

/// Tokens that do not come by time, but only from what is given back.
fn stingy(tokens: u32) -> RateLimiterConfig {
    RateLimiterConfig::new(Rate::per_day(tokens)).wait_unbounded()
}

/// Waits as a call does, but without a timer.
async fn wait(limiter: &RateLimiter, class: Priority, tokens: u32) {
    let mut waiting = None;
    poll_fn(|cx| {
        let waiting = match waiting {
            Some(waiting) => waiting,
            None => {
                if limiter.try_acquire_as(class, tokens).is_ok() {
                    return Poll::Ready(());
                }
                let asked = (class, tokens);
                let line = limiter.get_in_line(Caller::BY_HAND, asked, NEVER, cx.waker());
                *waiting.insert(line.unwrap().unwrap())
            }
        };
        limiter.poll_turn(Caller::BY_HAND, waiting, cx.waker()).0.map(|turn| turn.unwrap())
    })
    .await;
}

#[test]
fn who_waits_for_tokens_gets_them_when_they_are_given_back() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(stingy(3)));
        limiter.try_acquire_many(3).unwrap().success();
        let calls: Vec<_> = [Priority::Low, Priority::Critical]
            .map(|class| {
                let limiter = Arc::clone(&limiter);
                future::spawn(async move { wait(&limiter, class, 1).await })
            })
            .into();
        let giver = {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || {
                limiter.refund(1);
                limiter.refund(1);
            })
        };
        future::block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
        giver.join().unwrap();
        let stats = limiter.stats();
        assert_eq!((stats.tokens, stats.waiting, stats.debt), (0, 0, 0));
    });
}

#[test]
fn what_is_charged_while_others_take_is_paid_or_owed() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(stingy(3)));
        let taken = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..2)
            .map(|_| {
                let (limiter, taken) = (Arc::clone(&limiter), Arc::clone(&taken));
                thread::spawn(move || {
                    for _ in 0..2 {
                        if limiter.try_acquire().is_ok() {
                            taken.fetch_add(1, SeqCst);
                        }
                    }
                })
            })
            .collect();
        limiter.charge(2);
        limiter.refund(1);
        for call in calls {
            call.join().unwrap();
        }
        let stats = limiter.stats();
        let given = u64::from(taken.load(SeqCst)) + 1;
        // What was there, and what is owed, is what was spent and what is left.
        assert_eq!(3 + stats.debt, given + u64::from(stats.tokens));
    });
}

#[test]
fn another_pace_and_another_configuration_give_no_tokens_to_those_who_take_meanwhile() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(stingy(3)));
        let taken = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..2)
            .map(|_| {
                let (limiter, taken) = (Arc::clone(&limiter), Arc::clone(&taken));
                thread::spawn(move || {
                    for _ in 0..2 {
                        if limiter.try_acquire().is_ok() {
                            taken.fetch_add(1, SeqCst);
                        }
                    }
                })
            })
            .collect();
        limiter.adjust(0.0);
        limiter.reconfigure(stingy(2).burst(5)).unwrap();
        for call in calls {
            call.join().unwrap();
        }
        let (given, left) = (taken.load(SeqCst), limiter.stats().tokens);
        assert!(given + left <= 3, "{given} + {left}");
    });
}

#[test]
fn quotas_that_decide_together_take_from_none_where_one_refuses() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(stingy(3).and(Rate::per_hour(2))));
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let limiter = Arc::clone(&limiter);
                thread::spawn(move || u32::from(limiter.try_acquire().is_ok()))
            })
            .collect();
        let taken: u32 = calls.into_iter().map(|call| call.join().unwrap()).sum();
        assert_eq!((taken, limiter.stats().tokens), (2, 0));
    });
}
