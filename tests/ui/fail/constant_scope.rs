use resilient::{Error, bulkhead, circuit_breaker, timeout};
use std::time::Duration;

type Answer = Result<u32, Error>;

struct Client<const N: u32> {
    time: Duration,
}

impl<const N: u32> Client<N> {
    const LIMIT: u32 = 3;

    #[bulkhead(Self::LIMIT)]
    async fn of_self(&self) -> Answer {
        Ok(1)
    }

    #[timeout(self.time)]
    async fn of_the_receiver(&self) -> Answer {
        Ok(1)
    }
}

#[bulkhead(N)]
async fn of_a_parameter<const N: u32>() -> Answer {
    Ok(1)
}

#[timeout(time)]
async fn of_an_argument(time: Duration) -> Answer {
    Ok(time.subsec_nanos())
}

#[circuit_breaker(failures = u32::from(n), open_for = Duration::from_secs(n.into()))]
async fn of_an_argument_inside(n: u8) -> Answer {
    Ok(n.into())
}

fn main() {}
