//! What is not run, and why.

use crate::vocabulary;
use serde_json::Value;

/// How many cases run. It only grows.
pub(crate) const RUN: usize = 208;

/// Needs that are not offered yet.
const NEEDS: [(&str, &str); 12] = [
    ("half_open_rate", "any failed probe re-opens"),
    ("keyed", "keyed limiters are not offered yet"),
    ("reserve", "a wait is a turn in line, not a reservation"),
    ("backoff:linear", "`linear(..)` is not offered yet"),
    ("backoff:fib", "`fibonacci(..)` is not offered yet"),
    ("retry_after_hint", "`delay_hint` is not offered yet"),
    ("jitter:pm_ms", "jitter is a share, not a time"),
    ("jitter:add_frac", "jitter never exceeds the cap"),
    ("hedge", "`#[hedge]` is not offered yet"),
    ("budget:grpc", "retry budgets are not offered yet"),
    ("budget:quota", "retry budgets are not offered yet"),
    ("budget:tps", "retry budgets are not offered yet"),
];

/// Layers that are not offered yet.
const LAYERS: [(&str, &str); 2] =
    [("hedge", "`#[hedge]` is not offered yet"), ("budget", "retry budgets are not offered yet")];

const CASES: [(&str, &str); 12] = [
    ("BKN-BO-004", "a `factor` is at most 1000, and a pause at most a year"),
    ("POLLY-BO-004", "a first pause above the cap is a configuration error"),
    ("FSGO-FB-001", "`when_ok` is not offered yet"),
    ("MPFT-CO-004", "`retry_rejections` is not offered yet"),
    ("MPFT-CO-017", "`retry_rejections` is not offered yet"),
    ("DRV-CO-001", "a wait beyond the deadline is refused at once"),
    ("POLLY-CB-006", "a hung probe counts as failed, and re-opens"),
    ("R4J-RL-005", "a cancelled waiter's turn goes to the next"),
    ("ISS-RL-001", "the clock is tokio's: the tests of behaviour let it step back"),
    ("SMR-RT-003", "an attempt may start exactly at `max_duration`"),
    ("R4J-BH-003", "no places at all are a configuration error"),
    ("MPFT-CO-009", "rejections are neutral"),
];

pub(crate) fn reason(case: &Value) -> Option<&'static str> {
    let needs = case["needs"].as_array();
    let needed = |need: &str| needs.is_some_and(|needs| needs.iter().any(|needed| needed == need));
    let listed = CASES.iter().find(|(id, _)| case["id"] == *id);
    let lacking = || NEEDS.iter().find(|(need, _)| needed(need));
    let layer = || {
        let layers = vocabulary::layers(case);
        LAYERS.iter().find(|(lacking, _)| layers.iter().any(|layer| layer == lacking)).map(|(_, reason)| *reason)
    };
    let algorithm = || {
        let algorithm = case["config"]["rate"]["algo"].as_str()?;
        (!matches!(algorithm, "any" | "gcra")).then_some("other algorithms than the token bucket are not offered yet")
    };
    listed.or_else(lacking).map(|(_, reason)| *reason).or_else(layer).or_else(algorithm)
}
