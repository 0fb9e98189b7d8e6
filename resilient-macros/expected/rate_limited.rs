#[rate_limited(100/s, burst = 200, cost = skus.len() as u32)]
async fn prices(skus: &[Sku]) -> Result<Vec<Price>, ApiError> {
    fetch_all(skus).await
}
