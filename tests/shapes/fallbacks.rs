//! Every shape of fallback: paths, closures, chains of both.

use crate::support::{Fault, Flaky};
use resilient::{circuit_breaker, fallback, retry, timeout};

struct Client(Flaky);

/// One annotated method per shape of the path that it names.
macro_rules! method_shapes {
    ($($name:ident => $path:path;)*) => {$(
        #[fallback($path)]
        #[retry(attempts = 2)]
        async fn $name(&self, text: &str, n: u32) -> Result<String, Fault> {
            self.0.run()?;
            Ok(format!("{text}{n}"))
        }
    )*};
}

impl Client {
    method_shapes! {
        with_self_and_error => Self::self_and_error;
        with_self_and_error_ref => Self::self_and_error_ref;
        with_self => Self::me;
        with_self_async => Self::self_async;
        with_self_error_ref_async => Self::self_error_ref_async;
        with_args_and_error => args_and_error;
        with_args_and_error_ref => args_and_error_ref;
        with_args => args;
        with_args_async => args_async;
        with_error => error;
        with_error_ref => error_ref;
        with_error_async => error_async;
        with_error_ref_async => error_ref_async;
        with_nothing => nothing;
        with_nothing_async => nothing_async;
        with_associated => Self::associated;
        with_generic => generic::<u8>;
    }

    fn self_and_error(&self, text: &str, n: u32, error: Fault) -> Result<String, Fault> {
        Ok(format!("self_and_error {text}{n} {error} {}", self.0.runs()))
    }

    fn self_and_error_ref(&self, text: &str, n: u32, error: &Fault) -> Result<String, Fault> {
        Ok(format!("self_and_error_ref {text}{n} {error} {}", self.0.runs()))
    }

    fn me(&self, text: &str, n: u32) -> Result<String, Fault> {
        Ok(format!("self {text}{n} {}", self.0.runs()))
    }

    async fn self_async(&self, text: &str, n: u32) -> Result<String, Fault> {
        tokio::task::yield_now().await;
        self.me(text, n)
    }

    async fn self_error_ref_async(&self, text: &str, n: u32, error: &Fault) -> Result<String, Fault> {
        tokio::task::yield_now().await;
        self.self_and_error_ref(text, n, error)
    }

    fn associated(error: &Fault) -> Result<String, Fault> {
        error_ref(error)
    }
}

fn args_and_error(text: &str, n: u32, error: Fault) -> Result<String, Fault> {
    Ok(format!("args_and_error {text}{n} {error}"))
}

fn args_and_error_ref(text: &str, n: u32, error: &Fault) -> Result<String, Fault> {
    Ok(format!("args_and_error_ref {text}{n} {error}"))
}

fn args(text: &str, n: u32) -> Result<String, Fault> {
    Ok(format!("args {text}{n}"))
}

async fn args_async(text: &str, n: u32) -> Result<String, Fault> {
    tokio::task::yield_now().await;
    args(text, n)
}

fn error(error: Fault) -> Result<String, Fault> {
    Ok(format!("error {error}"))
}

fn error_ref(error: &Fault) -> Result<String, Fault> {
    Ok(format!("error_ref {error}"))
}

async fn error_async(error: Fault) -> Result<String, Fault> {
    tokio::task::yield_now().await;
    self::error(error)
}

async fn error_ref_async(error: &Fault) -> Result<String, Fault> {
    tokio::task::yield_now().await;
    error_ref(error)
}

fn nothing() -> Result<String, Fault> {
    Ok("nothing".to_owned())
}

async fn nothing_async() -> Result<String, Fault> {
    tokio::task::yield_now().await;
    nothing()
}

fn generic<T: Default + std::fmt::Display>() -> Result<String, Fault> {
    Ok(T::default().to_string())
}

#[tokio::test(start_paused = true)]
async fn paths_of_every_shape() {
    macro_rules! expect {
        ($($name:ident $text:literal;)*) => {$(
            let client = Client(Flaky::failing(2));
            assert_eq!(client.$name("t", 7).await.unwrap(), $text, stringify!($name));
        )*};
    }
    expect! {
        with_self_and_error "self_and_error t7 transient 2";
        with_self_and_error_ref "self_and_error_ref t7 transient 2";
        with_self "self t7 2";
        with_self_async "self t7 2";
        with_self_error_ref_async "self_and_error_ref t7 transient 2";
        with_args_and_error "args_and_error t7 transient";
        with_args_and_error_ref "args_and_error_ref t7 transient";
        with_args "args t7";
        with_args_async "args t7";
        with_error "error transient";
        with_error_ref "error_ref transient";
        with_error_async "error transient";
        with_error_ref_async "error_ref transient";
        with_nothing "nothing";
        with_nothing_async "nothing";
        with_associated "error_ref transient";
        with_generic "0";
    }
}

macro_rules! closures {
    (sees ($text:ident, $n:ident); $($name:ident => [$($closure:tt)*], $answer:literal;)*) => {
        $(
            #[fallback($($closure)*)]
            #[retry(attempts = 2)]
            async fn $name(flaky: &Flaky, $text: &str, $n: u32) -> Result<String, Fault> {
                flaky.run()?;
                Ok(format!("{}{}", $text, $n))
            }
        )*

        #[tokio::test(start_paused = true)]
        async fn closures_of_every_shape() {
            $(assert_eq!($name(&Flaky::failing(2), "t", 7).await.unwrap(), $answer, stringify!($name));)*
        }
    };
}

closures! {
    sees (text, n);
    by_value => [|error| Ok(format!("{error} {text}{n}"))], "transient t7";
    annotated => [|error: Fault| Ok(format!("{error} {text}{n}"))], "transient t7";
    by_reference => [|error: &Fault| Ok(format!("{error} {text}{n}"))], "transient t7";
    by_pattern => [|&ref error| Ok(format!("{error}"))], "transient";
    ignored => [|_| Ok(format!("{text}{n}"))], "t7";
    without_parameter => [|| Ok(format!("{text}{n}"))], "t7";
    with_block => [|error| { let shown = format!("{error}"); Ok(shown) }], "transient";
    with_return => [|error| { if error.is_transient() { return Ok("again".to_owned()); } Err(error) }], "again";
    with_question_mark => [|_| { let parsed: u32 = "5".parse().map_err(|_| Fault::Permanent)?; Ok(parsed.to_string()) }], "5";
    moved => [move |error| Ok(format!("{error} {text}{n}"))], "transient t7";
    async_by_value => [async |error| { tokio::task::yield_now().await; Ok(format!("{error} {text}{n}")) }], "transient t7";
    async_by_reference => [async |error: &Fault| { tokio::task::yield_now().await; Ok(format!("{error} {text}{n}")) }], "transient t7";
    async_without_parameter => [async || { tokio::task::yield_now().await; Ok(format!("{text}{n}")) }], "t7";
    async_moved => [async move |error| { tokio::task::yield_now().await; Ok(format!("{error} {text}{n}")) }], "transient t7";
    async_block => [|error| async move { tokio::task::yield_now().await; Ok(format!("{error} {text}{n}")) }], "transient t7";
    async_block_by_reference => [|error: &Fault| async move { tokio::task::yield_now().await; Ok(format!("{error} {text}{n}")) }], "transient t7";
    calls => [|error| args_and_error(text, n, error)], "args_and_error t7 transient";
    calls_async => [|_| args_async(text, n)], "args t7";
    typed => [|error| -> Result<String, Fault> { Ok(format!("{error}")) }], "transient";
    first_answers => [|_| Ok("first".to_owned()), |_| Ok("second".to_owned())], "first";
    second_answers => [|_| Err(Fault::Permanent), |error| Ok(format!("{error}"))], "permanent";
    paths_then_closure => [fails_async, error_refused, |error| Ok(format!("{error} at last"))], "permanent at last";
    closure_then_path => [async |_| Err(Fault::Permanent), error_ref], "error_ref permanent";
}

async fn fails_async(_: &Flaky, _: &str, _: u32) -> Result<String, Fault> {
    Err(Fault::Permanent)
}

fn error_refused(error: Fault) -> Result<String, Fault> {
    Err(error)
}

fn error_refused_number(error: Fault) -> Result<u32, Fault> {
    assert_eq!(error, Fault::Permanent);
    Err(error)
}

#[fallback(|_| Err(Fault::Permanent), error_refused_number)]
#[retry(attempts = 2)]
async fn no_link_answers_by_path(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[fallback(when = |error| !error.is_transient(), |_| Ok(1))]
#[fallback(unless = Fault::is_transient, |_| Ok(2))]
#[retry(attempts = 2)]
async fn conditional(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[fallback(|error| { assert_eq!(error, Fault::Permanent); Ok(1) })]
#[fallback(|_| Err(Fault::Permanent))]
#[retry(attempts = 2)]
async fn nested(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[resilient::resilient(allow(fallback_inside_retry))]
#[fallback(|_| Ok(3))]
#[retry(attempts = 2)]
#[fallback(|error| Err(error))]
async fn inside_retry(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn chains_and_conditions() {
    assert_eq!(no_link_answers_by_path(&Flaky::failing(2)).await, Err(Fault::Permanent));
    assert_eq!(conditional(&Flaky::failing(2)).await, Err(Fault::Transient));
    assert_eq!(nested(&Flaky::failing(2)).await, Ok(1));
    assert_eq!(inside_retry(&Flaky::failing(2)).await, Ok(3));
}

/// A rejection reaches the fallback as the user's error.
#[fallback(|error| if matches!(error, Fault::Refused(_)) { Ok(1) } else { Ok(2) })]
#[circuit_breaker(failures = 1)]
async fn rejections_too(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

/// An error that can not carry one of ours: no link takes it.
#[derive(Debug)]
struct Plain;

#[fallback(|| Ok(1))]
#[circuit_breaker(failures = 1)]
async fn without_the_bound() -> Result<u32, Plain> {
    Err(Plain)
}

#[fallback(spare_plain)]
#[circuit_breaker(failures = 1)]
async fn without_the_bound_by_path() -> Result<u32, Plain> {
    Err(Plain)
}

async fn spare_plain() -> Result<u32, Plain> {
    Ok(2)
}

/// Nor need it have a text.
struct Mute;

#[fallback(|_: Mute| Ok(1))]
#[retry(attempts = 2)]
async fn without_a_text() -> Result<u32, Mute> {
    Err(Mute)
}

/// A fn without a `Result` falls back for our errors alone.
#[fallback(|error| error.to_string())]
#[timeout(1s)]
async fn without_a_result() -> String {
    crate::support::forever().await
}

#[tokio::test(start_paused = true)]
async fn rejections_and_bounds() {
    let flaky = Flaky::failing(1);
    assert_eq!(rejections_too(&flaky).await, Ok(2));
    assert_eq!(rejections_too(&flaky).await, Ok(1));
    for _ in 0..2 {
        assert_eq!(without_the_bound().await.unwrap(), 1);
        assert_eq!(without_the_bound_by_path().await.unwrap(), 2);
    }
    assert_eq!(without_a_text().await.ok(), Some(1));
    assert_eq!(without_a_result().await, "timeout of shapes::fallbacks::without_a_result: timed out after 1s");
}
