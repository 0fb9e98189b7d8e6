//! Under `#[async_trait]`, which expands first and moves the arguments.

use crate::support::{Fault, Flaky};
use async_trait::async_trait;
use resilient::{bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout};
use std::sync::Arc;

#[async_trait]
trait Prices: Send + Sync {
    async fn all(&self, of: &str) -> Result<u32, Fault>;
    async fn changed(&mut self, by: u32) -> Result<u32, Fault>;
    async fn lent(&mut self) -> Result<&mut Vec<u32>, Fault>;
    async fn patterns(&self, (a, b): (u32, u32), _: u8, mut c: u32) -> Result<u32, Fault>;
    async fn by_path(&self, text: String, n: &u32) -> Result<String, Fault>;
    async fn by_closure(&self, text: String) -> Result<String, Fault>;
    async fn by_mut_argument(&self, log: &mut Vec<u32>) -> Result<(), Fault>;
    async fn unit(&self);
    async fn nothing(&self) -> Result<(), Fault>;
    async fn owned(self: Box<Self>) -> Result<u32, Fault>;
    async fn counted(self: Arc<Self>) -> Result<u32, Fault>;
    async fn generic<T: Send + Sync + Clone>(&self, value: T) -> Result<T, Fault>
    where
        Self: Sized;
    async fn shared_limit(&self) -> Result<u32, Fault>;
    async fn keyed(&mut self, shop: String) -> Result<u32, Fault>;
    async fn shared_limit_mut(&mut self) -> Result<u32, Fault>;
    async fn without_self(flaky: &Flaky) -> Result<u32, Fault>
    where
        Self: Sized;

    #[fallback(|_| Ok(0))]
    #[retry]
    async fn default_body(&self) -> Result<u32, Fault> {
        self.all("abcd").await
    }
}

struct Shop {
    flaky: Flaky,
    log: Vec<u32>,
    breaker: Arc<resilient::CircuitBreaker>,
}

impl Shop {
    fn failing(times: u32) -> Self {
        let config = resilient::CircuitBreakerConfig::new().failures(1);
        Self {
            flaky: Flaky::failing(times),
            log: Vec::new(),
            breaker: Arc::new(resilient::CircuitBreaker::new(config)),
        }
    }

    async fn spare(&self, _of: &str, error: &Fault) -> Result<u32, Fault> {
        if error.is_transient() { Ok(99) } else { Ok(98) }
    }

    fn spare_text(&self, text: String, n: &u32) -> Result<String, Fault> {
        Ok(format!("{text}{n} after {}", self.flaky.runs()))
    }
}

#[async_trait]
impl Prices for Shop {
    #[fallback(Self::spare)]
    #[rate_limited(100/s)]
    #[bulkhead(10)]
    #[retry(attempts = 3, when = Fault::is_transient)]
    #[circuit_breaker]
    #[timeout(1s)]
    async fn all(&self, of: &str) -> Result<u32, Fault> {
        tokio::task::yield_now().await;
        if of.is_empty() {
            return Err(Fault::Permanent);
        }
        Ok(self.flaky.run()? + u32::try_from(of.len()).unwrap())
    }

    #[retry]
    #[circuit_breaker]
    async fn changed(&mut self, by: u32) -> Result<u32, Fault> {
        self.log.push(by);
        self.flaky.run()
    }

    #[timeout(1s)]
    async fn lent(&mut self) -> Result<&mut Vec<u32>, Fault> {
        Ok(&mut self.log)
    }

    #[fallback(|_| Ok(a * b + c))]
    #[retry]
    async fn patterns(&self, (a, b): (u32, u32), _: u8, mut c: u32) -> Result<u32, Fault> {
        c += self.flaky.run()?;
        Ok(a + b + c)
    }

    #[fallback(Self::spare_text)]
    #[retry]
    async fn by_path(&self, text: String, n: &u32) -> Result<String, Fault> {
        Ok(format!("{text}-{}", self.flaky.run()? + n))
    }

    #[fallback(|error: &Fault| Ok(format!("{text}: {error} after {}", self.flaky.runs())))]
    #[retry]
    async fn by_closure(&self, text: String) -> Result<String, Fault> {
        Ok(format!("{text}-{}", self.flaky.run()?))
    }

    #[fallback(async |_| { log.push(0); Ok(()) })]
    #[retry]
    async fn by_mut_argument(&self, log: &mut Vec<u32>) -> Result<(), Fault> {
        log.push(1);
        self.flaky.run()?;
        Ok(())
    }

    #[bulkhead(1)]
    #[resilient::resilient(rejected = |error| panic!("{error}"))]
    async fn unit(&self) {
        tokio::task::yield_now().await;
    }

    #[retry]
    async fn nothing(&self) -> Result<(), Fault> {
        self.flaky.run()?;
        Ok(())
    }

    #[retry]
    async fn owned(self: Box<Self>) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[retry]
    async fn counted(self: Arc<Self>) -> Result<u32, Fault> {
        Arc::clone(&self).flaky.run()
    }

    #[fallback(|_| Ok(value))]
    #[retry]
    #[circuit_breaker]
    async fn generic<T: Send + Sync + Clone>(&self, value: T) -> Result<T, Fault> {
        self.flaky.run()?;
        Ok(value.clone())
    }

    #[circuit_breaker(failures = 1, key = (&shop, self.log.len()), key_label = self.log.len())]
    async fn keyed(&mut self, shop: String) -> Result<u32, Fault> {
        self.log.push(shop.len().try_into().unwrap());
        drop(shop);
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.breaker)]
    async fn shared_limit(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.breaker)]
    async fn shared_limit_mut(&mut self) -> Result<u32, Fault> {
        self.log.push(1);
        self.flaky.run()
    }

    #[retry]
    async fn without_self(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }
}

#[tokio::test(start_paused = true)]
async fn every_policy() {
    assert_eq!(Shop::failing(2).all("abc").await, Ok(6));
    assert_eq!(Shop::failing(3).all("abc").await, Ok(99));
    assert_eq!(Shop::failing(0).all("").await, Ok(98));
    assert_eq!(Shop::failing(1).default_body().await, Ok(6));
    let dynamic: Box<dyn DynPrices> = Box::new(Shop::failing(2));
    assert_eq!(tokio::spawn(async move { dynamic.price("abc").await }).await.unwrap(), Ok(6));
}

#[async_trait]
trait DynPrices: Send + Sync {
    async fn price(&self, of: &str) -> Result<u32, Fault>;
}

#[async_trait]
impl DynPrices for Shop {
    async fn price(&self, of: &str) -> Result<u32, Fault> {
        self.all(of).await
    }
}

#[tokio::test(start_paused = true)]
async fn every_receiver() {
    let mut shop = Shop::failing(2);
    assert_eq!(shop.changed(5).await, Ok(3));
    assert_eq!(*shop.lent().await.unwrap(), [5, 5, 5]);
    assert_eq!(Box::new(Shop::failing(2)).owned().await, Ok(3));
    assert_eq!(Arc::new(Shop::failing(2)).counted().await, Ok(3));
    assert_eq!(Shop::without_self(&Flaky::failing(1)).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn every_argument() {
    assert_eq!(Shop::failing(1).patterns((1, 2), 0, 10).await, Ok(15));
    assert_eq!(Shop::failing(3).patterns((3, 4), 0, 10).await, Ok(22));
    assert_eq!(Shop::failing(1).by_path("a".into(), &1).await.unwrap(), "a-3");
    assert_eq!(Shop::failing(3).by_path("a".into(), &1).await.unwrap(), "a1 after 3");
    assert_eq!(Shop::failing(3).by_closure("a".into()).await.unwrap(), "a: transient after 3");
    let mut log = Vec::new();
    Shop::failing(3).by_mut_argument(&mut log).await.unwrap();
    assert_eq!(log, [1, 1, 1, 0]);
    assert_eq!(Shop::failing(3).generic("v").await, Ok("v"));
    Shop::failing(0).unit().await;
    assert_eq!(Shop::failing(2).nothing().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn shared_policies() {
    let mut shop = Shop::failing(1);
    assert_eq!(shop.shared_limit().await, Err(Fault::Transient));
    assert!(matches!(shop.shared_limit().await, Err(Fault::Refused(_))));
    assert!(matches!(shop.shared_limit_mut().await, Err(Fault::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn keys() {
    let mut shop = Shop::failing(1);
    assert_eq!(shop.keyed("a".to_owned()).await, Err(Fault::Transient));
    assert_eq!(shop.keyed("a".to_owned()).await, Ok(2));
    shop.log.clear();
    assert!(matches!(shop.keyed("a".to_owned()).await, Err(Fault::Refused(error)) if error.is_circuit_open()));
}
