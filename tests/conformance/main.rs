//! Replays scripted cases of other libraries, each on a paused clock of its own: see `cases.jsonl`.
//!
//! `cases.jsonl` holds what all of them agree on; `design-choices.jsonl` what depends on a choice, of which ours are
//! run. A case that needs what is not offered yet is listed in `skipped.txt`: a change there is a decision.

mod expect;
mod inner;
mod policies;
mod skip;
mod stack;
mod world;

use serde_json::Value;
use std::{
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
    replayed.unwrap_or_else(|_| Err("panicked".to_owned()))
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
