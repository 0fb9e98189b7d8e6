/// What it costs.
#[fallback(Self::cached)]
#[rate_limited(100/s)]
#[bulkhead(10)]
#[timeout(10s)]
#[must_use]
#[retry(attempts = 3)]
#[circuit_breaker]
#[timeout(2s)]
pub async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    self.fetch(sku).await
}
