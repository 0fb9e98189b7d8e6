use resilient::{Error, circuit_breaker, retry, timeout};

type Answer = Result<u32, Error>;

#[retry]
fn sync() -> Answer {
    Ok(1)
}

#[tokio::main]
#[timeout(1s)]
async fn sync_by_another_attribute() -> Answer {
    Ok(1)
}

#[retry]
const fn constant() -> Answer {
    Ok(1)
}

#[retry]
struct Struct;

#[circuit_breaker]
impl Struct {
    async fn f(&self) -> Answer {
        Ok(1)
    }
}

trait Trait {
    #[timeout(1s)]
    async fn declared(&self) -> Answer;
}

#[timeout(1s)]
mod module {}

#[retry]
type Alias = u32;

// The fns are still there: nothing else is wrong.
fn uses() {
    let _: fn() -> Answer = sync;
    let _ = sync_by_another_attribute();
    let _ = constant();
    let _ = Struct.f();
    let _: fn(&Struct) = |it| drop(Trait::declared(it));
    let _: Alias = 1;
}

impl Trait for Struct {
    async fn declared(&self) -> Answer {
        Ok(1)
    }
}

fn main() {
    uses();
}
