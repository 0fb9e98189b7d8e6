//! What is not run, and why.

use serde_json::Value;

/// How many cases run. It only grows.
pub(crate) const RUN: usize = 207;

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

/// Needs that are met.
const MET: [&str; 31] = [
    "bulkhead_wait",
    "classify",
    "consecutive",
    "failure_rate",
    "half_open_all",
    "half_open_parallel",
    "huge_duration",
    "ignore",
    "jitter:equal",
    "jitter:full",
    "jitter:pm_frac",
    "manual",
    "max_duration",
    "metrics",
    "mock_clock",
    "n_permits",
    "open_backoff",
    "open_backoff_list",
    "panic",
    "queue",
    "rate_wait",
    "reject_free",
    "remaining",
    "result_predicate",
    "retry_after",
    "running_gauge",
    "sites",
    "slow_calls",
    "time_window",
    "unlimited",
    "window_edge",
];

const CASES: [(&str, &str); 13] = [
    ("BKN-BO-004", "a `factor` is at most 1000, and a pause at most a year"),
    ("POLLY-BO-004", "a first pause above the cap is a configuration error"),
    ("FSGO-FB-001", "`when_ok` is not offered yet"),
    ("MPFT-CO-004", "`retry_rejections` is not offered yet"),
    ("MPFT-CO-017", "`retry_rejections` is not offered yet"),
    ("DRV-CO-001", "a wait beyond the deadline is refused at once"),
    ("POLLY-CB-006", "a hung probe counts as failed, and re-opens"),
    ("FSJ-CB-001", "a window of time has thirty buckets"),
    ("R4J-RL-005", "a cancelled waiter's turn goes to the next"),
    ("ISS-RL-001", "the clock is tokio's: the tests of behaviour let it step back"),
    ("SMR-RT-003", "an attempt may start exactly at `max_duration`"),
    ("R4J-BH-003", "no places at all are a configuration error"),
    ("MPFT-CO-009", "rejections are neutral"),
];

/// A need that nobody has heard of: it is no reason to skip a case.
pub(crate) fn unknown_need(case: &Value) -> Option<&str> {
    let needs = case["needs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut unknown = needs.filter(|need| !MET.contains(need) && NEEDS.iter().all(|(lacking, _)| lacking != need));
    unknown.next()
}

pub(crate) fn reason(case: &Value) -> Option<&'static str> {
    let needs = case["needs"].as_array();
    let needed = |need: &str| needs.is_some_and(|needs| needs.iter().any(|needed| needed == need));
    let listed = CASES.iter().find(|(id, _)| case["id"] == *id);
    let lacking = || NEEDS.iter().find(|(need, _)| needed(need));
    let algorithm = || {
        let algorithm = case["config"]["rate"]["algo"].as_str()?;
        (!matches!(algorithm, "any" | "gcra")).then_some("other algorithms than the token bucket are not offered yet")
    };
    listed.or_else(lacking).map(|(_, reason)| *reason).or_else(algorithm)
}
