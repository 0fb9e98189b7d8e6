async fn price(&mut self) -> Result<impl Display, ApiError> {
    #[rate_limited(__resilient_mentioned)]
    const _: () = ();
    #[circuit_breaker(__resilient_mentioned)]
    const _: () = ();
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        "prices",
        rt::file!(),
        rt::line!(),
        &[
            rt::SitePolicy::shared("rate_limited", "rate_limited"),
            rt::SitePolicy::shared("circuit_breaker", "circuit_breaker"),
        ],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    let __shared_0: &::resilient::RateLimiter = &VENDOR;
    let __shared_1 = rt::counted::<::resilient::CircuitBreaker, _>(&self.breaker);
    let __of = rt::Of::<Result<_, ApiError>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::converting::<
        Result<_, ApiError>,
        _,
        _,
    >(
        __view,
        |__error, _| rt::by_path::<Result<_, ApiError>, _, _>(ApiError::refused, __error),
    );
    let mut __call = rt::begin::<
        Result<_, ApiError>,
        _,
        _,
        _,
        _,
    >(
        __resilient_site,
        __view,
        &__convert,
        rt::on(
            rt::RateLimiterLayer::new(
                rt::Borrowed(__shared_0),
                (),
                (rt::measuring(__view), ()),
            ),
            rt::on(
                rt::CircuitBreakerLayer::new(
                    rt::Shared(__shared_1),
                    rt::judging::<
                        Result<_, ApiError>,
                        _,
                        _,
                    >(
                        __view,
                        |__judged, __view| {
                            if rt::ignore_if::<
                                Result<_, ApiError>,
                                _,
                            >(__judged, |output| output.is_err()) {
                                rt::Ending::Ignored
                            } else {
                                rt::errors::<Result<_, ApiError>>(__judged)
                            }
                        },
                    ),
                ),
                rt::End,
            ),
        ),
    );
    __of.is_of(&__call);
    rt::Step::done(
        rt::Call::turn(
                &mut __call,
                rt::pin(
                    rt::Some(async {
                        if let rt::Some(__edge) = rt::Option::None::<
                            Result<_, ApiError>,
                        > {
                            return __edge;
                        }
                        { self.fetch().await }
                    }),
                ),
            )
            .await,
    )
}
