#[timeout(2s)]
async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    self.fetch(sku).await
}
