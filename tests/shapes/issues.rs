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

/// Where no rejection gets out, `rejected` was not looked at, and its fn was called dead code.
#[deny(dead_code)]
mod an_unneeded_rejected_is_still_used {
    use super::*;

    #[fallback(|| Ok(0))]
    #[timeout(1s)]
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

/// In arrays, slices and parentheses it was written into expressions, where it is not allowed.
mod an_impl_trait_in_any_part_of_the_output_is_inferred {
    use super::*;

    #[timeout(1s)]
    async fn array() -> Result<[impl Display; 2], Fault> {
        Ok([1, 2])
    }

    #[retry]
    async fn slice() -> Result<Box<[impl Display]>, Fault> {
        Ok(Box::new([1, 2]))
    }

    #[timeout(1s)]
    async fn reference<'a>() -> Result<&'a (impl Display + Clone), Fault> {
        Ok(&1)
    }

    #[timeout(1s)]
    async fn within_a_trait_object() -> Result<Box<dyn Iterator<Item = impl Display>>, Fault> {
        Ok(Box::new([1, 2].into_iter()))
    }

    #[resilient::resilient(rejected = |error| panic!("{error}"))]
    #[timeout(1s)]
    async fn everywhere() -> ([impl Display; 1], (impl Display, u8), [(impl Display, char); 2]) {
        ([1], (2, 3), [(4, 'a'); 2])
    }

    macro_rules! typed {
        ($name:ident, $output:ty, $body:expr) => {
            #[resilient::resilient(rejected = |error| panic!("{error}"))]
            #[timeout(1s)]
            async fn $name() -> $output {
                $body
            }
        };
    }
    typed!(fragment, impl Display, 1);
    typed!(fragment_within, [impl Display; 2], [1, 2]);
    typed!(never, !, forever().await);

    #[fallback(spare)]
    #[retry(attempts = 2)]
    async fn arguments(
        [one, _two]: [impl Display; 2],
        many: &[impl Display],
        (other, number): (impl Display, u8),
        last: &mut (impl Display + ?Sized),
    ) -> Result<String, Fault> {
        drop((one.to_string(), many[0].to_string(), other.to_string(), number, last.to_string()));
        Err(Fault::Transient)
    }

    fn spare() -> Result<String, Fault> {
        Ok("spare".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn test() {
        assert_eq!(array().await.unwrap()[1].to_string(), "2");
        assert_eq!(slice().await.unwrap()[1].to_string(), "2");
        assert_eq!(reference().await.unwrap().clone().to_string(), "1");
        assert_eq!(within_a_trait_object().await.unwrap().count(), 2);
        assert_eq!(everywhere().await.2[1].0.to_string(), "4");
        assert_eq!(fragment().await.to_string(), "1");
        assert_eq!(fragment_within().await[1].to_string(), "2");
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), never()).await.is_err());
        assert_eq!(arguments(["a", "b"], &["c"], ("d", 1), &mut "e".to_owned()[..]).await.unwrap(), "spare");
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
