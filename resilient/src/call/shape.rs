//! How a path given as a fallback is called: rustc picks the shape that fits.
//!
//! `(self, args.., E)`, `(self, args.., &E)`, `(self, args..)`, the same without `self`, `E`, `&E` or nothing; sync or
//! async. One marker per shape lets one impl stand for each on stable rustc.

use std::future::Future;

/// A shape: what comes first (0 nothing, 1 the arguments, 2 `self` and the arguments), and what is made of the error
/// (0 nothing, 1 taken by value, 2 by reference).
pub struct Shape<const ARGS: u8, const ERROR: u8>;

/// Whether a fallback wants the error.
pub struct Unwanted;

/// Whether a fallback wants the error.
pub struct Wanted;

/// A path that answers in place of a call.
#[diagnostic::on_unimplemented(
    message = "this fallback can not be called with what the fn has",
    label = "takes other arguments",
    note = "a path is tried as (`self`, arguments.., error), with the error as `E`, `&E` or left out; without `self`; \
            with the error alone; with nothing. A method is written `Self::f`, a generic fn `f::<T>`",
    note = "or write a closure: `#[fallback(|error| f(.., error))]`"
)]
pub trait Answers<'e, M, Me, Args, E: 'e> {
    /// Whether it wants the error.
    type Error;
    /// What it gives: the fn's output, or a future of it.
    type Answer;
    /// Calls it.
    fn answer(self, me: Me, args: Args, error: &'e mut Option<E>) -> Self::Answer;
}

fn by_value<E>(error: &mut Option<E>) -> E {
    error.take().expect("an error is supplied to whom it is wanted by, once")
}

fn by_reference<E>(error: &mut Option<E>) -> &E {
    error.as_ref().expect("an error is supplied to whom it is wanted by")
}

impl<'e, F, A, Me, Args, E: 'e> Answers<'e, Shape<0, 0>, Me, Args, E> for F
where
    F: FnOnce() -> A,
{
    type Error = Unwanted;
    type Answer = A;
    fn answer(self, _: Me, _: Args, _: &'e mut Option<E>) -> A {
        self()
    }
}

impl<'e, F, A, Me, Args, E: 'e> Answers<'e, Shape<0, 1>, Me, Args, E> for F
where
    F: FnOnce(E) -> A,
{
    type Error = Wanted;
    type Answer = A;
    fn answer(self, _: Me, _: Args, error: &'e mut Option<E>) -> A {
        self(by_value(error))
    }
}

impl<'e, F, A, Me, Args, E: 'e> Answers<'e, Shape<0, 2>, Me, Args, E> for F
where
    F: FnOnce(&'e E) -> A,
{
    type Error = Wanted;
    type Answer = A;
    fn answer(self, _: Me, _: Args, error: &'e mut Option<E>) -> A {
        self(by_reference(error))
    }
}

macro_rules! shapes {
    ($($arg:ident: $Type:ident),*) => {
        shapes!(@ 2, Me, me (me), 0, (), Unwanted, (), $($arg: $Type),*);
        shapes!(@ 2, Me, me (me), 1, (E), Wanted, (by_value), $($arg: $Type),*);
        shapes!(@ 2, Me, me (me), 2, (&'e E), Wanted, (by_reference), $($arg: $Type),*);
        shapes!(with_arguments $($arg: $Type),*);
    };
    (with_arguments) => {};
    (with_arguments $($arg:ident: $Type:ident),+) => {
        shapes!(@ 1, , me (), 0, (), Unwanted, (), $($arg: $Type),*);
        shapes!(@ 1, , me (), 1, (E), Wanted, (by_value), $($arg: $Type),*);
        shapes!(@ 1, , me (), 2, (&'e E), Wanted, (by_reference), $($arg: $Type),*);
    };
    (@ $first:literal, $($Self:ident)?, $receiver:ident ($($me:ident)?), $error:literal, ($($Error:ty)?), $Want:ident, ($($take:ident)?),
        $($arg:ident: $Type:ident),*) => {
        impl<'e, F, A, Me, E: 'e, $($Type),*> Answers<'e, Shape<$first, $error>, Me, ($($Type,)*), E> for F
        where
            F: FnOnce($($Self,)? $($Type,)* $($Error)?) -> A,
        {
            type Error = $Want;
            type Answer = A;
            #[allow(unused_variables, clippy::too_many_arguments, reason = "one of many shapes")]
            fn answer(self, $receiver: Me, ($($arg,)*): ($($Type,)*), error: &'e mut Option<E>) -> A {
                self($($me,)? $($arg,)* $($take(error))?)
            }
        }
    };
}

shapes!();
shapes!(a: T1);
shapes!(a: T1, b: T2);
shapes!(a: T1, b: T2, c: T3);
shapes!(a: T1, b: T2, c: T3, d: T4);
shapes!(a: T1, b: T2, c: T3, d: T4, e: T5);
shapes!(a: T1, b: T2, c: T3, d: T4, e: T5, f: T6);
shapes!(a: T1, b: T2, c: T3, d: T4, e: T5, f: T6, g: T7);
shapes!(a: T1, b: T2, c: T3, d: T4, e: T5, f: T6, g: T7, h: T8);

/// The receiver of a fn without one.
pub struct NoSelf;

/// The arguments of a fn whose parameters can not be named.
pub struct NoArgs;

/// Something that is ready: an output, or a future of it.
pub trait Ready<R, M> {
    /// Waits for it.
    fn ready(self) -> impl Future<Output = R>;
}

/// An output.
pub struct Now;

/// A future of an output.
pub struct Later;

impl<R> Ready<R, Now> for R {
    fn ready(self) -> impl Future<Output = R> {
        std::future::ready(self)
    }
}

impl<R, F: Future<Output = R>> Ready<R, Later> for F {
    fn ready(self) -> impl Future<Output = R> {
        self
    }
}
