//! What fallbacks are given: the fn's arguments, however they are declared and however many there are.

use crate::support::{Fault, Flaky};
use resilient::{circuit_breaker, fallback, retry, timeout};
use std::sync::Arc;

struct Log(Vec<u32>, Flaky);

impl Log {
    #[fallback(Self::spare)]
    #[retry(attempts = 2)]
    async fn by_mut(&mut self, other: &mut Vec<u32>, owned: String) -> Result<usize, Fault> {
        self.0.push(1);
        other.push(1);
        self.1.run()?;
        Ok(owned.len())
    }

    async fn spare(&mut self, other: &mut Vec<u32>, owned: String, error: Fault) -> Result<usize, Fault> {
        assert_eq!((error, owned.as_str()), (Fault::Transient, "owned"));
        self.0.push(2);
        other.push(2);
        Ok(self.0.len())
    }

    #[fallback(|_| { self.0.push(2); other.push(2); drop(owned); Ok(0) })]
    #[retry(attempts = 2)]
    async fn by_mut_closure(&mut self, other: &mut Vec<u32>, owned: String) -> Result<usize, Fault> {
        self.0.push(1);
        other.push(1);
        self.1.run()?;
        Ok(owned.len())
    }

    #[fallback(Self::spare_later, |_| { self.0.push(3); other.push(3); Ok(0) })]
    #[retry(attempts = 2)]
    async fn by_mut_chain(&mut self, other: &mut Vec<u32>) -> Result<usize, Fault> {
        self.1.run()?;
        Ok(other.len())
    }

    fn spare_later(&mut self, other: &mut Vec<u32>, error: Fault) -> Result<usize, Fault> {
        self.0.push(2);
        other.push(2);
        Err(error)
    }

    #[fallback(Self::spare_owned)]
    #[timeout(1s)]
    async fn owned(self) -> Result<Vec<u32>, Fault> {
        self.1.run()?;
        Ok(self.0.clone())
    }

    fn spare_owned(self) -> Result<Vec<u32>, Fault> {
        Ok(self.0)
    }

    #[fallback(Self::spare_counted)]
    #[retry(attempts = 2)]
    async fn counted(self: Arc<Self>) -> Result<u32, Fault> {
        self.1.run()
    }

    async fn spare_counted(self: Arc<Self>, error: Fault) -> Result<u32, Fault> {
        assert!(error.is_transient());
        Ok(self.1.runs())
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_arrive_as_declared() {
    let mut other = Vec::new();
    let mut log = Log(Vec::new(), Flaky::failing(2));
    assert_eq!(log.by_mut(&mut other, "owned".into()).await, Ok(3));
    assert_eq!((log.0, other), (vec![1, 1, 2], vec![1, 1, 2]));
    let mut other = Vec::new();
    let mut log = Log(Vec::new(), Flaky::failing(2));
    assert_eq!(log.by_mut_closure(&mut other, "owned".into()).await, Ok(0));
    assert_eq!((log.0, other), (vec![1, 1, 2], vec![1, 1, 2]));
    let mut other = Vec::new();
    let mut log = Log(Vec::new(), Flaky::failing(2));
    assert_eq!(log.by_mut_chain(&mut other).await, Ok(0));
    assert_eq!((log.0, other), (vec![2, 3], vec![2, 3]));
    assert_eq!(Log(vec![5], Flaky::failing(1)).owned().await, Ok(vec![5]));
    assert_eq!(Arc::new(Log(vec![], Flaky::failing(2))).counted().await, Ok(2));
}

#[fallback(pattern_args)]
#[retry(attempts = 2)]
async fn patterns((a, b): (u32, u32), Wrap(c): Wrap, &d: &u32, flaky: &Flaky) -> Result<u32, Fault> {
    Ok(flaky.run()? + a + b + c + d)
}

struct Wrap(u32);

fn pattern_args((a, b): (u32, u32), Wrap(c): Wrap, d: &u32, _: &Flaky) -> Result<u32, Fault> {
    Ok(a * b * c * d)
}

#[fallback(nothing_number)]
#[retry(attempts = 2)]
async fn unnameable(_: u32, flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

fn nothing_number() -> Result<u32, Fault> {
    Ok(77)
}

#[tokio::test(start_paused = true)]
async fn patterns_are_put_together_again() {
    assert_eq!(patterns((2, 3), Wrap(5), &7, &Flaky::failing(2)).await, Ok(210));
    assert_eq!(unnameable(0, &Flaky::failing(2)).await, Ok(77));
}

/// One fn, its fallback and its test per number of arguments.
macro_rules! numbers {
    ($($name:ident $spare:ident ($($arg:ident)*) $sum:literal;)*) => {
        $(
            #[fallback($spare)]
            #[circuit_breaker(failures = 1)]
            #[timeout(1s)]
            async fn $name($($arg: u32),*) -> Result<u32, Fault> {
                $(let _ = $arg;)*
                Err(Fault::Transient)
            }

            #[allow(clippy::too_many_arguments)]
            fn $spare($($arg: u32,)* error: &Fault) -> Result<u32, Fault> {
                assert!(error.is_transient());
                Ok(0 $(+ $arg)*)
            }
        )*

        #[tokio::test(start_paused = true)]
        async fn up_to_eight_arguments() {
            $(
                $(let $arg = u32::try_from(stringify!($arg).len()).unwrap();)*
                assert_eq!($name($($arg),*).await, Ok($sum));
            )*
        }
    };
}

numbers! {
    none spare_none () 0;
    one spare_one (a) 1;
    two spare_two (a bb) 3;
    three spare_three (a bb ccc) 6;
    four spare_four (a bb ccc dddd) 10;
    five spare_five (a bb ccc dddd eeeee) 15;
    six spare_six (a bb ccc dddd eeeee ffffff) 21;
    seven spare_seven (a bb ccc dddd eeeee ffffff ggggggg) 28;
    eight spare_eight (a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh) 36;
}

#[fallback(|_| nine(a, b, c, d, e, f, g, h, i))]
#[timeout(1s)]
#[allow(clippy::too_many_arguments, clippy::many_single_char_names)]
async fn more_than_eight(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> Result<u8, Fault> {
    Err(Fault::Permanent)
}

#[allow(clippy::too_many_arguments, clippy::many_single_char_names)]
fn nine(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> Result<u8, Fault> {
    Ok(a + b + c + d + e + f + g + h + i)
}

#[fallback(nothing_byte)]
#[timeout(1s)]
#[allow(clippy::too_many_arguments, clippy::many_single_char_names, unused_variables)]
async fn nothing_of_nine(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> Result<u8, Fault> {
    Err(Fault::Permanent)
}

fn nothing_byte() -> Result<u8, Fault> {
    Ok(9)
}

#[tokio::test(start_paused = true)]
async fn more_arguments_than_eight() {
    assert_eq!(more_than_eight(1, 1, 1, 1, 1, 1, 1, 1, 1).await, Ok(9));
    assert_eq!(nothing_of_nine(1, 1, 1, 1, 1, 1, 1, 1, 1).await, Ok(9));
}
