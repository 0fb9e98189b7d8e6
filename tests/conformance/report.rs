//! Runs a file of cases and tells what became of each.

use crate::{Verdict, judge};
use serde_json::Value;
use std::io::Write;

/// How many cases there were of each kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// Writes one line for each case and a summary.
pub(crate) fn report(lines: &str, out: &mut impl Write) -> Tally {
    let mut tally = Tally::default();
    for (index, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (name, verdict) = match serde_json::from_str::<Value>(line) {
            Ok(case) => (case["id"].as_str().map(str::to_owned), judge(&case)),
            Err(error) => (None, Verdict::Failed(format!("no case: {error}"))),
        };
        let name = name.unwrap_or_else(|| format!("line {}", index + 1));
        let (count, text) = match verdict {
            Verdict::Passed => (&mut tally.passed, format!("passed  {name}")),
            Verdict::Failed(error) => (&mut tally.failed, format!("FAILED  {name}: {error}")),
            Verdict::Skipped(reason) => (&mut tally.skipped, format!("skipped {name}: {reason}")),
        };
        *count += 1;
        writeln!(out, "{text}").unwrap();
    }
    let Tally { passed, failed, skipped } = tally;
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped").unwrap();
    tally
}

fn told(lines: &str) -> (Tally, String) {
    let mut out = Vec::new();
    let tally = report(lines, &mut out);
    (tally, String::from_utf8(out).unwrap())
}

#[test]
fn each_case_is_told_and_counted() {
    let lines = r#"
{"id":"good","policy":"breaker","config":{"breaker":{"window":"consecutive","failures":1,"open_ms":5000,"half_open":{"probes":1}}},"steps":[{"op":"call","inner":["err"],"expect":{"out":"err:E"}},{"op":"call","expect":{"out":"rej:breaker"}}]}
{"id":"bad","policy":"timeout","config":{"timeout":{"ms":100}},"steps":[{"op":"call","inner":["ok@200"],"expect":{"out":"ok"}}]}
{"id":"later","policy":"hedge","config":{"hedge":{"delay_ms":100}},"steps":[{"op":"call"}]}
"#;
    let (tally, text) = told(lines);
    assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: 1 });
    let text: Vec<_> = text.lines().collect();
    assert_eq!(text[0], "passed  good");
    assert!(text[1].starts_with("FAILED  bad: step 0 ") && text[1].ends_with(r#"out is "timeout""#), "{}", text[1]);
    assert_eq!(text[2], "skipped later: `#[hedge]` is not offered yet");
    assert_eq!(text[3..], ["1 passed, 1 failed, 1 skipped"]);
}

#[test]
fn a_word_that_the_schema_does_not_have_fails_even_where_the_case_would_be_skipped() {
    let lines = r#"
{"id":"a","policy":"timeout","config":{"timeout":{"ms":1}},"steps":[{"op":"call"},{"op":"cal"}]}
{"id":"b","policy":"hedge","needs":["hedge","telepathy"],"config":{},"steps":[]}
{"id":"c","policy":"combo:retry+cache","stack":["retry","cache#2"],"needs":["hedge"],"config":{},"steps":[]}
{"id":"d","policy":"timeout","config":{"timeout":{"ms":1}},"steps":[{"expect":{}}]}
{"id":"e"}
{"id":
"#;
    let (tally, text) = told(lines);
    assert_eq!(tally, Tally { failed: 6, ..Tally::default() });
    let text: Vec<_> = text.lines().collect();
    assert_eq!(
        text[..5],
        [
            "FAILED  a: unknown op `cal`",
            "FAILED  b: unknown need `telepathy`",
            "FAILED  c: unknown policy `cache`",
            "FAILED  d: unknown op `null`",
            "FAILED  e: unknown policy ``",
        ]
    );
    assert!(text[5].starts_with("FAILED  line 7: no case: EOF"), "{}", text[5]);
}

#[test]
fn a_stack_that_is_not_listed_and_an_op_that_is_not_performed_fail() {
    let lines = r#"
{"id":"a","policy":"combo:timeout+fallback","stack":["timeout","timeout#2","timeout#3"],"config":{"timeout":{"ms":1},"timeout#2":{"ms":1},"timeout#3":{"ms":1}},"steps":[{"op":"call"}]}
{"id":"b","policy":"timeout","config":{"timeout":{"ms":1}},"steps":[{"op":"clock_back","ms":1}]}
"#;
    let (tally, text) = told(lines);
    assert_eq!(tally, Tally { failed: 2, ..Tally::default() });
    assert!(text.contains("a: panicked: no stack `timeout > timeout#2 > timeout#3`: `stack.rs` lists them"), "{text}");
    assert!(text.contains("`clock_back` is not performed here"), "{text}");
}
