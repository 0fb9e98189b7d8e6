//! The words of the schema, so that what is misspelt or new is told apart from what is not offered.

use serde_json::Value;

const OPS: [&str; 15] = [
    "call",
    "start",
    "finish",
    "cancel",
    "finish_and_cancel",
    "check",
    "force",
    "try",
    "reserve",
    "poll",
    "hint_loop",
    "delay",
    "budget",
    "budget_run",
    "clock_back",
];

const LAYERS: [&str; 9] = ["breaker", "rate", "retry", "backoff", "timeout", "bulkhead", "fallback", "hedge", "budget"];

const NEEDS: [&str; 44] = [
    "backoff:fib",
    "backoff:linear",
    "budget:grpc",
    "budget:quota",
    "budget:tps",
    "bulkhead_wait",
    "classify",
    "consecutive",
    "failure_rate",
    "half_open_all",
    "half_open_parallel",
    "half_open_rate",
    "hedge",
    "huge_duration",
    "ignore",
    "jitter:add_frac",
    "jitter:equal",
    "jitter:full",
    "jitter:pm_frac",
    "jitter:pm_ms",
    "keyed",
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
    "reserve",
    "result_predicate",
    "retry_after",
    "retry_after_hint",
    "running_gauge",
    "sites",
    "slow_calls",
    "threads",
    "time_window",
    "unlimited",
    "window_edge",
];

/// The kinds of layers of a case.
pub(crate) fn layers(case: &Value) -> Vec<&str> {
    let kind = |layer| Value::as_str(layer).and_then(|layer| layer.split('#').next()).unwrap_or("");
    case["stack"].as_array().map_or_else(|| vec![kind(&case["policy"])], |layers| layers.iter().map(kind).collect())
}

/// The first word that the schema does not have.
pub(crate) fn unknown(case: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let layer = layers(case).into_iter().find(|layer| !LAYERS.contains(layer));
    let need = list(&case["needs"]).iter().map(text).find(|need| !NEEDS.contains(&need.as_str()));
    let op = list(&case["steps"]).iter().map(|step| text(&step["op"])).find(|op| !OPS.contains(&op.as_str()));
    let layer = layer.map(|layer| format!("unknown policy `{layer}`"));
    layer
        .or_else(|| need.map(|need| format!("unknown need `{need}`")))
        .or_else(|| op.map(|op| format!("unknown op `{op}`")))
}
