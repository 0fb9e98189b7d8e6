#[circuit_breaker(failure_rate = 50%, window = 30s, open_for = OPEN_FOR, when = ApiError::is_transient)]
pub async fn price(sku: &str) -> Result<Price, ApiError> {
    fetch(sku).await
}
