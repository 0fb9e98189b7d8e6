//! How our errors become the user's.

use crate::support::{Fault, forever};
use resilient::{Error, bulkhead, fallback, resilient, retry, timeout};

#[timeout(1s)]
async fn by_anyhow() -> anyhow::Result<u32> {
    anyhow::ensure!(!forever::<bool>().await, "never");
    Ok(1)
}

#[timeout(1s)]
async fn by_box() -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    forever().await
}

#[timeout(1s)]
async fn by_box_alone() -> Result<u32, Box<dyn std::error::Error>> {
    let () = forever().await;
    Err("never")?
}

#[timeout(1s)]
async fn by_io() -> std::io::Result<u32> {
    forever().await
}

#[timeout(1s)]
async fn by_itself() -> Result<u32, Error> {
    forever().await
}

type Answer<T> = Result<T, Fault>;

#[timeout(1s)]
async fn by_alias() -> Answer<u32> {
    forever().await
}

#[tokio::test(start_paused = true)]
async fn errors_that_need_nothing() {
    assert!(by_anyhow().await.unwrap_err().downcast_ref::<Error>().unwrap().is_timeout());
    assert!(by_box().await.unwrap_err().downcast_ref::<Error>().unwrap().is_timeout());
    assert!(by_box_alone().await.unwrap_err().downcast_ref::<Error>().unwrap().is_timeout());
    assert_eq!(by_io().await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(by_itself().await.unwrap_err().is_timeout());
    assert!(matches!(by_alias().await, Err(Fault::Refused(_))));
}

#[derive(Debug, PartialEq)]
struct Plain(&'static str);

impl Plain {
    fn refused(error: Error) -> Self {
        Self(error.policy())
    }

    fn output(error: Error) -> Result<u32, Self> {
        Err(Self(error.policy()))
    }
}

fn generic_refused<T: From<&'static str>>(error: Error) -> T {
    error.policy().into()
}

#[resilient(rejected = Plain::refused)]
#[timeout(1s)]
async fn mapped() -> Result<u32, Plain> {
    forever().await
}

#[timeout(1s)]
#[resilient(rejected = Plain::output)]
async fn mapped_to_output() -> Result<u32, Plain> {
    forever().await
}

#[resilient(rejected = |error| Plain(error.policy()))]
#[timeout(1s)]
async fn mapped_by_closure() -> Result<u32, Plain> {
    forever().await
}

#[resilient(rejected = |error: Error| Ok(error.policy().len()))]
#[timeout(1s)]
async fn mapped_to_output_by_closure() -> Result<usize, Plain> {
    forever().await
}

#[resilient(rejected = |_| Plain(sku))]
#[timeout(1s)]
async fn mapped_with_an_argument(sku: &'static str) -> Result<usize, Plain> {
    forever().await
}

#[resilient(rejected = generic_refused::<String>)]
#[timeout(1s)]
async fn mapped_by_a_generic_path() -> Result<u32, String> {
    forever().await
}

#[resilient(rejected = |error| error.policy().len())]
#[timeout(1s)]
async fn mapped_without_a_result() -> usize {
    forever().await
}

#[resilient(rejected = Plain::refused)]
#[fallback(|error| Err(Plain(if error == Plain("timeout") { "seen" } else { "unseen" })))]
#[timeout(1s)]
async fn mapped_for_a_fallback() -> Result<u32, Plain> {
    forever().await
}

#[resilient(rejected = Plain::refused)]
#[bulkhead(1)]
#[fallback(spare)]
#[timeout(1s)]
#[resilient::timeout(500ms)]
async fn mapped_for_both() -> Result<u32, Plain> {
    forever().await
}

fn spare(error: &Plain) -> Result<u32, Plain> {
    assert_eq!(error, &Plain("timeout_2"));
    Ok(3)
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_mapped() {
    assert_eq!(mapped().await, Err(Plain("timeout")));
    assert_eq!(mapped_to_output().await, Err(Plain("timeout")));
    assert_eq!(mapped_by_closure().await, Err(Plain("timeout")));
    assert_eq!(mapped_to_output_by_closure().await, Ok(7));
    assert_eq!(mapped_with_an_argument("sku").await, Err(Plain("sku")));
    assert_eq!(mapped_by_a_generic_path().await, Err("timeout".to_owned()));
    assert_eq!(mapped_without_a_result().await, 7);
    assert_eq!(mapped_for_a_fallback().await, Err(Plain("seen")));
    assert_eq!(mapped_for_both().await, Ok(3));
}

/// Neither rejects nor times out: no bound.
#[retry(attempts = 2)]
async fn unbound() -> Result<u32, Plain> {
    Err(Plain("last"))
}

#[fallback(|error| if error == Plain("last") { Ok(1) } else { Err(error) })]
#[retry(attempts = 2)]
async fn unbound_too() -> Result<u32, Plain> {
    Err(Plain("last"))
}

#[tokio::test(start_paused = true)]
async fn errors_of_policies_that_never_reject() {
    assert_eq!(unbound().await, Err(Plain("last")));
    assert_eq!(unbound_too().await, Ok(1));
}

/// Generic over its error.
#[bulkhead(1)]
async fn generic<E: From<Error>>(error: E) -> Result<(), E> {
    Err(error)
}

#[retry(attempts = 2)]
async fn generic_unbound<T: Clone, E: Clone>(result: Result<T, E>) -> Result<T, E> {
    result.clone()
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_generic() {
    assert_eq!(generic(Fault::Permanent).await, Err(Fault::Permanent));
    assert_eq!(generic_unbound::<(), _>(Err(Plain("x").0)).await, Err("x"));
}
