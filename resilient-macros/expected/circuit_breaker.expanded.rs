pub async fn price(sku: &str) -> Result<Price, ApiError> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::CircuitBreaker(&__RESILIENT_0)],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_0: ::resilient::CircuitBreaker = {
        const __RESILIENT_OPEN_FOR_0: rt::Duration = {
            let value: rt::Duration = OPEN_FOR;
            rt::check::open_for(value);
            value
        };
        ::resilient::CircuitBreaker::owned(
            ::resilient::CircuitBreakerConfig::new()
                .window_time(rt::Duration::from_nanos(30000000000u64))
                .failure_rate(::resilient::Ratio::from_ppb(500000000u32))
                .open_for(__RESILIENT_OPEN_FOR_0)
                .name("circuit_breaker"),
            rt::concat!(rt::module_path!(), "::", "price"),
        )
    };
    fn __resilient_0() -> &'static ::resilient::CircuitBreaker {
        &__RESILIENT_0
    }
    let __of = rt::Of::<Result<Price, ApiError>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::converting::<
        Result<Price, ApiError>,
        _,
        _,
    >(__view, |__error, _| rt::by_from::<Result<Price, ApiError>>(__error));
    let mut __call = rt::begin::<
        Result<Price, ApiError>,
        _,
        _,
        _,
        _,
    >(
        __resilient_site,
        __view,
        __convert,
        rt::on(
            rt::CircuitBreakerLayer::new(
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
                    >(__judged, __view, ApiError::is_transient),
                ),
            ),
            rt::End,
        ),
    );
    rt::Step::done(
        rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        if let rt::Some(__edge) = rt::Option::None::<
                            Result<Price, ApiError>,
                        > {
                            return __edge;
                        }
                        { fetch(sku).await }
                    }),
                ),
            )
            .await,
    )
}
