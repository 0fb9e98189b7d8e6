//! What is not run, and why.

use crate::vocabulary;
use serde_json::Value;

/// How many cases run. It only grows.
pub(crate) const RUN: usize = 214;

/// Needs that are not offered yet.
const NEEDS: [(&str, &str); 10] = [
    ("half_open_rate", "any failed probe re-opens"),
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

const CASES: [(&str, &str); 16] = [
    ("FSGO-RL-001", "more than the burst can never be had at once, nor booked"),
    ("FSGO-RL-003", "more than the burst can never be had at once, nor booked"),
    ("FSGO-RL-005", "more than the burst can never be had at once, nor booked"),
    ("R4J-RL-004", "more than the burst can never be had at once, nor booked"),
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
    listed.or_else(lacking).map(|(_, reason)| *reason).or_else(layer)
}
