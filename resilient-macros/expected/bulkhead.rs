#[bulkhead(10, wait = 100ms, queue = 50, order = priority, priority = Priority::of(sku))]
async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    self.fetch(sku).await
}
