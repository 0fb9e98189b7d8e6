//! What both servers go through, at the same time.

use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Healthy,
    /// Every answer takes [`SLOWNESS`].
    Slow,
    /// Every answer is a 500.
    Failing,
    /// Nobody listens on the port.
    Refusing,
    /// Answers [`QUOTA`] requests a second, and the others with 429.
    Throttling,
    Recovered,
}

pub const SLOWNESS: Duration = Duration::from_millis(1500);
pub const QUOTA: u32 = 60;

/// With the millisecond in which each begins.
const SCRIPT: [(Phase, u64); 6] = [
    (Phase::Healthy, 0),
    (Phase::Slow, 2500),
    (Phase::Failing, 5500),
    (Phase::Refusing, 8000),
    (Phase::Throttling, 10_000),
    (Phase::Recovered, 12_500),
];

pub const LENGTH: Duration = Duration::from_secs(15);

impl Phase {
    pub const FIRST: Self = SCRIPT[0].0;

    pub fn is_struggling(self) -> bool {
        !matches!(self, Self::Healthy | Self::Recovered)
    }

    pub fn describe(self) -> &'static str {
        match self {
            Self::Healthy => "the servers are healthy",
            Self::Slow => "the servers are slow",
            Self::Failing => "the servers answer 500",
            Self::Refusing => "the servers refuse connections",
            Self::Throttling => "the servers throttle with 429",
            Self::Recovered => "the servers have recovered",
        }
    }
}

/// Plays the script, and returns the instant of recovery.
pub async fn play(start: Instant, stage: &watch::Sender<Phase>) -> Instant {
    let mut recovered = start;
    for (phase, millis) in SCRIPT {
        sleep_until(start + Duration::from_millis(millis)).await;
        stage.send_replace(phase);
        recovered = Instant::now();
    }
    sleep_until(start + LENGTH).await;
    recovered
}
