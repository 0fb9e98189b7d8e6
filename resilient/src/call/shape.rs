//! How a path given as a fallback is called: rustc picks the shape that fits.
//!
//! `(self, args.., E)`, `(self, args.., &E)`, `(self, args..)`, the same without `self`, `E`, `&E` or nothing; sync or
//! async. One marker per shape lets one impl stand for each on stable rustc.

use super::{convert::Convert, layer::Ended, view::View};

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

fn take<E>(error: &mut Option<E>) -> E {
    error.take().expect("an error is supplied to whom it is wanted by, once")
}

fn look<E>(error: &mut Option<E>) -> &E {
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
        self(take(error))
    }
}

impl<'e, F, A, Me, Args, E: 'e> Answers<'e, Shape<0, 2>, Me, Args, E> for F
where
    F: FnOnce(&'e E) -> A,
{
    type Error = Wanted;
    type Answer = A;
    fn answer(self, _: Me, _: Args, error: &'e mut Option<E>) -> A {
        self(look(error))
    }
}

macro_rules! shapes {
    ($($arg:ident: $Type:ident),*) => {
        shapes!(@ 2, Me, me (me), 0, (), Unwanted, (), $($arg: $Type),*);
        shapes!(@ 2, Me, me (me), 1, (E), Wanted, (take), $($arg: $Type),*);
        shapes!(@ 2, Me, me (me), 2, (&'e E), Wanted, (look), $($arg: $Type),*);
        shapes!(with_arguments $($arg: $Type),*);
    };
    (with_arguments) => {};
    (with_arguments $($arg:ident: $Type:ident),+) => {
        shapes!(@ 1, , me (), 0, (), Unwanted, (), $($arg: $Type),*);
        shapes!(@ 1, , me (), 1, (E), Wanted, (take), $($arg: $Type),*);
        shapes!(@ 1, , me (), 2, (&'e E), Wanted, (look), $($arg: $Type),*);
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

/// Supplies a fallback with the error if it wants one.
pub trait Supply<R, V: View<R>, C> {
    /// The error, or the output where a rejection was mapped to a value.
    ///
    /// # Errors
    /// That output.
    fn supply(view: V, convert: C, ended: Ended<R>) -> Result<Option<V::Error>, R>;
}

impl<R, V: View<R>, C> Supply<R, V, C> for Unwanted {
    fn supply(_: V, _: C, _: Ended<R>) -> Result<Option<V::Error>, R> {
        Ok(None)
    }
}

impl<R, V: View<R>, C: Convert<R>> Supply<R, V, C> for Wanted {
    fn supply(view: V, convert: C, ended: Ended<R>) -> Result<Option<V::Error>, R> {
        taken::<R, V, C>(view, convert, ended).map(Some)
    }
}

/// What a path gave. With a type of its own, rustc does not call unreachable what follows one that never comes back.
pub struct Given<A>(pub A);

/// Calls a path in the shape that fits.
///
/// # Errors
/// The output, where a rejection was mapped to a value.
pub fn path<'e, R, V, C, M, Me, Args, F>(
    path: F,
    me: Me,
    args: Args,
    error: &'e mut Option<V::Error>,
    (view, convert, ended): (V, C, Ended<R>),
) -> Result<Given<F::Answer>, R>
where
    V: View<R>,
    F: Answers<'e, M, Me, Args, V::Error>,
    F::Error: Supply<R, V, C>,
{
    *error = F::Error::supply(view, convert, ended)?;
    Ok(Given(path.answer(me, args, error)))
}

/// The error that a fallback takes.
///
/// # Errors
/// The output, where a rejection was mapped to a value.
pub fn taken<R, V: View<R>, C: Convert<R>>(view: V, convert: C, ended: Ended<R>) -> Result<V::Error, R> {
    view.error(match ended {
        Ended::Output(output) => output,
        Ended::Ours(error) => match V::ours(error) {
            Ok(error) => return Ok(error),
            Err(error) => convert.convert(error),
        },
    })
}

/// Calls a closure with the error; its type is known before the closure is looked at.
pub fn by_value<E, A, F: FnOnce(E) -> A>(closure: F, error: E) -> A {
    closure(error)
}

/// Calls a closure with a reference to the error.
pub fn by_reference<'e, E, A, F: FnOnce(&'e E) -> A>(closure: F, error: &'e E) -> A {
    closure(error)
}

/// An output after which the next link of a chain is asked: a `Result`.
#[diagnostic::on_unimplemented(
    message = "this fallback is never asked: the one before it gives `{Self}`, which is no error",
    label = "never asked",
    note = "leave it out, or return a `Result`"
)]
pub trait FailsOver {}

impl<T, E> FailsOver for Result<T, E> {}

/// What the next link of a chain answers for.
///
/// # Errors
/// The output, where there is nothing to answer for.
pub fn still_failed<R: FailsOver, V: View<R>>(view: V, output: R) -> Result<Ended<R>, R> {
    if view.is_err(&output) { Ok(Ended::Output(output)) } else { Err(output) }
}
