async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::fallback("fallback")],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
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
            rt::End,
        ),
    );
    let mut __step = rt::Call::turn(
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
    if let rt::Step::Fall(0usize) = __step {
        let __ended = rt::Call::failed(&mut __call);
        __step = rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        let __answer: Result<Price, ApiError> = {
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
                        };
                        let __ended = match rt::still_failed::<_, _>(__view, __answer) {
                            rt::Ok(__ended) => __ended,
                            rt::Err(__answer) => return __answer,
                        };
                        let __answer: Result<Price, ApiError> = {
                            let __error = match rt::taken::<
                                Result<Price, ApiError>,
                                _,
                                _,
                            >(__view, rt::Nothing, __ended) {
                                rt::Ok(__error) => __error,
                                rt::Err(__answer) => return __answer,
                            };
                            rt::ready::<
                                Result<Price, ApiError>,
                                _,
                                _,
                            >(rt::by_value(|error| Err(error.with(sku)), __error))
                                .await
                        };
                        let __ended = match rt::still_failed::<_, _>(__view, __answer) {
                            rt::Ok(__ended) => __ended,
                            rt::Err(__answer) => return __answer,
                        };
                        {
                            let __error = match rt::taken::<
                                Result<Price, ApiError>,
                                _,
                                _,
                            >(__view, rt::Nothing, __ended) {
                                rt::Ok(__error) => __error,
                                rt::Err(__answer) => return __answer,
                            };
                            rt::ready::<
                                Result<Price, ApiError>,
                                _,
                                _,
                            >(rt::by_value(|_| Ok(Price::UNKNOWN), __error))
                                .await
                        }
                    }),
                ),
            )
            .await;
    }
    rt::Step::done(__step)
}
