//! Policies used without attributes: the same engine, one layer.

use super::{
    Step, begin,
    bulkhead::BulkheadLayer,
    circuit_breaker::CircuitBreakerLayer,
    convert::{ByFrom, Convert, Nothing},
    fallback::{Always, FallbackLayer},
    follow::measuring,
    handle::Borrowed,
    judge::{Judge, errors, when},
    layer::{End, Layers, on},
    rate_limiter::RateLimiterLayer,
    rate_slots::RateSlotsLayer,
    ready::{Ready, ready},
    retry::RetryLayer,
    shape::taken,
    timeout::TimeoutLayer,
    view::ResultView,
};
use crate::{
    error::Error,
    policy::{
        bulkhead::Bulkhead,
        circuit_breaker::CircuitBreaker,
        fallback::Fallback,
        keyed::Keyed,
        permit::Permit,
        rate_limiter::{KeyedRateLimiter, RateLimiter, RateSlots},
        retry::Retry,
        timeout::Timeout,
    },
    priority::Priority,
    registry::Site,
};
use std::{future::Future, hash::Hash, pin::pin};

fn by_hand() -> &'static Site {
    static BY_HAND: Site = Site::by_hand();
    &BY_HAND
}

/// What a policy runs: a future, or a closure that makes one.
pub trait Operation<M> {
    /// What it gives.
    type Output;
    /// Starts it.
    fn start(self) -> impl Future<Output = Self::Output>;
}

/// A future.
#[derive(Debug)]
pub struct AsFuture;

/// A closure that makes one.
#[derive(Debug)]
pub struct AsClosure;

impl<F: Future> Operation<AsFuture> for F {
    type Output = F::Output;

    fn start(self) -> impl Future<Output = F::Output> {
        self
    }
}

impl<C: FnOnce() -> F, F: Future> Operation<AsClosure> for C {
    type Output = F::Output;

    fn start(self) -> impl Future<Output = F::Output> {
        self()
    }
}

async fn run<T, E, C, S, M, O>(convert: C, stack: S, operation: O) -> Result<T, E>
where
    C: Convert<Result<T, E>>,
    S: Layers<Result<T, E>>,
    O: Operation<M, Output = Result<T, E>>,
{
    let mut call = begin(by_hand, ResultView, convert, stack);
    let body = pin!(Some(async { operation.start().await }));
    call.turn(body).await.done()
}

impl CircuitBreaker {
    /// Runs `operation`, a future or a closure that makes one, unless the circuit is open. An `Err` is a failure.
    ///
    /// # Errors
    /// The operation's own, and [`Error::CircuitOpen`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped, it counts as neither success nor failure, and a probe's place is free again.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        let stack = on(CircuitBreakerLayer::new(Borrowed(self), errors), End);
        run(ByFrom(ResultView), stack, operation).await
    }
}

impl<K: Hash + ?Sized> Keyed<K, CircuitBreaker> {
    /// Runs `operation`, a future or a closure that makes one, unless the circuit of `key` is open. An `Err` is a failure.
    ///
    /// # Errors
    /// The operation's own, and [`Error::CircuitOpen`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped, it counts as neither success nor failure, and a probe's place is free again.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        key: &K,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        let breaker = self.get(key);
        breaker.call(operation).await
    }
}

impl RateLimiter {
    /// Runs `operation`, a future or a closure that makes one, when a token is there: see
    /// [`wait`](crate::RateLimiterConfig::wait).
    ///
    /// # Errors
    /// The operation's own, and [`Error::RateLimited`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        if self.is_adaptive() {
            let layer = RateLimiterLayer::new(Borrowed(self), (), measuring(ResultView));
            return run(ByFrom(ResultView), on(layer, End), operation).await;
        }
        let layer = RateLimiterLayer::new(Borrowed(self), (), ());
        run(ByFrom(ResultView), on(layer, End), operation).await
    }

    /// Takes a token, waiting for it as configured.
    ///
    /// # Errors
    /// [`Error::RateLimited`] at once where the wait would exceed its limit.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire(&self) -> Result<Permit<'_, Self>, Error> {
        self.acquire_many(1).await
    }

    /// Takes so many tokens at once, waiting for them as configured.
    ///
    /// # Errors
    /// [`Error::RateLimited`] at once where the wait would exceed its limit, [`Error::CostExceedsBurst`] where there
    /// never will be so many.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire_many(&self, tokens: u32) -> Result<Permit<'_, Self>, Error> {
        self.acquire_as(Priority::Normal, tokens).await
    }

    /// Takes so many tokens at once, waiting for them as configured, for a call of this class.
    ///
    /// # Errors
    /// As those of [`acquire_many`](Self::acquire_many).
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire_as(&self, class: Priority, tokens: u32) -> Result<Permit<'_, Self>, Error> {
        let stack = on(RateLimiterLayer::new(Borrowed(self), (tokens, class), ()), End);
        run(ByFrom(ResultView), stack, std::future::ready(Ok(()))).await?;
        Ok(Permit::new(self, ()))
    }
}

impl<K: Hash + ?Sized> KeyedRateLimiter<K> {
    /// Runs `operation`, a future or a closure that makes one, if the key has a token.
    ///
    /// # Errors
    /// The operation's own, and [`Error::RateLimited`] as the operation's error type.
    ///
    /// # Cancel safety
    /// The token is spent when the operation starts, whatever becomes of it.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        key: &K,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        let layer = RateSlotsLayer::new(Borrowed(self.slots()), RateSlots::key(key), 1);
        run(ByFrom(ResultView), on(layer, End), operation).await
    }
}

impl Bulkhead {
    /// Runs `operation`, a future or a closure that makes one, when a place is free: see
    /// [`wait`](crate::BulkheadConfig::wait).
    ///
    /// # Errors
    /// The operation's own, and [`Error::BulkheadFull`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped, it gives its place, or its turn in the line, to the next.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.call_as(Priority::Normal, operation).await
    }

    /// Like [`call`](Self::call), for a call of this class: with [`Order::Priority`](crate::Order) the more urgent go first.
    ///
    /// # Errors
    /// The operation's own, and [`Error::BulkheadFull`] as the operation's error type.
    ///
    /// # Cancel safety
    /// As that of [`call`](Self::call).
    pub async fn call_as<T, E: From<Error>, M>(
        &self,
        class: Priority,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        let layer = BulkheadLayer::new(Borrowed(self), ResultView).of_class(class);
        run(ByFrom(ResultView), on(layer, End), operation).await
    }
}

impl<K: Hash + ?Sized> Keyed<K, Bulkhead> {
    /// Runs `operation`, a future or a closure that makes one, when a place of `key` is free: see
    /// [`wait`](crate::BulkheadConfig::wait).
    ///
    /// # Errors
    /// The operation's own, and [`Error::BulkheadFull`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped, it gives its place, or its turn in the line, to the next.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        key: &K,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        let bulkhead = self.get(key);
        bulkhead.call(operation).await
    }
}

impl Timeout {
    /// Runs `operation`, a future or a closure that makes one, and drops it when its time is over.
    ///
    /// # Errors
    /// The operation's own, and [`Error::TimedOut`] as the operation's error type.
    ///
    /// # Cancel safety
    /// Dropped, it drops the operation.
    pub async fn call<T, E: From<Error>, M>(
        &self,
        operation: impl Operation<M, Output = Result<T, E>>,
    ) -> Result<T, E> {
        run(ByFrom(ResultView), on(TimeoutLayer::new(Borrowed(self)), End), operation).await
    }
}

impl Retry {
    /// Runs `operation` until it succeeds, or attempts or time are used up. Every `Err` is retried, also that of a
    /// [`Timeout`] inside.
    ///
    /// Only a rejection is not, where `operation` returns it as soon as a policy inside gives it, or an annotated fn.
    /// Elsewhere it is an `Err` like any other: leave it out with [`call_when`](Self::call_when) and
    /// [`is_rejection`](Error::is_rejection).
    ///
    /// # Errors
    /// The last attempt's.
    ///
    /// # Cancel safety
    /// Dropped, it drops the attempt that runs, or ends its pause. It holds nothing else.
    pub async fn call<T, E, F>(&self, operation: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(operation, errors).await
    }

    /// Like [`call`](Self::call), but retries only the errors that `transient` accepts, time-outs among them.
    ///
    /// # Errors
    /// The last attempt's.
    ///
    /// # Cancel safety
    /// As that of [`call`](Self::call).
    pub async fn call_when<T, E, F>(&self, operation: impl FnMut() -> F, transient: impl Fn(&E) -> bool) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(operation, move |output: &Result<T, E>| when(output, ResultView, &transient)).await
    }

    async fn run<T, E, F>(&self, mut operation: impl FnMut() -> F, judge: impl Judge<Result<T, E>>) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let stack = on(RetryLayer::new(Borrowed(self), judge, ResultView), End);
        let mut call = begin(by_hand, ResultView, Nothing, stack);
        loop {
            // The closure runs with the attempt, not before its pause.
            let body = pin!(Some(async { operation().await }));
            match call.turn(body).await {
                Step::Again => {}
                end => return end.done(),
            }
        }
    }
}

impl<F> Fallback<F> {
    /// Runs `operation`, a future or a closure that makes one, and answers in its place if it fails.
    ///
    /// # Errors
    /// The fallback's own.
    ///
    /// # Cancel safety
    /// Dropped, it drops the operation, or the answer that is under way.
    pub async fn call<T, E, A, N, M>(&self, operation: impl Operation<M, Output = Result<T, E>>) -> Result<T, E>
    where
        F: Fn(E) -> A,
        A: Ready<Result<T, E>, N, Wait: Future<Output = Result<T, E>>>,
    {
        let stack = on(FallbackLayer::<0, _, _, _>::new(errors, ResultView, Always), End);
        let mut call = begin(by_hand, ResultView, Nothing, stack);
        let first = {
            let body = pin!(Some(async { operation.start().await }));
            call.turn(body).await
        };
        match first {
            Step::Fall(_) => {}
            end => return end.done(),
        }
        let ended = call.failed();
        let failed = taken::<Result<T, E>, _, _>(ResultView, Nothing, ended);
        let body = pin!(Some(async {
            match failed {
                Ok(error) => ready((self.answer)(error)).await,
                Err(output) => output,
            }
        }));
        let answer = call.turn(body).await.done();
        self.has_answered(answer.is_err());
        answer
    }
}
