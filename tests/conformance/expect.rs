//! Compares what a step showed with what it should.

use serde_json::Value;
use std::collections::HashMap;

const TOLERANCE: f64 = 2.0;

/// What a step showed, by the names of expectations.
pub(crate) type Seen = HashMap<&'static str, Value>;

/// Numbers within the tolerance, texts with alternatives, lists and objects by their parts.
pub(crate) fn agrees(wanted: &Value, seen: &Value) -> bool {
    match (wanted, seen) {
        (Value::Number(_), Value::Number(_)) => (wanted.as_f64().unwrap() - seen.as_f64().unwrap()).abs() <= TOLERANCE,
        (Value::String(wanted), Value::String(seen)) => wanted.split('|').any(|wanted| wanted == seen),
        (Value::Array(wanted), Value::Array(seen)) => {
            wanted.len() == seen.len() && wanted.iter().zip(seen).all(|(wanted, seen)| agrees(wanted, seen))
        }
        (Value::Object(wanted), seen) => wanted.iter().all(|(key, wanted)| *wanted == seen[key]),
        _ => wanted == seen,
    }
}

pub(crate) fn compare(expect: &Value, seen: &Seen) -> Result<(), String> {
    let Some(expect) = expect.as_object() else { return Ok(()) };
    for (key, wanted) in expect {
        let numbers = |name: &str| match seen.get(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_f64).collect(),
            Some(value) => vec![value.as_f64().unwrap_or(f64::NAN)],
            None => panic!("nothing shows `{name}`"),
        };
        let bound = |index: usize| wanted[index].as_f64().unwrap();
        let within = |name: &str| {
            let slack = if matches!(name, "dt" | "gaps" | "ms") { TOLERANCE } else { 0.0 };
            numbers(name).iter().all(|number| (bound(0) - slack..=bound(1) + slack).contains(number))
        };
        let (name, holds) = match key.as_str() {
            "adms" | "outs" | "inners" => continue,
            "inner_range" => ("inner", within("inner")),
            "dt_range" => ("dt", within("dt")),
            "wait_range" => ("wait_ms", within("wait_ms")),
            "gap_range" => ("gaps", within("gaps")),
            "admitted_range" => ("admitted", within("admitted")),
            "done_range" => ("done", within("done")),
            "range" => ("ms", within("ms")),
            "starts_max" => {
                let most = wanted.as_f64().unwrap() + TOLERANCE;
                ("starts", numbers("starts").iter().all(|start| *start <= most))
            }
            "gap_any_over" => ("gaps", numbers("gaps").iter().any(|gap| *gap > wanted.as_f64().unwrap())),
            "min" => ("ms", numbers("ms")[0] >= wanted.as_f64().unwrap() - TOLERANCE),
            "distinct_min" => ("distinct", numbers("distinct")[0] >= wanted.as_f64().unwrap()),
            "max_running" => ("max_running", seen["max_running"].as_u64() <= wanted.as_u64()),
            // Counts are exact.
            "inner" | "admitted" | "calls" | "running" | "queued" | "fallbacks" | "cancelled" | "remaining" => {
                (key.as_str(), seen[key.as_str()].as_u64() == wanted.as_u64())
            }
            "failure_rate" => {
                let off = (numbers("failure_rate")[0] - wanted.as_f64().unwrap()).abs();
                ("failure_rate", off < 0.001)
            }
            _ => (key.as_str(), agrees(wanted, seen.get(key.as_str()).unwrap_or(&Value::Null))),
        };
        if !holds {
            return Err(format!("{name} is {}", seen.get(name).unwrap_or(&Value::Null)));
        }
    }
    Ok(())
}
