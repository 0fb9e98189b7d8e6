//! Free fns and every receiver; what stands between the braces.

use crate::support::{Fault, Flaky, forever};
use resilient::{bulkhead, circuit_breaker, rate_limited, retry, timeout};
use std::{pin::Pin, sync::Arc};

#[retry(attempts = 3)]
#[circuit_breaker]
#[timeout(1s)]
async fn free(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn a_free_fn() {
    assert_eq!(free(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(free(&Flaky::failing(3)).await, Err(Fault::Transient));
}

#[derive(Default)]
struct Client {
    flaky: Flaky,
    log: Vec<u32>,
}

impl Client {
    #[retry]
    #[timeout(1s)]
    async fn by_ref(&self, add: u32) -> Result<u32, Fault> {
        Ok(self.flaky.run()? + add)
    }

    #[retry]
    #[circuit_breaker]
    async fn by_mut(&mut self, add: u32) -> Result<usize, Fault> {
        self.log.push(add);
        let mut later = async || self.log.push(add);
        later().await;
        self.flaky.run()?;
        Ok(self.log.len())
    }

    #[timeout(1s)]
    #[circuit_breaker]
    async fn lent(&mut self) -> Result<&mut Vec<u32>, Fault> {
        self.log.push(7);
        Ok(&mut self.log)
    }

    #[timeout(1s)]
    async fn lent_shared(&self) -> Result<&[u32], Fault> {
        Ok(&self.log)
    }

    #[retry]
    async fn lent_under_retry(&self) -> Result<&[u32], Fault> {
        self.flaky.run()?;
        Ok(&self.log)
    }

    #[timeout(1s)]
    async fn owned(self) -> Result<Vec<u32>, Fault> {
        Ok(self.log)
    }

    #[retry]
    async fn owned_under_retry(self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[retry]
    #[timeout(1s)]
    async fn counted(self: Arc<Self>) -> Result<u32, Fault> {
        let here = Arc::clone(&self);
        here.flaky.run()
    }

    #[retry]
    async fn boxed(self: Box<Self>) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[retry]
    async fn typed(self: &Self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[retry]
    async fn typed_mut(self: &mut Self) -> Result<u32, Fault> {
        self.log.push(1);
        self.flaky.run()
    }

    #[timeout(1s)]
    async fn pinned(self: Pin<&mut Self>) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[retry]
    async fn associated(flaky: &Flaky) -> Result<Self, Fault> {
        flaky.run()?;
        Ok(Self::default())
    }
}

fn failing(times: u32) -> Client {
    Client { flaky: Flaky::failing(times), log: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn every_receiver() {
    assert_eq!(failing(2).by_ref(10).await, Ok(13));
    assert_eq!(failing(2).by_mut(1).await, Ok(6));
    let mut client = failing(0);
    client.lent().await.unwrap().push(8);
    assert_eq!(client.lent_shared().await, Ok(&[7, 8][..]));
    assert_eq!(client.lent_under_retry().await, Ok(&[7, 8][..]));
    assert_eq!(client.owned().await, Ok(vec![7, 8]));
    assert_eq!(failing(2).owned_under_retry().await, Ok(3));
    assert_eq!(Arc::new(failing(2)).counted().await, Ok(3));
    assert_eq!(Box::new(failing(2)).boxed().await, Ok(3));
    assert_eq!(failing(1).typed().await, Ok(2));
    assert_eq!(failing(1).typed_mut().await, Ok(2));
    assert_eq!(Pin::new(&mut failing(0)).pinned().await, Ok(1));
    assert!(Client::associated(&Flaky::failing(1)).await.is_ok());
}

struct Pair {
    left: u32,
    right: Option<u32>,
}

#[retry]
async fn patterns(
    (a, b): (u32, u32),
    Pair { left, right: ref kept }: Pair,
    &c: &u32,
    [first, .., last]: [u32; 3],
    _: String,
    mut sum: u32,
    whole @ (_, _): (u32, u32),
    flaky: &Flaky,
) -> Result<u32, Fault> {
    sum += a + b + left + kept.unwrap_or_default() + c + first + last + whole.0;
    flaky.run()?;
    Ok(sum)
}

#[tokio::test(start_paused = true)]
async fn patterns_in_the_signature() {
    let flaky = Flaky::failing(0);
    let pair = Pair { left: 3, right: Some(4) };
    let sum = patterns((1, 2), pair, &5, [6, 0, 7], String::new(), 100, (8, 9), &flaky).await;
    assert_eq!(sum, Ok(136));
}

#[retry(when = Fault::is_transient)]
async fn early(n: i32, flaky: &Flaky) -> Result<u32, Fault> {
    if n == 1 {
        return Ok(1);
    }
    if n == 2 {
        return Err(Fault::Permanent);
    }
    let parsed = "5".parse::<u32>().map_err(|_| Fault::Permanent)?;
    for _ in 0..3 {
        if n == 3 {
            return Ok(parsed);
        }
    }
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn returns_and_question_marks_end_an_attempt() {
    let flaky = Flaky::failing(1);
    assert_eq!(early(1, &flaky).await, Ok(1));
    assert_eq!(early(2, &flaky).await, Err(Fault::Permanent));
    assert_eq!(early(3, &flaky).await, Ok(5));
    assert_eq!(flaky.runs(), 0);
    assert_eq!(early(4, &flaky).await, Ok(2));
}

#[timeout(1s)]
#[bulkhead(10)]
async fn recursive(depth: u32) -> Result<u32, Fault> {
    if depth == 0 {
        return Ok(0);
    }
    Ok(Box::pin(recursive(depth - 1)).await? + 1)
}

#[retry]
async fn recursive_under_retry(depth: u32, flaky: &Flaky) -> Result<u32, Fault> {
    if depth == 0 {
        return flaky.run();
    }
    Box::pin(recursive_under_retry(depth - 1, flaky)).await
}

#[tokio::test(start_paused = true)]
async fn recursion() {
    assert_eq!(recursive(5).await, Ok(5));
    assert_eq!(recursive(12).await.unwrap_err().to_string().split(':').next(), Some("bulkhead of shapes"));
    assert_eq!(recursive_under_retry(2, &Flaky::failing(1)).await, Ok(2));
}

#[rate_limited(1/s)]
#[resilient::resilient(rejected = |error| println!("{error}"))]
async fn unit() {
    tokio::task::yield_now().await;
}

#[retry]
async fn unit_result(flaky: &Flaky) -> Result<(), Fault> {
    flaky.run()?;
    Ok(())
}

#[bulkhead(1)]
#[resilient::resilient(rejected = |error| panic!("{error}"))]
async fn never() -> ! {
    loop {
        tokio::task::yield_now().await;
    }
}

#[bulkhead(1)]
#[resilient::resilient(rejected = |error| panic!("{error}"))]
async fn never_ready() -> ! {
    forever::<std::convert::Infallible>().await;
    unreachable!()
}

#[tokio::test(start_paused = true)]
async fn fns_without_a_value() {
    unit().await;
    unit().await;
    unit_result(&Flaky::failing(1)).await.unwrap();
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, async { never_ready().await }).await.is_err());
    tokio::select! {
        biased;
        () = tokio::task::yield_now() => {}
        _ = async { never().await } => {}
    }
}
