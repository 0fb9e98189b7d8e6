#[circuit_breaker(slow_call = 2s, open_for = 30s..=5min, key = self.host, max_keys = 100, health_check = ping)]
async fn price(&self, sku: &str) -> Result<u32, Fault> {
    self.ask(sku).await
}
