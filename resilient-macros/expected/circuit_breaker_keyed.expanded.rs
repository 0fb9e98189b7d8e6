async fn price(&self, sku: &str) -> Result<u32, Fault> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::KeyedCircuitBreaker(&__RESILIENT_0)],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_0: rt::Keys<::resilient::CircuitBreaker> = {
        rt::Keys::owned(
                ::resilient::CircuitBreakerConfig::new()
                    .slow_call(rt::Duration::from_nanos(2000000000u64))
                    .open_for_range(
                        rt::Duration::from_nanos(
                            30000000000u64,
                        )..=rt::Duration::from_nanos(300000000000u64),
                    )
                    .name("circuit_breaker")
                    .checked(),
                rt::concat!(rt::module_path!(), "::", "price"),
            )
            .max_keys(100u32)
    };
    fn __resilient_0() -> &'static rt::Keys<::resilient::CircuitBreaker> {
        &__RESILIENT_0
    }
    let __keyed_0 = {
        let __key = &self.host;
        rt::keyed(
            __resilient_0(),
            __key,
            || rt::checked(
                {
                    use rt::{SeeDisplay as _, SeeNothing as _};
                    (&&rt::Labelled(__key)).__resilient_label()
                },
                {
                    use rt::{OwnByClone as _, OwnBorrowed as _};
                    (&&rt::Labelled(__key)).__resilient_owned()
                },
                |__key| rt::asking(ping(__key)),
            ),
        )
    };
    let __of = rt::Of::<Result<u32, Fault>>::output();
    let __view = {
        use rt::{SeePlain as _, SeeResult as _, SeeText as _};
        (&&&__of).__resilient_view()
    };
    let __convert = rt::converting::<
        Result<u32, Fault>,
        _,
        _,
    >(__view, |__error, _| rt::by_from::<Result<u32, Fault>>(__error));
    let mut __call = rt::begin::<
        Result<u32, Fault>,
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
                rt::Shared(__keyed_0),
                rt::judging::<
                    Result<u32, Fault>,
                    _,
                    _,
                >(__view, |__judged, __view| rt::errors::<Result<u32, Fault>>(__judged)),
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
                            Result<u32, Fault>,
                        > {
                            return __edge;
                        }
                        { self.ask(sku).await }
                    }),
                ),
            )
            .await,
    )
}
