#[fallback(Self::cached, |error| Err(error.with(sku)), |_| Ok(Price::UNKNOWN))]
async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    self.fetch(sku).await
}
