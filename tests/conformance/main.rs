//! Replays scripted cases of other libraries, each on a paused clock of its own: see `cases.jsonl`.
//!
//! `cases.jsonl` holds what all of them agree on; `design-choices.jsonl` what depends on a choice, of which ours are
//! run. A case that needs what is not offered yet is listed in `skipped.txt`: a change there is a decision.
//!
//! `RESILIENT_CONFORMANCE=<file> cargo test --test conformance another_file` runs another file of the same schema (the
//! path is absolute or from the root of the workspace), and prints a line for each case and a summary. An unknown op,
//! policy or need fails the run.

mod expect;
mod inner;
mod policies;
mod report;
mod skip;
mod stack;
mod vocabulary;
mod world;

use serde_json::Value;
use std::{
    env, fs, io,
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
        let text = payload.downcast_ref::<String>().map(String::as_str);
        Err(format!("panicked: {}", text.or(payload.downcast_ref().copied()).unwrap_or("?")))
    })
}

enum Verdict {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

fn judge(case: &Value) -> Verdict {
    if let Some(unknown) = vocabulary::unknown(case) {
        return Verdict::Failed(unknown);
    }
    match (skip::reason(case), case["steps"].is_array()) {
        (Some(reason), _) => Verdict::Skipped(reason),
        (None, false) => Verdict::Failed("no steps".to_owned()),
        (None, true) => run(case).map_or_else(Verdict::Failed, |()| Verdict::Passed),
    }
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
fn every_word_of_the_cases_is_of_the_schema() {
    let unknown: Vec<_> = all().filter_map(|case| Some((id(&case).to_owned(), vocabulary::unknown(&case)?))).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn another_file() {
    let Some(path) = env::var_os("RESILIENT_CONFORMANCE") else { return };
    let lines = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Not `print!`, which a passed test keeps to itself.
    let tally = report::report(&lines, &mut io::stdout().lock());
    assert_eq!(tally.failed, 0, "of {tally:?}");
    assert_ne!(tally, report::Tally::default(), "{} holds no case", path.display());
}

#[test]
fn what_is_skipped_is_listed_with_its_reason() {
    let skipped: Vec<_> = all().filter_map(|case| Some(format!("{}: {}", id(&case), skip::reason(&case)?))).collect();
    println!("{} cases skipped:\n{}", skipped.len(), skipped.join("\n"));
    let listed: Vec<_> = include_str!("skipped.txt").lines().collect();
    assert_eq!(skipped, listed, "`skipped.txt` lists what is skipped, in the order of the cases");
}
