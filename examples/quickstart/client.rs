//! The client of a web shop. Its attributes are all that protects it: the top one is the outermost, and the bodies
//! know nothing of them.

use crate::api::{Answer, Api};
use resilient::{bulkhead, circuit_breaker, fallback, rate_limited, resilient, retry, timeout};
use std::collections::HashMap;
use tokio::sync::Mutex;

pub struct Client {
    api: Api,
    prices: Mutex<HashMap<u32, String>>,
}

impl Client {
    /// Read often, and yesterday's price is better than none.
    #[resilient(name = "price")]
    #[fallback(Self::last_known_price)]
    #[timeout(500ms, name = "total")]
    #[retry(attempts = 3, backoff = 20ms..=200ms, when = Error::is_transient)]
    #[circuit_breaker(failure_rate = 50%, window = 40, open_for = 500ms)]
    #[timeout(200ms)]
    pub async fn price(&self, article: u32) -> Result<Answer, Error> {
        let answer = self.api.get(&format!("price/{article}")).await?;
        self.prices.lock().await.insert(article, answer.text.clone());
        Ok(answer)
    }

    async fn last_known_price(&self, article: u32, error: Error) -> Result<Answer, Error> {
        self.prices.lock().await.get(&article).map(Answer::substitute).ok_or(error)
    }

    /// Slow at the best of times: a few at once, and "we will see" when it does not answer.
    #[resilient(name = "stock")]
    #[fallback(|_| Ok(Answer::substitute("we will see")))]
    #[bulkhead(8, wait = 50ms)]
    #[circuit_breaker(failure_rate = 50%, window = 40, open_for = 500ms)]
    #[timeout(200ms)]
    pub async fn stock(&self, article: u32) -> Result<Answer, Error> {
        Ok(self.api.get(&format!("stock/{article}")).await?)
    }

    /// Never sent twice, and never answered by anybody else: when the shop is down this fails, but at once.
    #[resilient(name = "order")]
    #[rate_limited(100/s, wait = 100ms)]
    #[circuit_breaker(failures = 5, open_for = 500ms)]
    #[timeout(300ms)]
    pub async fn order(&self, article: u32) -> Result<Answer, Error> {
        Ok(self.api.post("order", article.to_string()).await?)
    }

    pub fn new(api: Api) -> Self {
        Self { api, prices: Mutex::default() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// An open circuit, a time-out, no free place: this variant is all that the attributes ask for.
    #[error(transparent)]
    Resilience(#[from] resilient::Error),
}

impl Error {
    /// No answer, or one that blames the server: worth another attempt. A 429 is not.
    fn is_transient(&self) -> bool {
        matches!(self, Self::Http(error) if error.status().is_none_or(|status| status.is_server_error()))
    }
}
