//! The function inside the layers: it follows a script.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Class(String),
    Ours(resilient::Error),
}

impl From<resilient::Error> for Fault {
    fn from(error: resilient::Error) -> Self {
        Self::Ours(error)
    }
}

/// `Ok("ok")`, `Ok("bad")` or `Ok("fb")`.
pub(crate) type Out = Result<&'static str, Fault>;

pub(crate) fn describe(out: &Out) -> String {
    match out {
        Ok(value) => (*value).to_owned(),
        Err(Fault::Class(class)) => format!("err:{class}"),
        Err(Fault::Ours(error)) if error.is_circuit_open() => "rej:breaker".to_owned(),
        Err(Fault::Ours(error)) if error.is_rate_limited() => "rej:rate".to_owned(),
        Err(Fault::Ours(error)) if error.is_bulkhead_full() => "rej:bulkhead".to_owned(),
        Err(Fault::Ours(_)) => "timeout".to_owned(),
    }
}

/// One call of the function, and what became of its invocations.
#[derive(Debug)]
pub(crate) struct Inner {
    script: Vec<String>,
    pub(crate) begun: Instant,
    pub(crate) starts: RefCell<Vec<Duration>>,
    pub(crate) cancelled: Cell<usize>,
    pub(crate) running: Cell<usize>,
    pub(crate) fallbacks: Cell<usize>,
    pub(crate) cause: RefCell<Option<String>>,
    gate: RefCell<Option<oneshot::Sender<String>>>,
}

struct Invocation<'a> {
    inner: &'a Inner,
    ended: bool,
}

impl Drop for Invocation<'_> {
    fn drop(&mut self) {
        self.inner.running.set(self.inner.running.get() - 1);
        if !self.ended && !std::thread::panicking() {
            self.inner.cancelled.set(self.inner.cancelled.get() + 1);
        }
    }
}

impl Inner {
    pub(crate) fn new(script: Vec<String>) -> Self {
        Self {
            script,
            begun: Instant::now(),
            starts: RefCell::default(),
            cancelled: Cell::default(),
            running: Cell::default(),
            fallbacks: Cell::default(),
            cause: RefCell::default(),
            gate: RefCell::default(),
        }
    }

    pub(crate) fn invocations(&self) -> usize {
        self.starts.borrow().len()
    }

    pub(crate) fn finish(&self, result: &str) {
        self.gate.take().expect("an invocation hangs").send(result.to_owned()).unwrap();
    }

    pub(crate) async fn run(&self) -> Out {
        let entry = self.script[self.invocations().min(self.script.len() - 1)].clone();
        self.starts.borrow_mut().push(self.begun.elapsed());
        self.running.set(self.running.get() + 1);
        let mut invocation = Invocation { inner: self, ended: false };
        let out = self.perform(&entry).await;
        invocation.ended = true;
        out
    }

    async fn perform(&self, entry: &str) -> Out {
        let (what, millis) = entry.split_once('@').map_or((entry, None), |(what, millis)| (what, Some(millis)));
        if let Some(millis) = millis {
            sleep(Duration::from_millis(millis.parse().unwrap())).await;
        }
        if what == "hang" {
            let (sender, receiver) = oneshot::channel();
            *self.gate.borrow_mut() = Some(sender);
            let Ok(result) = receiver.await else { std::future::pending().await };
            return result_of(&result);
        }
        result_of(what)
    }
}

fn result_of(what: &str) -> Out {
    match what {
        "ok" => Ok("ok"),
        "bad" => Ok("bad"),
        "panic" => std::panic::resume_unwind(Box::new("on purpose")),
        what => {
            let class = what.strip_prefix("err").unwrap_or_else(|| panic!("{what}?"));
            let class = class.strip_prefix(':').map_or("E", |class| class.split(':').next().unwrap());
            Err(Fault::Class(class.to_owned()))
        }
    }
}
