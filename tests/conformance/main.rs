//! Replays scripted cases of other libraries, each on a paused clock of its own: see `cases.jsonl`.
//!
//! `cases.jsonl` holds what all of them agree on; `design-choices.jsonl` what depends on a choice, of which ours are
//! run. A case that needs what is not offered yet is listed in `skipped.txt`: a change there is a decision.
//!
//! `RESILIENT_CONFORMANCE=FILE cargo test --test conformance another_file -- --nocapture` runs the cases of another
//! file of the same schema, and prints a line for each and a summary. What is not understood fails.

mod expect;
mod inner;
mod policies;
mod skip;
mod stack;
mod world;

use serde_json::Value;
use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

fn cases(lines: &str) -> impl Iterator<Item = Value> {
    lines.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap())
}

fn all() -> impl Iterator<Item = Value> {
    cases(include_str!("cases.jsonl")).chain(cases(include_str!("design-choices.jsonl")))
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

fn run(case: &Value) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let replayed = catch_unwind(AssertUnwindSafe(|| runtime.block_on(world::replay(case))));
    replayed.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Err(text.unwrap_or("panicked").to_owned())
    })
}

#[test]
fn every_case_that_needs_nothing_more_holds() {
    let (mut ran, mut failed) = (0, Vec::new());
    for case in all().filter(|case| skip::reason(case).is_none()) {
        ran += 1;
        let start = Instant::now();
        if let Err(error) = run(&case) {
            failed.push(format!("{} ({}): {error}", id(&case), case["title"]));
        }
        if start.elapsed() > Duration::from_secs(5) {
            println!("{} took {:?}", id(&case), start.elapsed());
        }
    }
    println!("{ran} cases ran, {} failed", failed.len());
    assert!(failed.is_empty(), "{} of {ran} cases failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(ran, skip::RUN);
}

#[test]
fn what_is_skipped_is_listed_with_its_reason() {
    let skipped: Vec<_> = all().filter_map(|case| Some(format!("{}: {}", id(&case), skip::reason(&case)?))).collect();
    println!("{} cases skipped:\n{}", skipped.len(), skipped.join("\n"));
    let listed: Vec<_> = include_str!("skipped.txt").lines().collect();
    assert_eq!(skipped, listed, "`skipped.txt` lists what is skipped, in the order of the cases");
}

/// A line for each case, and how many of them failed.
fn report(lines: &str) -> (String, usize) {
    let (mut report, mut counts) = (String::new(), [0; 3]);
    for case in cases(lines) {
        let (index, outcome) = match (skip::unknown_need(&case), skip::reason(&case)) {
            (Some(need), _) => (1, format!("failed: unknown need `{need}`")),
            (None, Some(reason)) => (2, format!("skipped: {reason}")),
            (None, None) => match run(&case) {
                Ok(()) => (0, "ok".to_owned()),
                Err(error) => (1, format!("failed: {error}")),
            },
        };
        counts[index] += 1;
        writeln!(report, "{}: {outcome}", id(&case)).unwrap();
    }
    let [ok, failed, skipped] = counts;
    writeln!(report, "{ok} ok, {failed} failed, {skipped} skipped").unwrap();
    (report, failed)
}

#[test]
fn another_file() {
    let Some(file) = std::env::var_os("RESILIENT_CONFORMANCE") else { return };
    let lines = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (report, failed) = report(&lines);
    println!("{report}");
    assert_eq!(failed, 0, "cases of {} failed", file.display());
}

#[test]
fn what_is_not_understood_fails() {
    let case = |needs: &str, op: &str| {
        let breaker = r#"{"window": "consecutive", "failures": 1, "open_ms": 1000, "half_open": {"probes": 1}}"#;
        format!(
            r#"{{"id": "X", "policy": "breaker", "needs": [{needs}], "config": {{"breaker": {breaker}}},
                "steps": [{{"op": "{op}", "inner": ["ok"], "expect": {{"out": "ok"}}}}]}}"#
        )
        .replace('\n', " ")
    };
    assert_eq!(report(&case("", "call")).0, "X: ok\n1 ok, 0 failed, 0 skipped\n");
    assert!(report(&case("\"hedge\"", "call")).0.starts_with("X: skipped: `#[hedge]`"));
    assert_eq!(report(&case("\"telepathy\"", "call")).0.lines().next(), Some("X: failed: unknown need `telepathy`"));
    let (report, failed) = report(&case("", "sing"));
    assert!(report.contains("unknown op `sing`\n0 ok, 1 failed, 0 skipped") && failed == 1, "{report}");
}
