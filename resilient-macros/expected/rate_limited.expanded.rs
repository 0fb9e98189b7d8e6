async fn prices(skus: &[Sku]) -> Result<Vec<Price>, ApiError> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "prices"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::RateLimiter(&__RESILIENT_0)],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_0: ::resilient::RateLimiter = {
        ::resilient::RateLimiter::new(
            ::resilient::RateLimiterConfig::new(
                    ::resilient::Rate::new(
                        100u32,
                        rt::Duration::from_nanos(1000000000u64),
                    ),
                )
                .burst(200u32)
                .name("rate_limited"),
        )
    };
    fn __resilient_0() -> &'static ::resilient::RateLimiter {
        &__RESILIENT_0
    }
    let __cost_0: rt::u32 = rt::cost(skus.len() as u32).tokens();
    let __of = rt::Of::<Result<Vec<Price>, ApiError>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::converting::<
        Result<Vec<Price>, ApiError>,
        _,
        _,
    >(__view, |__error, _| rt::by_from::<Result<Vec<Price>, ApiError>>(__error));
    let mut __call = rt::begin::<
        Result<Vec<Price>, ApiError>,
        _,
        _,
        _,
        _,
    >(
        __resilient_site,
        __view,
        __convert,
        rt::on(rt::RateLimiterLayer::new(__resilient_0, __cost_0, ()), rt::End),
    );
    rt::Step::done(
        rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        if let rt::Some(__edge) = rt::Option::None::<
                            Result<Vec<Price>, ApiError>,
                        > {
                            return __edge;
                        }
                        { fetch_all(skus).await }
                    }),
                ),
            )
            .await,
    )
}
