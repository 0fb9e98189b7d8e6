//! Traits without help from other macros.

use crate::support::{Fault, Flaky};
use resilient::{circuit_breaker, fallback, retry, timeout};

trait Prices {
    fn flaky(&self) -> &Flaky;

    async fn price(&self, of: &str) -> Result<u32, Fault>;

    async fn spare(&self, _of: &str) -> Result<u32, Fault> {
        Ok(99)
    }

    #[fallback(Self::spare)]
    #[retry]
    #[timeout(1s)]
    #[allow(unused_variables, reason = "what a default body may look like")]
    async fn default_body(&self, of: &str) -> Result<u32, Fault> {
        self.flaky().run()
    }

    #[retry]
    async fn default_body_mut(&mut self) -> Result<u32, Fault>
    where
        Self: Sized,
    {
        self.flaky().run()
    }
}

struct Shop(Flaky);

impl Prices for Shop {
    fn flaky(&self) -> &Flaky {
        &self.0
    }

    #[fallback(Self::spare)]
    #[retry]
    #[circuit_breaker]
    #[timeout(1s)]
    async fn price(&self, of: &str) -> Result<u32, Fault> {
        Ok(self.0.run()? + u32::try_from(of.len()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn trait_impls_and_default_bodies() {
    assert_eq!(Shop(Flaky::failing(1)).price("abc").await, Ok(5));
    assert_eq!(Shop(Flaky::failing(3)).price("abc").await, Ok(99));
    assert_eq!(Shop(Flaky::failing(1)).default_body("abc").await, Ok(2));
    assert_eq!(Shop(Flaky::failing(3)).default_body("abc").await, Ok(99));
    assert_eq!(Shop(Flaky::failing(2)).default_body_mut().await, Ok(3));
}
