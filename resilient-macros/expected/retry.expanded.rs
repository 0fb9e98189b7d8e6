async fn price(&mut self, sku: &str) -> Result<Price, ApiError> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::Retry(&__RESILIENT_0)],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_0: ::resilient::Retry = {
        ::resilient::Retry::new(
            ::resilient::RetryConfig::new()
                .attempts(3u32)
                .backoff(
                    ::resilient::Backoff::exponential(
                        rt::Duration::from_nanos(100000000u64),
                        rt::Duration::from_nanos(2000000000u64),
                    ),
                )
                .name("retry"),
        )
    };
    fn __resilient_0() -> &'static ::resilient::Retry {
        &__RESILIENT_0
    }
    let __of = rt::Of::<Result<Price, ApiError>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::Nothing;
    let mut __call = rt::begin::<
        Result<Price, ApiError>,
        _,
        _,
        _,
        _,
    >(
        __resilient_site,
        __view,
        rt::Nothing,
        rt::on(
            rt::RetryLayer::new(
                __resilient_0,
                rt::judging::<
                    Result<Price, ApiError>,
                    _,
                    _,
                >(
                    __view,
                    |__judged, __view| rt::when::<
                        Result<Price, ApiError>,
                        _,
                        _,
                    >(__judged, __view, |error| error.is_transient()),
                ),
                __view,
            ),
            rt::End,
        ),
    );
    let __step = loop {
        let __step = rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        if let rt::Some(__edge) = rt::Option::None::<
                            Result<Price, ApiError>,
                        > {
                            return __edge;
                        }
                        { self.client.fetch(sku).await }
                    }),
                ),
            )
            .await;
        if let rt::Step::Again = __step {} else {
            break __step;
        }
    };
    rt::Step::done(__step)
}
