//! The shop's customers: each calls once per period, and waits for the answer before the next call.

use crate::{
    api::{Answer, Api},
    client::Client,
    script::LENGTH,
};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

pub const CUSTOMERS: u32 = 30;
const PERIOD: Duration = Duration::from_millis(100);
pub const PLANNED: u128 = LENGTH.as_millis() / PERIOD.as_millis() * CUSTOMERS as u128;
const ARTICLES: u32 = 20;

/// What they ask for.
pub enum Errand {
    Price(u32),
    Stock(u32),
    Order(u32),
}

impl Errand {
    /// Of ten calls six ask for a price, two for the stock, two order.
    fn nth(index: u32) -> Self {
        let article = index % ARTICLES;
        match index % 10 {
            0..6 => Self::Price(article),
            6..8 => Self::Stock(article),
            _ => Self::Order(article),
        }
    }
}

/// Something that runs errands: the client with its attributes, or the bare one.
pub trait Runner: Send + Sync + 'static {
    type Error: Send;

    fn run(&self, errand: Errand) -> impl Future<Output = Result<Answer, Self::Error>> + Send;
}

impl Runner for Client {
    type Error = crate::client::Error;

    async fn run(&self, errand: Errand) -> Result<Answer, Self::Error> {
        match errand {
            Errand::Price(article) => self.price(article).await,
            Errand::Stock(article) => self.stock(article).await,
            Errand::Order(article) => self.order(article).await,
        }
    }
}

impl Runner for Api {
    type Error = reqwest::Error;

    async fn run(&self, errand: Errand) -> Result<Answer, Self::Error> {
        match errand {
            Errand::Price(article) => self.get(&format!("price/{article}")).await,
            Errand::Stock(article) => self.get(&format!("stock/{article}")).await,
            Errand::Order(article) => self.post("order", article.to_string()).await,
        }
    }
}

#[derive(Clone, Copy)]
pub struct Call {
    pub ended: Instant,
    pub took: Duration,
    pub result: CallResult,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    Live,
    FellBack,
    Failed,
}

/// The calls made so far, in the order in which they ended.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Call>>>);

impl Log {
    pub fn read(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, begun: Instant, result: CallResult) {
        let mut calls = self.read();
        let ended = Instant::now();
        calls.push(Call { ended, took: ended - begun, result });
    }
}

/// Sends all customers, and returns when the last of them is done.
pub async fn send<R: Runner>(runner: R, start: Instant, log: Log) {
    let runner = Arc::new(runner);
    let mut customers = JoinSet::new();
    for number in 0..CUSTOMERS {
        let (runner, log) = (Arc::clone(&runner), log.clone());
        customers.spawn(customer(number, runner, start, log));
    }
    // Far more than the slowest answer takes.
    let done = async { while customers.join_next().await.is_some() {} };
    let _ = timeout(LENGTH * 2, done).await;
}

async fn customer<R: Runner>(number: u32, runner: Arc<R>, start: Instant, log: Log) {
    let mut ticks = interval_at(start + PERIOD * number / CUSTOMERS, PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut index = number;
    loop {
        ticks.tick().await;
        if start.elapsed() >= LENGTH {
            return;
        }
        let begun = Instant::now();
        let result = match runner.run(Errand::nth(index)).await {
            Ok(answer) if answer.live => CallResult::Live,
            Ok(_) => CallResult::FellBack,
            Err(_) => CallResult::Failed,
        };
        log.add(begun, result);
        index = index.wrapping_add(1);
    }
}
