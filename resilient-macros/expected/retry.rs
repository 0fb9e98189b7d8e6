#[retry(attempts = 3, backoff = 100ms..=2s, when = |error| error.is_transient())]
async fn price(&mut self, sku: &str) -> Result<Price, ApiError> {
    self.client.fetch(sku).await
}
