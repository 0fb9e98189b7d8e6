//! What once went wrong, each by its name.

use crate::support::{Fault, Flaky, forever};
use resilient::{circuit_breaker, fallback, retry, timeout};
use std::fmt::Display;

/// The edge that types the body called the rest of it unreachable.
#[deny(unreachable_code)]
mod the_typed_edge_is_no_unreachable_code {
    use super::*;

    #[retry]
    async fn typed(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        assert_eq!(typed(&Flaky::failing(1)).await, Ok(2));
    }
}

/// Nothing told the view and the judges what the `impl Trait` is.
mod an_impl_trait_within_the_output_is_inferred {
    use super::*;

    #[fallback(|_| Err(Fault::Permanent))]
    #[retry(when = Fault::is_transient)]
    #[circuit_breaker(ignore_if = |output| output.is_err())]
    #[timeout(1s)]
    async fn inferred(flaky: &Flaky) -> Result<impl Display, Fault> {
        flaky.run()
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        assert_eq!(inferred(&Flaky::failing(1)).await.map(|value| value.to_string()), Ok("2".to_owned()));
    }
}

/// `String: From<resilient::Error>` was asked for, though the fallback is given the error as it is.
mod a_fallback_without_a_result_is_given_our_error {
    use super::*;

    #[fallback(|error: &resilient::Error| error.policy().to_owned())]
    #[timeout(1s)]
    async fn by_closure() -> String {
        forever().await
    }

    #[fallback(spare)]
    #[timeout(1s)]
    async fn by_path() -> String {
        forever().await
    }

    fn spare(error: resilient::Error) -> String {
        error.policy().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        assert_eq!(by_closure().await, "timeout");
        assert_eq!(by_path().await, "timeout");
    }
}

/// Where nothing rejects, `rejected` was not looked at, and its fn was called dead code.
#[deny(dead_code)]
mod an_unneeded_rejected_is_still_used {
    use super::*;

    #[retry]
    #[resilient::resilient(rejected = refused)]
    async fn never_refused(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }

    fn refused(error: resilient::Error) -> Fault {
        Fault::Refused(error)
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        assert_eq!(never_refused(&Flaky::failing(1)).await, Ok(2));
    }
}

/// A closure that captured the view held a reference to it.
mod predicates_take_no_room_in_the_future {
    use super::*;

    #[retry]
    async fn without(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }

    #[retry(when = Fault::is_transient)]
    async fn with(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }

    #[test]
    fn test() {
        let flaky = Flaky::failing(0);
        assert_eq!(size_of_val(&without(&flaky)), size_of_val(&with(&flaky)));
    }
}

/// The braces of the body were called unnecessary.
#[deny(unused_braces)]
mod a_body_of_one_line_keeps_its_braces {
    use super::*;

    #[rustfmt::skip]
    #[timeout(1s)]
    async fn one_line() -> Result<u32, Fault> { Ok(1) }

    #[async_trait::async_trait]
    trait Boxed {
        #[rustfmt::skip]
        #[timeout(1s)]
        async fn one_line(&self) -> Result<u32, Fault> { Ok(1) }
    }

    impl Boxed for () {}

    #[tokio::test]
    async fn test() {
        assert_eq!(one_line().await, Ok(1));
        assert_eq!(().one_line().await, Ok(1));
    }
}

/// The fallback gave `!`, which is not what the fn returns.
mod a_fallback_may_never_come_back {
    use super::*;

    #[fallback(|error| panic!("{error}"))]
    #[timeout(1s)]
    async fn by_closure() -> Result<u32, Fault> {
        forever().await
    }

    #[fallback(gives_up)]
    #[timeout(1s)]
    async fn by_path() -> Result<u32, Fault> {
        forever().await
    }

    #[fallback(|_| gives_up(), |_| Ok(1))]
    #[timeout(1s)]
    async fn first_of_two() -> Result<u32, Fault> {
        forever().await
    }

    #[fallback(async |_| gives_up())]
    #[timeout(1s)]
    async fn later() -> Result<u32, Fault> {
        forever().await
    }

    fn gives_up() -> ! {
        panic!("given up")
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        for call in
            [tokio::spawn(by_closure()), tokio::spawn(by_path()), tokio::spawn(first_of_two()), tokio::spawn(later())]
        {
            assert!(call.await.unwrap_err().is_panic());
        }
    }
}
