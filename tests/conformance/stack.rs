//! The engine with the layers of each stack that a case asks for.

use crate::{
    inner::{Inner, Out},
    policies::Policies,
};
use resilient::__private::{
    Borrowed, BulkheadLayer, CircuitBreakerLayer, End, FallbackLayer, Of, RateLimiterLayer, RetryLayer, SeeText as _,
    Site, Step, TimeoutLayer, begin, converting, on, taken,
};
use std::{future::Future, pin::Pin, pin::pin, rc::Rc};

fn site() -> &'static Site {
    static SITE: Site = Site::new("conformance", "", 0, &[]);
    &SITE
}

type Boxed = Pin<Box<dyn Future<Output = Out>>>;

macro_rules! layers {
    ($policies:ident) => { End };
    ($policies:ident breaker $n:tt $($inner:tt)*) => {
        on(
            CircuitBreakerLayer::new(Borrowed(&$policies.breakers[$n].policy), |out: &Out| $policies.breakers[$n].judge(out)),
            layers!($policies $($inner)*),
        )
    };
    ($policies:ident rate $n:tt $($inner:tt)*) => {
        on(RateLimiterLayer::new(Borrowed(&$policies.rates[$n]), (), ()), layers!($policies $($inner)*))
    };
    ($policies:ident retry $n:tt $($inner:tt)*) => {
        on(
            RetryLayer::new(
                Borrowed(&$policies.retries[$n].policy),
                |out: &Out| $policies.retries[$n].judge(out),
                (&&&Of::<Out>::output()).__resilient_view(),
            ),
            layers!($policies $($inner)*),
        )
    };
    ($policies:ident timeout $n:tt $($inner:tt)*) => {
        on(TimeoutLayer::new(Borrowed(&$policies.timeouts[$n])), layers!($policies $($inner)*))
    };
    ($policies:ident bulkhead $n:tt $($inner:tt)*) => {
        on(
            BulkheadLayer::new(
                Borrowed(&$policies.bulkheads[$n]),
                (&&&Of::<Out>::output()).__resilient_view(),
            ),
            layers!($policies $($inner)*),
        )
    };
    ($policies:ident fallback $n:tt $($inner:tt)*) => {
        on(
            FallbackLayer::<0, _, _, _>::new(
                |out: &Out| $policies.fallbacks[$n].judge(out),
                (&&&Of::<Out>::output()).__resilient_view(),
                resilient::__private::Always,
            ),
            layers!($policies $($inner)*),
        )
    };
}

macro_rules! stacks {
    ($policies:ident, $inner:ident: $($name:literal = $($layer:ident $n:tt),+;)+) => {
        match $policies.stack.as_str() {
            $($name => Box::pin(async move {
                let view = (&&&Of::<Out>::output()).__resilient_view();
                let convert = converting::<Out, _, _>(view, |error, _| Err(error.into()));
                let mut call = begin(site, view, &convert, layers!($policies $($layer $n)+));
                let mut step = loop {
                    match call.turn(pin!(Some($inner.run()))).await {
                        Step::Again => {}
                        end => break end,
                    }
                };
                if let Step::Fall(_) = step {
                    let cause = taken(view, &convert, call.failed());
                    step = call.turn(pin!(Some($policies.fallbacks[0].answer(&$inner, cause)))).await;
                }
                step.done()
            }),)+
            // All of its layers were of no effect.
            "" => Box::pin(async move { $inner.run().await }),
            other => panic!("no stack `{other}`: `stack.rs` lists them"),
        }
    };
}

pub(crate) fn call(policies: &'static Policies, inner: Rc<Inner>) -> Boxed {
    stacks! { policies, inner:
        "breaker" = breaker 0;
        "rate" = rate 0;
        "retry" = retry 0;
        "timeout" = timeout 0;
        "bulkhead" = bulkhead 0;
        "fallback" = fallback 0;
        "rate > breaker" = rate 0, breaker 0;
        "rate > retry" = rate 0, retry 0;
        "rate > timeout" = rate 0, timeout 0;
        "rate > bulkhead" = rate 0, bulkhead 0;
        "rate > rate#2" = rate 0, rate 1;
        "rate > retry > breaker > timeout" = rate 0, retry 0, breaker 0, timeout 0;
        "bulkhead > breaker" = bulkhead 0, breaker 0;
        "bulkhead > retry" = bulkhead 0, retry 0;
        "bulkhead > timeout" = bulkhead 0, timeout 0;
        "bulkhead > rate" = bulkhead 0, rate 0;
        "bulkhead > breaker > retry" = bulkhead 0, breaker 0, retry 0;
        "breaker > rate" = breaker 0, rate 0;
        "timeout > breaker" = timeout 0, breaker 0;
        "retry > breaker" = retry 0, breaker 0;
        "retry > breaker > timeout" = retry 0, breaker 0, timeout 0;
        "breaker > timeout" = breaker 0, timeout 0;
        "breaker > bulkhead" = breaker 0, bulkhead 0;
        "breaker > retry" = breaker 0, retry 0;
        "breaker > breaker#2" = breaker 0, breaker 1;
        "retry > timeout" = retry 0, timeout 0;
        "retry > bulkhead" = retry 0, bulkhead 0;
        "retry > rate" = retry 0, rate 0;
        "retry > retry#2" = retry 0, retry 1;
        "timeout > bulkhead" = timeout 0, bulkhead 0;
        "timeout > rate" = timeout 0, rate 0;
        "timeout > retry" = timeout 0, retry 0;
        "timeout > retry > breaker" = timeout 0, retry 0, breaker 0;
        "timeout > retry > breaker > timeout#2" = timeout 0, retry 0, breaker 0, timeout 1;
        "timeout > retry > timeout#2" = timeout 0, retry 0, timeout 1;
        "timeout > fallback" = timeout 0, fallback 0;
        "fallback > retry" = fallback 0, retry 0;
        "fallback > retry > timeout" = fallback 0, retry 0, timeout 0;
        "fallback > retry > breaker" = fallback 0, retry 0, breaker 0;
        "fallback > retry > breaker > timeout" = fallback 0, retry 0, breaker 0, timeout 0;
        "fallback > rate > bulkhead > retry > breaker > timeout" =
            fallback 0, rate 0, bulkhead 0, retry 0, breaker 0, timeout 0;
        "fallback > bulkhead" = fallback 0, bulkhead 0;
        "fallback > breaker" = fallback 0, breaker 0;
        "fallback > timeout" = fallback 0, timeout 0;
        "fallback > rate" = fallback 0, rate 0;
    }
}
