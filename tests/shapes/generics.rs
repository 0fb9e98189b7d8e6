//! Generic fns: no parameter reaches a static.

use crate::support::{Fault, Flaky};
use resilient::{circuit_breaker, fallback, retry, timeout};
use std::{fmt::Display, future::Future, marker::PhantomData};

#[fallback(|_| Ok(String::new()))]
#[retry]
#[circuit_breaker]
#[timeout(1s)]
async fn generic<T: Display, U>(value: T, other: &U, flaky: &Flaky) -> Result<String, Fault>
where
    U: AsRef<str> + ?Sized,
{
    flaky.run()?;
    Ok(format!("{value}{}", other.as_ref()))
}

#[retry]
async fn const_generic<const N: usize>(flaky: &Flaky) -> Result<[u8; N], Fault> {
    flaky.run()?;
    Ok([1; N])
}

#[retry]
async fn lifetimes<'a, 'b: 'a>(one: &'a str, other: &'b str, flaky: &Flaky) -> Result<&'a str, Fault> {
    Ok(if flaky.run()? == 2 { one } else { other })
}

#[retry]
async fn elided(text: &str) -> Result<&str, Fault> {
    Ok(text.trim())
}

#[timeout(1s)]
async fn lent_mut(text: &mut String) -> Result<&mut String, Fault> {
    text.push('!');
    Ok(text)
}

#[retry]
async fn impl_argument(next: impl Fn() -> Result<u32, Fault> + Send, add: &impl Display) -> Result<String, Fault> {
    Ok(format!("{}{add}", next()?))
}

#[retry]
async fn impl_output(flaky: &Flaky) -> Result<impl Display + Clone, Fault> {
    flaky.run()
}

#[timeout(1s)]
#[resilient::resilient(rejected = |error| panic!("{error}"))]
async fn impl_output_alone() -> impl Iterator<Item = u32> {
    [1, 2].into_iter()
}

#[retry]
async fn nested_impl_output(flaky: &Flaky) -> Result<Option<(impl Display, Vec<impl Display>)>, Fault> {
    flaky.run()?;
    Ok(Some((1, vec!['a'])))
}

#[retry]
async fn takes_fns<F, Fut>(run: F) -> Result<u32, Fault>
where
    F: Fn(u32) -> Fut,
    Fut: Future<Output = Result<u32, Fault>>,
{
    run(2).await
}

#[retry]
async fn takes_async_fns(run: impl AsyncFn(u32) -> Result<u32, Fault>) -> Result<u32, Fault> {
    run(2).await
}

#[tokio::test(start_paused = true)]
async fn fns() {
    assert_eq!(generic(1, "x", &Flaky::failing(2)).await.unwrap(), "1x");
    assert_eq!(generic('y', &String::from("z"), &Flaky::failing(3)).await.unwrap(), "");
    assert_eq!(const_generic::<3>(&Flaky::failing(1)).await, Ok([1; 3]));
    assert_eq!(lifetimes("a", "b", &Flaky::failing(1)).await, Ok("a"));
    assert_eq!(elided(" a ").await, Ok("a"));
    lent_mut(&mut String::new()).await.unwrap().push('?');
    let flaky = Flaky::failing(1);
    assert_eq!(impl_argument(|| flaky.run(), &'c').await.unwrap(), "2c");
    assert_eq!(impl_output(&Flaky::failing(1)).await.unwrap().clone().to_string(), "2");
    assert_eq!(impl_output_alone().await.count(), 2);
    assert_eq!(nested_impl_output(&Flaky::failing(1)).await.unwrap().unwrap().0.to_string(), "1");
    assert_eq!(takes_fns(|n| async move { Ok(n) }).await, Ok(2));
    assert_eq!(takes_async_fns(async |n| Ok(n)).await, Ok(2));
}

struct Pool<T, const N: usize> {
    flaky: Flaky,
    of: PhantomData<fn() -> T>,
}

impl<T: Default + Send, const N: usize> Pool<T, N> {
    #[fallback(Self::spare)]
    #[retry]
    #[circuit_breaker]
    async fn get<U: From<T>>(&self, _like: Option<U>) -> Result<U, Fault> {
        self.flaky.run()?;
        Ok(T::default().into())
    }

    async fn spare<U: From<T>>(&self, _like: Option<U>) -> Result<U, Fault> {
        Ok(U::from(T::default()))
    }

    #[fallback(spare_of::<T, N>)]
    #[circuit_breaker]
    async fn first(&self) -> Result<T, Fault> {
        self.flaky.run()?;
        Ok(T::default())
    }
}

fn spare_of<T: Default, const N: usize>() -> Result<T, Fault> {
    Ok(T::default())
}

#[tokio::test(start_paused = true)]
async fn methods_of_generic_types() {
    let pool = Pool::<u8, 2> { flaky: Flaky::failing(5), of: PhantomData };
    assert_eq!(pool.get(None::<u64>).await, Ok(0));
    assert_eq!(pool.first().await, Ok(0));
    let pool = Pool::<String, 2> { flaky: Flaky::failing(1), of: PhantomData };
    assert_eq!(pool.get(None::<String>).await.as_deref(), Ok(""));
}

#[tokio::test(start_paused = true)]
async fn generic_futures_stay_send() {
    fn spawned<T: Display + Send + Sync + 'static>(value: T) -> tokio::task::JoinHandle<String> {
        tokio::spawn(async move { generic(value, "x", &Flaky::failing(1)).await.unwrap() })
    }
    assert_eq!(spawned(1).await.unwrap(), "1x");
    let joined = tokio::spawn(async { impl_argument(|| Ok(1), &'c').await.unwrap() });
    assert_eq!(joined.await.unwrap(), "1c");
}

#[tokio::test(start_paused = true)]
async fn futures_need_not_be_send() {
    #[retry]
    #[timeout(1s)]
    async fn local(shared: std::rc::Rc<Flaky>) -> Result<u32, Fault> {
        tokio::task::yield_now().await;
        shared.run()
    }
    assert_eq!(local(std::rc::Rc::new(Flaky::failing(1))).await, Ok(2));
}
