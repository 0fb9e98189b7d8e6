use super::*;

fn config(args: &str) -> String {
    super::config(Kind::Bulkhead, args)
}

const TAKES: &str = "`#[bulkhead]` takes `adaptive`, `wait`, `queue`, `order`, `priority`, `mode`, `key`, `key_label`, \
                     `max_keys`, `idle`, `name` and `policy`";

#[test]
fn a_number_or_a_range_and_who_waits() {
    assert_eq!(config("10"), "BulkheadConfig::new(10u32)");
    assert_eq!(config("10, wait = 1s, queue = 5"), "BulkheadConfig::new(10u32).wait(ns(1000000000)).queue(5u32)");
    assert_eq!(
        config("10, wait, queue = unbounded, order = lifo, mode = shadow"),
        "BulkheadConfig::new(10u32).wait_unbounded().queue_unbounded().order(Order::Lifo).mode(Mode::Shadow)"
    );
    assert_eq!(config("adaptive = 10..=200"), "BulkheadConfig::adaptive(10u32..=200u32)");
    assert_eq!(
        config("adaptive = LOW..=200, wait, order = ORDER"),
        "BulkheadConfig::adaptive(__RESILIENT_ADAPTIVE_4[0]..=__RESILIENT_ADAPTIVE_4[1]).wait_unbounded()\
         .order(__RESILIENT_ORDER_4)"
    );
    let checks = checks(Kind::Bulkhead, "adaptive = LOW..=200");
    assert!(checks.contains("=[LOW,200u32];::r::__private::check::adaptive(value);"), "{checks}");
}

#[test]
fn classes_and_keys() {
    let read = |args: &str| match read(Kind::Bulkhead, args).parsed.unwrap().policy {
        Policy::Bulkhead { class, keys, .. } => (class.is_some(), keys.is_some()),
        _ => unreachable!(),
    };
    assert_eq!(read("10, wait, order = priority, priority = items.class()"), (true, false));
    assert_eq!(read("10, wait, order = ORDER, priority = class"), (true, false));
    assert_eq!(read("policy = SHARED, priority = class, key = host"), (true, true));
    assert_eq!(read("10, key = self.host, max_keys = 5, idle = 1min, key_label = host"), (false, true));
}

#[test]
fn mistakes() {
    refuses(
        Kind::Bulkhead,
        &[
            ("", "`#[bulkhead]` needs how many calls may run at once: write for example `#[bulkhead(10)]`"),
            ("0", "`0` is out of range, which is `1` to `1_000_000`: write for example `#[bulkhead(10)]`"),
            ("10, queue = 5", "nobody queues without `wait`: write for example `wait = 100ms` beside `queue`"),
            ("10, wait = , queue = 5", "`wait` needs a value: write `wait = 100ms`"),
            (
                "10, wait, queue = 0",
                "a queue of 0 lets nobody wait: leave `wait` and `queue` out, or write for example `queue = 50`",
            ),
            ("max = 3", "the number of calls stands alone: write `#[bulkhead(3)]`"),
            ("max = 3, wait = 1s", "the number of calls stands alone: write `#[bulkhead(3, ..)]`"),
            ("max = items", &format!("unknown argument `max`: {TAKES}")),
            ("10, wat", &format!("unknown argument `wat`, did you mean `wait`? {TAKES}")),
            ("10, max_keys = 5", "`max_keys` needs a `key` to tell calls apart: write for example `key = self.host`"),
        ],
    );
}

#[test]
fn mistakes_in_ranges() {
    refuses(
        Kind::Bulkhead,
        &[
            ("adaptive", "`adaptive` needs a value: write `adaptive = 10..=200`"),
            (
                "adaptive = 200",
                "`200` is no range: write the range in which the limit is found, as in `adaptive = 10..=200`",
            ),
            ("adaptive = 200..=10", "the range is upside down: write `10..=200`"),
            ("adaptive = 10..200", "the highest limit belongs to the range: write `10..=200`"),
            (
                "adaptive = 10..",
                "a range has both ends: write the range in which the limit is found, as in `adaptive = 10..=200`",
            ),
            ("adaptive = 10..=10", "a limit that can not move is a number: write `#[bulkhead(10)]`"),
            (
                "adaptive = 0..=10",
                "`0` is out of range, which is `1` to `1_000_000`: write for example `adaptive = 10..=200`",
            ),
            ("adaptive = 1s..=10", "`1s` counts calls and has no unit: write `1`"),
            ("10, adaptive = 10..=200", "the range of `adaptive` stands in place of the number: keep one of them"),
        ],
    );
}

#[test]
fn mistakes_in_orders() {
    let counts = "`priority` counts only in a line of that order: write `order = priority`";
    refuses(
        Kind::Bulkhead,
        &[
            ("10, order = lifo", "nobody queues without `wait`: write for example `wait = 100ms` beside `order`"),
            (
                "10, wait, order = priority",
                "`order = priority` needs the class of a call: write for example `priority = request.priority()`",
            ),
            ("10, wait, order = lifo, priority = class", counts),
            ("10, wait, priority = class", &format!("{counts} beside it, and for example `wait = 100ms`")),
            (
                "10, wait, order = lifi",
                "unknown order `lifi`, which is `fifo`, `lifo` or `priority`: write for example `order = lifo`",
            ),
            ("10, wait, order = \"lifo\"", "an order is no string: write `lifo` without quotes"),
            ("10, wait, order = 1", "`1` is no order: write `fifo`, `lifo` or `priority`"),
            (
                "10, wait, order = priority, priority = 1",
                "`1` is no class: write an expression of type `resilient::Priority`, such as `request.priority()`",
            ),
            (
                "10, wait, order = priority, priority = |x| x",
                "a closure is no class: write an expression of type `resilient::Priority`, such as `request.priority()`",
            ),
        ],
    );
}
