fn price<'life0, 'async_trait>(
    &'life0 self,
    sku: u32,
) -> Pin<Box<dyn Future<Output = Result<u32, ApiError>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
            Result<u32, ApiError>,
        > {
            #[allow(unreachable_code)] return __ret;
        }
        let __self = self;
        let sku = sku;
        let __ret: Result<u32, ApiError> = {
            #[retry(__resilient_mentioned)]
            const _: () = ();
            static __RESILIENT_SITE: rt::Site = rt::Site::new(
                rt::concat!(rt::module_path!(), "::", "price"),
                rt::file!(),
                rt::line!(),
                &[
                    rt::SitePolicy::fallback("fallback"),
                    rt::SitePolicy::Retry(&__RESILIENT_1),
                ],
            );
            fn __resilient_site() -> &'static rt::Site {
                &__RESILIENT_SITE
            }
            static __RESILIENT_1: ::resilient::Retry = {
                ::resilient::Retry::new(::resilient::RetryConfig::new().name("retry"))
            };
            fn __resilient_1() -> &'static ::resilient::Retry {
                &__RESILIENT_1
            }
            let __of = rt::Of::<Result<u32, ApiError>>::output();
            let __view = {
                use rt::{SeePlain as _, SeeResult as _, SeeText as _};
                (&&&__of).__resilient_view()
            };
            let __convert = rt::Nothing;
            let mut __call = rt::begin::<
                Result<u32, ApiError>,
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
                            Result<u32, ApiError>,
                            _,
                            _,
                        >(
                            __view,
                            |__judged, __view| rt::by_view::<
                                Result<u32, ApiError>,
                                _,
                            >(__judged, __view),
                        ),
                        __view,
                        rt::Always,
                    ),
                    rt::on(
                        rt::RetryLayer::new(
                            __resilient_1,
                            rt::judging::<
                                Result<u32, ApiError>,
                                _,
                                _,
                            >(
                                __view,
                                |__judged, __view| rt::errors::<
                                    Result<u32, ApiError>,
                                >(__judged),
                            ),
                            __view,
                        ),
                        rt::End,
                    ),
                ),
            );
            let mut __step = loop {
                let __step = rt::Call::turn(
                        &mut __call,
                        rt::pin(
                            rt::Some(async {
                                if let rt::Some(__edge) = rt::Option::None::<
                                    Result<u32, ApiError>,
                                > {
                                    return __edge;
                                }
                                { __self.fetch(sku).await }
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
                                    let __error = match rt::taken::<
                                        Result<u32, ApiError>,
                                        _,
                                        _,
                                    >(__view, __convert, __ended) {
                                        rt::Ok(__error) => __error,
                                        rt::Err(__answer) => return __answer,
                                    };
                                    rt::ready::<
                                        Result<u32, ApiError>,
                                        _,
                                        _,
                                    >(rt::by_value(|_| Ok(__self.spare(sku)), __error))
                                        .await
                                }
                            }),
                        ),
                    )
                    .await;
            }
            rt::Step::done(__step)
        };
        #[allow(unreachable_code)] __ret
    })
}
