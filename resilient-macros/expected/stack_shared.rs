#[resilient(name = "prices", rejected = ApiError::refused)]
#[rate_limited(policy = VENDOR)]
#[circuit_breaker(policy = self.breaker, ignore_if = |output| output.is_err())]
async fn price(&mut self) -> Result<impl Display, ApiError> {
    self.fetch().await
}
