use super::*;
use crate::{gather::gather, item::Source};

fn stack(attrs: &str) -> Result<Vec<String>, Vec<String>> {
    let mut source = Source::parse(format!("{attrs} async fn f() {{}}").parse().unwrap()).unwrap();
    let mut diag = Diagnostics::default();
    let mut gathered = gather(Kind::Resilient, TokenStream::new(), &mut source.attrs, &mut diag);
    gathered.attrs.remove(0);
    match Stack::parse(&gathered, &Scope::default(), &mut diag) {
        Some(stack) => Ok(stack.layers.into_iter().map(|layer| layer.name).collect()),
        None => Err(diag.texts()),
    }
}

fn fine(attrs: &str) {
    assert!(stack(attrs).is_ok(), "{attrs}: {:?}", stack(attrs));
}

fn error(attrs: &str) -> String {
    stack(attrs).unwrap_err().join("\n")
}

#[test]
fn every_layer_has_a_name_of_its_own() {
    let names = stack("#[timeout(9s)] #[retry] #[timeout(2s)] #[timeout(1s, name = \"timeout_3\")] #[timeout(1ms)]");
    assert_eq!(names.unwrap(), ["timeout", "retry", "timeout_2", "timeout_3", "timeout_4"]);
    assert_eq!(
        error("#[retry(name = \"x\")] #[bulkhead(1, name = \"x\")]"),
        "a second policy of this fn is named `x`: write another name"
    );
}

#[test]
fn a_fallback_below_what_it_would_hide_failures_from() {
    assert_eq!(
        error("#[retry] #[circuit_breaker] #[fallback(f)]"),
        "this fallback is inside `#[retry]`: that retry only sees what the fallback returns, and has nothing left to retry; \
         move `#[fallback]` above `#[retry]`, or write `#[resilient(allow(fallback_inside_retry))]`"
    );
    assert_eq!(
        error("#[circuit_breaker] #[timeout(1s)] #[fallback(f)]"),
        "this fallback is inside `#[circuit_breaker]`: that breaker only sees what the fallback returns, \
         and would not open when the body fails; \
         move `#[fallback]` above `#[circuit_breaker]`, or write `#[resilient(allow(fallback_inside_circuit_breaker))]`"
    );
    fine("#[fallback(f)] #[retry] #[circuit_breaker]");
    fine("#[retry] #[fallback(f)] #[resilient(allow(fallback_inside_retry))]");
}

#[test]
fn a_time_out_that_never_fires() {
    assert_eq!(
        error("#[timeout(2s)] #[retry] #[timeout(2s)]"),
        "this time-out never fires, for one above it is not longer: \
         write a shorter one here, or `#[resilient(allow(timeout_not_shorter))]`"
    );
    fine("#[timeout(2s)] #[timeout(1s)]");
    fine("#[timeout(LONG)] #[timeout(1h)]");
    fine("#[resilient(allow(timeout_not_shorter))] #[timeout(1s)] #[timeout(2s)]");
}

#[test]
fn what_is_said_in_vain() {
    assert_eq!(
        error("#[resilient(rejected = f)] #[fallback(g)] #[retry]"),
        "`rejected` has no effect: no policy of this fn rejects or times out; remove it"
    );
    assert_eq!(
        error(
            "#[resilient(allow(timeout_not_shorter, fallback_inside_retry))] #[timeout(2s)] #[retry] #[fallback(f)] #[timeout(1s)]"
        ),
        "`allow(timeout_not_shorter)` has no effect: that check finds nothing on this fn; remove it"
    );
    fine("#[resilient(allow(timeout_not_shorter))] #[timeout(LONG)] #[timeout(1s)]");
    fine("#[resilient(rejected = f)] #[fallback(|| 1)] #[timeout(1s)]");
    assert_eq!(
        error("#[resilient(rejected = f, allow(fallback_inside_retry))] #[timeout(2)]"),
        "`2` has no unit: write `2s` (or `2ms`, `2min`)"
    );
}

#[test]
fn one_resilient_and_something_to_do() {
    assert_eq!(error("#[resilient]"), "no policy on this fn: write for example `#[retry]` below `#[resilient]`");
    assert_eq!(
        error("#[resilient] #[retry] #[resilient]"),
        "a second `#[resilient]` on one fn: write its arguments into the first"
    );
}

#[test]
fn mistakes_of_all_attributes_at_once() {
    let errors = stack("#[retry(attempts = 1)] #[timeout(2)] #[bulkhead(5, wat)] #[fallback(f)]").unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
}
