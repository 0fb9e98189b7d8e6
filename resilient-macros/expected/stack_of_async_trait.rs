#[fallback(|_| Ok(self.spare(sku)))]
#[retry]
fn price<'life0, 'async_trait>(&'life0 self, sku: u32) -> Pin<Box<dyn Future<Output = Result<u32, ApiError>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Result<u32, ApiError>> {
            #[allow(unreachable_code)]
            return __ret;
        }
        let __self = self;
        let sku = sku;
        let __ret: Result<u32, ApiError> = { __self.fetch(sku).await };
        #[allow(unreachable_code)]
        __ret
    })
}
