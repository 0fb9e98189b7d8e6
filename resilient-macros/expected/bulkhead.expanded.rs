async fn price(&self, sku: &str) -> Result<Price, ApiError> {
    static __RESILIENT_SITE: rt::Site = rt::Site::new(
        rt::concat!(rt::module_path!(), "::", "price"),
        rt::file!(),
        rt::line!(),
        &[rt::SitePolicy::Bulkhead(&__RESILIENT_0)],
    );
    fn __resilient_site() -> &'static rt::Site {
        &__RESILIENT_SITE
    }
    static __RESILIENT_0: ::resilient::Bulkhead = {
        ::resilient::Bulkhead::owned(
            ::resilient::BulkheadConfig::new(10u32)
                .wait(rt::Duration::from_nanos(100000000u64))
                .queue(50u32)
                .order(::resilient::Order::Priority)
                .name("bulkhead"),
            rt::concat!(rt::module_path!(), "::", "price"),
        )
    };
    fn __resilient_0() -> &'static ::resilient::Bulkhead {
        &__RESILIENT_0
    }
    let __class_0: ::resilient::Priority = Priority::of(sku);
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
            rt::BulkheadLayer::new(__resilient_0, __view).of_class(__class_0),
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
                        { self.fetch(sku).await }
                    }),
                ),
            )
            .await,
    )
}
