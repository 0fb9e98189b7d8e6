//! Performs the steps of a case.

use crate::{
    expect::{Seen, agrees, compare},
    inner::{Inner, describe},
    policies::{Policies, backed_off},
    stack,
};
use resilient::{CircuitState, Error, Retry, RetryConfig};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::atomic::Ordering::Relaxed,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// Whoever has not ended by then never will.
const FOREVER: Duration = Duration::from_secs(300 * 24 * 3600);

struct Call {
    id: String,
    inner: Rc<Inner>,
    future: Option<Pin<Box<dyn Future<Output = crate::inner::Out>>>>,
    out: Option<String>,
    retry_after: Option<Duration>,
    queued: bool,
}

impl Call {
    fn poll(&mut self, cx: &mut Context<'_>) {
        let Some(future) = &mut self.future else { return };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(out)) => {
                self.out = Some(describe(&out));
                if let Err(crate::inner::Fault::Ours(error)) = out {
                    self.retry_after = error.retry_after();
                }
            }
            Err(_) => self.out = Some("panic".to_owned()),
        }
        self.future = None;
    }

    fn admission(&self) -> String {
        match &self.out {
            _ if self.inner.invocations() > 0 => "run".to_owned(),
            Some(out) => out.clone(),
            None => "queue".to_owned(),
        }
    }
}

struct World {
    case: Value,
    began: Instant,
    sites: HashMap<String, &'static Policies>,
    calls: Vec<Call>,
    most_running: usize,
}

pub(crate) async fn replay(case: &Value) -> Result<(), String> {
    let mut world =
        World { case: case.clone(), began: Instant::now(), sites: HashMap::new(), calls: Vec::new(), most_running: 0 };
    for (index, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        if let Some(at) = step["at"].as_u64() {
            let until = world.began + Duration::from_millis(at);
            world.alongside(sleep_until(until)).await;
            world.settle().await;
        }
        world.step(step).await.map_err(|error| format!("step {index} {step}: {error}"))?;
    }
    Ok(())
}

impl World {
    /// Lets every open call run while `other` does.
    async fn alongside<F: Future>(&mut self, other: F) -> F::Output {
        let mut other = pin!(other);
        poll_fn(|cx| {
            self.poll_all(cx);
            other.as_mut().poll(cx)
        })
        .await
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) {
        for call in &mut self.calls {
            call.poll(cx);
        }
        self.most_running = self.most_running.max(self.running());
    }

    async fn settle(&mut self) {
        let mut left = 10;
        self.alongside(poll_fn(|cx| {
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }))
        .await;
    }

    fn running(&self) -> usize {
        self.calls.iter().map(|call| call.inner.running.get()).sum()
    }

    fn site(&mut self, step: &Value) -> &'static Policies {
        let name = step["site"].as_str().unwrap_or("main").to_owned();
        let case = &self.case;
        self.sites.entry(name).or_insert_with(|| Box::leak(Box::new(Policies::new(case))))
    }

    fn begin(&mut self, step: &Value, id: String, default: &str) -> usize {
        let script = step["inner"].as_array().map_or_else(
            || vec![default.to_owned()],
            |script| script.iter().map(|entry| entry.as_str().unwrap().to_owned()).collect(),
        );
        let inner = Rc::new(Inner::new(script));
        let future = stack::call(self.site(step), inner.clone());
        let call = Call { id, inner, future: Some(future), out: None, retry_after: None, queued: false };
        self.calls.push(call);
        self.calls.len() - 1
    }

    fn find(&mut self, id: &Value) -> usize {
        self.calls.iter().position(|call| call.id == *id).unwrap_or_else(|| panic!("no call {id}"))
    }

    async fn step(&mut self, step: &Value) -> Result<(), String> {
        let expect = &step["expect"];
        match step["op"].as_str().unwrap() {
            "call" => {
                for _ in 0..step["n"].as_u64().unwrap_or(1) {
                    let seen = self.call(step).await?;
                    compare(expect, &seen)?;
                }
                return Ok(());
            }
            "start" => {
                let index = self.begin(step, step["id"].as_str().unwrap().to_owned(), "hang");
                self.settle().await;
                let call = &mut self.calls[index];
                call.queued = call.admission() == "queue";
                let seen = Seen::from([("adm", call.admission().into())]);
                return compare(expect, &seen);
            }
            "finish" => {
                let index = self.find(&step["id"]);
                self.calls[index].inner.finish(step["r"].as_str().unwrap());
                self.settle().await;
                let out = self.calls[index].out.clone().unwrap_or_else(|| "pending".to_owned());
                return compare(expect, &Seen::from([("out", out.into())]));
            }
            "cancel" => {
                let index = self.find(&step["id"]);
                self.calls[index].future = None;
                self.settle().await;
            }
            "finish_and_cancel" => {
                let (finished, cancelled) = (self.find(&step["finish"]), self.find(&step["cancel"]));
                self.calls[finished].inner.finish("ok");
                self.calls[finished].poll(&mut Context::from_waker(std::task::Waker::noop()));
                assert!(self.calls[finished].out.is_some());
                self.calls[cancelled].future = None;
                self.settle().await;
            }
            "force" => {
                let breaker = &self.site(step).breakers[0].policy;
                match step["to"].as_str().unwrap() {
                    "closed" => breaker.reset(),
                    "forced_open" | "open" => breaker.force_open(),
                    "disabled" => breaker.disable(),
                    to => panic!("{to}?"),
                }
            }
            "check" => {
                self.settle().await;
                let seen = self.look(step);
                self.compare_calls(expect)?;
                return compare(expect, &seen);
            }
            "try" | "poll" | "reserve" | "hint_loop" => {
                let seen = self.limiter(step).await;
                return compare(expect, &seen);
            }
            "delay" => return self.delay(step).await,
            op => return Err(format!("`{op}` is not performed here")),
        }
        Ok(())
    }

    async fn call(&mut self, step: &Value) -> Result<Seen, String> {
        let index = self.begin(step, String::new(), "ok");
        let begun = Instant::now();
        let limit = pin!(sleep_until(begun + FOREVER));
        let mut limit = limit;
        let ended = poll_fn(|cx| {
            self.poll_all(cx);
            if self.calls[index].out.is_some() { Poll::Ready(true) } else { limit.as_mut().poll(cx).map(|()| false) }
        })
        .await;
        if !ended {
            return Err("never ended".to_owned());
        }
        let took = begun.elapsed();
        self.settle().await;
        let call = self.calls.remove(index);
        let starts: Vec<_> = call.inner.starts.borrow().iter().map(Duration::as_secs_f64).map(|s| s * 1e3).collect();
        let gaps: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Ok(Seen::from([
            ("out", call.out.unwrap().into()),
            ("inner", starts.len().into()),
            ("dt", (took.as_secs_f64() * 1e3).into()),
            ("gaps", gaps.into()),
            ("starts", starts.into()),
            ("cancelled", call.inner.cancelled.get().into()),
            ("fallbacks", call.inner.fallbacks.get().into()),
            ("fb_cause", call.inner.cause.borrow().clone().into()),
            ("retry_after_ms", call.retry_after.map(|after| after.as_secs_f64() * 1e3).into()),
        ]))
    }

    fn look(&mut self, step: &Value) -> Seen {
        let done = self.calls.iter().filter(|call| call.out.is_some()).count();
        let queued = self.calls.iter().filter(|call| call.future.is_some() && call.inner.invocations() == 0).count();
        let mut seen = Seen::from([
            ("running", self.running().into()),
            ("max_running", self.most_running.into()),
            ("queued", queued.into()),
            ("done", done.into()),
        ]);
        if let Some(breaker) = self.site(step).breakers.first() {
            let stats = breaker.policy.stats();
            #[expect(clippy::cast_precision_loss, reason = "few calls")]
            let rate = stats.failures as f64 / stats.calls.max(1) as f64;
            let metrics = serde_json::json!({
                "ok": breaker.successes.load(Relaxed),
                "fail": breaker.failures.load(Relaxed),
                "rejected": stats.rejected,
                "opened": stats.opened,
                "half_opened": breaker.half_opened.load(Relaxed),
                "closed": breaker.closed.load(Relaxed),
            });
            let named = match stats.state {
                CircuitState::Closed => "closed",
                CircuitState::Open => "open",
                CircuitState::HalfOpen => "half_open",
                CircuitState::ForcedOpen => "forced_open",
                CircuitState::Disabled => "disabled",
                other => panic!("{other:?}"),
            };
            seen.extend([
                ("state", named.into()),
                ("metrics", metrics),
                ("calls", stats.calls.into()),
                ("failure_rate", rate.into()),
            ]);
        }
        seen
    }

    fn compare_calls(&mut self, expect: &Value) -> Result<(), String> {
        for (key, wanted) in
            ["adms", "outs", "inners"].into_iter().filter_map(|key| Some((key, expect[key].as_object()?)))
        {
            for (id, wanted) in wanted {
                let index = self.find(&id.as_str().into());
                let call = &self.calls[index];
                let seen: Value = match key {
                    "adms" => call.admission().into(),
                    "outs" => call.out.clone().unwrap_or_else(|| "pending".to_owned()).into(),
                    _ => call.inner.invocations().into(),
                };
                if !agrees(wanted, &seen) {
                    return Err(format!("{key} of {id} is {seen}"));
                }
            }
        }
        Ok(())
    }

    async fn limiter(&mut self, step: &Value) -> Seen {
        let site = self.site(step);
        let of_key = step["key"].as_str().map(|key| site.keyed_rates[0].get(key));
        let limiter = of_key.as_deref().unwrap_or(&site.rates[0]);
        let tokens = step["n"].as_u64().unwrap_or(1).try_into().unwrap();
        let (mut admitted, mut last) = (0, None);
        let mut wait = None;
        if step["op"] == "reserve" {
            let longest = step["max_wait_ms"].as_u64().map_or(FOREVER, Duration::from_millis);
            for _ in 0..step["times"].as_u64().unwrap_or(1) {
                let booked = limiter.book(tokens, longest);
                wait = booked.as_ref().ok().copied();
                last = booked.err();
                admitted += u32::from(last.is_none());
            }
        } else if step["op"] == "hint_loop" {
            for _ in 0..step["iters"].as_u64().unwrap() {
                self.pass(step["step_ms"].as_u64().unwrap()).await;
                let refused = limiter.try_acquire().err();
                if let Some(hint) = refused.as_ref().and_then(Error::retry_after) {
                    tokio::time::advance(hint).await;
                }
                admitted += u32::from(refused.is_none() || limiter.try_acquire().is_ok());
            }
        } else {
            for _ in 0..step["times"].as_u64().unwrap_or(1) {
                if let Some(every) = step["every_ms"].as_u64() {
                    self.pass(every).await;
                }
                last = limiter.try_acquire_many(tokens).err();
                admitted += u32::from(last.is_none());
            }
        }
        let kind = if let Some(Error::CostExceedsBurst { .. }) = last { "capacity" } else { "" };
        let retry = last.as_ref().and_then(Error::retry_after);
        Seen::from([
            ("ok", last.is_none().into()),
            ("admitted", admitted.into()),
            ("kind", kind.into()),
            ("deny", last.is_some().into()),
            ("wait_ms", wait.map(|wait| wait.as_secs_f64() * 1e3).into()),
            ("retry_ms", retry.map(|after| after.as_secs_f64() * 1e3).into()),
            ("remaining", limiter.stats().tokens.into()),
        ])
    }

    async fn pass(&mut self, millis: u64) {
        let until = Instant::now() + Duration::from_millis(millis);
        self.alongside(sleep_until(until)).await;
    }

    /// The pause after failed attempt number `k`, seen from outside.
    async fn delay(&mut self, step: &Value) -> Result<(), String> {
        let k: u32 = step["k"].as_u64().unwrap().try_into().unwrap();
        let config = backed_off(RetryConfig::new().attempts(k + 1), &self.case["config"]["backoff"]);
        let expect = &step["expect"];
        let mut distinct = BTreeSet::new();
        for _ in 0..step["samples"].as_u64().unwrap_or(1) {
            let (mut last, mut pause) = (Instant::now(), Duration::ZERO);
            let retry = Retry::new(config);
            let _: Result<(), ()> = retry
                .call(|| {
                    pause = last.elapsed();
                    last = Instant::now();
                    async { Err(()) }
                })
                .await;
            let millis = pause.as_secs_f64() * 1e3;
            distinct.insert(pause.as_millis());
            compare(expect, &Seen::from([("ms", millis.into()), ("distinct", u32::MAX.into())]))?;
        }
        let distinct = Seen::from([("distinct", distinct.len().into())]);
        match &expect["distinct_min"] {
            Value::Null => Ok(()),
            least => compare(&serde_json::json!({ "distinct_min": least }), &distinct),
        }
    }
}
