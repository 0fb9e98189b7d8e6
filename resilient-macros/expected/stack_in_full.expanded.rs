/// What it costs.
#[must_use]
pub async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    #[rate_limited(__resilient_mentioned)]
    const _: () = ();
    #[bulkhead(__resilient_mentioned)]
    const _: () = ();
    #[timeout(__resilient_mentioned)]
    const _: () = ();
    #[retry(__resilient_mentioned)]
    const _: () = ();
    #[circuit_breaker(__resilient_mentioned)]
    const _: () = ();
    #[timeout(__resilient_mentioned)]
    const _: () = ();
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[
            rt::SitePolicy::fallback("fallback"),
            rt::SitePolicy::RateLimiter(&__RESILIENT_1),
            rt::SitePolicy::Bulkhead(&__RESILIENT_2),
            rt::SitePolicy::Timeout(&__RESILIENT_3),
            rt::SitePolicy::Retry(&__RESILIENT_4),
            rt::SitePolicy::CircuitBreaker(&__RESILIENT_5),
            rt::SitePolicy::Timeout(&__RESILIENT_6),
        ],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_1: ::resilient::RateLimiter = {
        ::resilient::RateLimiter::new(
            ::resilient::RateLimiterConfig::new(
                    ::resilient::Rate::new(
                        100u32,
                        rt::Duration::from_nanos(1000000000u64),
                    ),
                )
                .name("rate_limited"),
        )
    };
    fn __resilient_1() -> &'static ::resilient::RateLimiter {
        &__RESILIENT_1
    }
    static __RESILIENT_2: ::resilient::Bulkhead = {
        ::resilient::Bulkhead::owned(
            ::resilient::BulkheadConfig::new(10u32).name("bulkhead"),
            rt::concat!(rt::module_path!(), "::", "price"),
        )
    };
    fn __resilient_2() -> &'static ::resilient::Bulkhead {
        &__RESILIENT_2
    }
    static __RESILIENT_3: ::resilient::Timeout = {
        ::resilient::Timeout::new(
            ::resilient::TimeoutConfig::new(rt::Duration::from_nanos(10000000000u64))
                .name("timeout"),
        )
    };
    fn __resilient_3() -> &'static ::resilient::Timeout {
        &__RESILIENT_3
    }
    static __RESILIENT_4: ::resilient::Retry = {
        ::resilient::Retry::new(
            ::resilient::RetryConfig::new().attempts(3u32).name("retry"),
        )
    };
    fn __resilient_4() -> &'static ::resilient::Retry {
        &__RESILIENT_4
    }
    static __RESILIENT_5: ::resilient::CircuitBreaker = {
        ::resilient::CircuitBreaker::owned(
            ::resilient::CircuitBreakerConfig::new().name("circuit_breaker"),
            rt::concat!(rt::module_path!(), "::", "price"),
        )
    };
    fn __resilient_5() -> &'static ::resilient::CircuitBreaker {
        &__RESILIENT_5
    }
    static __RESILIENT_6: ::resilient::Timeout = {
        ::resilient::Timeout::new(
            ::resilient::TimeoutConfig::new(rt::Duration::from_nanos(2000000000u64))
                .name("timeout_2"),
        )
    };
    fn __resilient_6() -> &'static ::resilient::Timeout {
        &__RESILIENT_6
    }
    let __of = rt::Of::<Result<Price, ApiError>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::ByFrom(__view);
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
            rt::FallbackLayer::<
                0usize,
                _,
                _,
                _,
            >::new(
                rt::judging::<
                    Result<Price, ApiError>,
                    _,
                    _,
                >(
                    __view,
                    |__judged, __view| rt::by_view::<
                        Result<Price, ApiError>,
                        _,
                    >(__judged, __view),
                ),
                __view,
                rt::Always,
            ),
            rt::on(
                rt::RateLimiterLayer::new(__resilient_1, (), ()),
                rt::on(
                    rt::BulkheadLayer::new(__resilient_2, __view),
                    rt::on(
                        rt::TimeoutLayer::new(__resilient_3),
                        rt::on(
                            rt::RetryLayer::new(
                                __resilient_4,
                                rt::judging::<
                                    Result<Price, ApiError>,
                                    _,
                                    _,
                                >(
                                    __view,
                                    |__judged, __view| rt::errors::<
                                        Result<Price, ApiError>,
                                    >(__judged),
                                ),
                                __view,
                            ),
                            rt::on(
                                rt::CircuitBreakerLayer::new(
                                    __resilient_5,
                                    rt::judging::<
                                        Result<Price, ApiError>,
                                        _,
                                        _,
                                    >(
                                        __view,
                                        |__judged, __view| rt::errors::<
                                            Result<Price, ApiError>,
                                        >(__judged),
                                    ),
                                ),
                                rt::on(rt::TimeoutLayer::new(__resilient_6), rt::End),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    );
    let mut __step = loop {
        let __step = rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        if let rt::Some(__edge) = rt::Option::None::<
                            Result<Price, ApiError>,
                        > {
                            return __edge;
                        }
                        { self.fetch(sku).await }
                    }),
                ),
            )
            .await;
        if let rt::Step::Again = __step {} else {
            break __step;
        }
    };
    if let rt::Step::Fall(0usize) = __step {
        let __ended = rt::Call::failed(&mut __call);
        __step = rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        {
                            let __passed = (sku,);
                            let mut __error = rt::Option::None;
                            let __answer = match rt::path::<
                                Result<Price, ApiError>,
                                _,
                                _,
                                _,
                                _,
                                _,
                                _,
                            >(
                                Self::cached,
                                self,
                                __passed,
                                &mut __error,
                                (__view, __convert, __ended),
                            ) {
                                rt::Ok(__answer) => __answer,
                                rt::Err(__answer) => return __answer,
                            };
                            rt::given::<Result<Price, ApiError>, _, _>(__answer).await
                        }
                    }),
                ),
            )
            .await;
    }
    rt::Step::done(__step)
}
