//! Ours and others in turn, round by round, so that all of them have the same noise.

use rustix::{
    thread::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
};
use std::{
    hint::{black_box, spin_loop},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

type Run = dyn Fn(u64) -> u64 + Send + Sync;

/// A loop of so many calls, which returns how many of them were admitted.
pub(super) struct Entry {
    run: Box<Run>,
    refuses: bool,
}

impl Entry {
    pub(super) fn new(run: impl Fn(u64) -> u64 + Send + Sync + 'static, refuses: bool) -> Self {
        Self { run: Box::new(run), refuses }
    }

    pub(super) fn repeating(call: impl Fn() -> bool + Send + Sync + 'static, refuses: bool) -> Self {
        Self::new(move |calls| (0..calls).map(|_| u64::from(black_box(&call)())).sum(), refuses)
    }

    /// What it measures is what it says.
    fn check(&self) {
        (self.run)(1000);
        let admitted = (self.run)(1000);
        assert_eq!(admitted, if self.refuses { 0 } else { 1000 });
    }
}

pub(super) struct Contest {
    name: String,
    entries: Vec<(&'static str, Entry)>,
}

/// As the columns stand.
const NAMES: [&str; 6] = ["ours", "ours, keyed", "governor", "governor, std clock", "leaky-bucket", "ratelimit"];

pub(super) fn print_header() {
    println!("| ns per decision | threads | ours / governor | {} |", NAMES.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(NAMES.len()));
}

const CALLS: u64 = 20_000;

impl Contest {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entries: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, entry: Entry) -> Self {
        entry.check();
        self.entries.push((name, entry));
        self
    }

    /// One row of the table for one thread, and one for two.
    pub(super) fn print(&self, rounds: usize) {
        for threads in [1, 2] {
            let medians = self.measure(rounds, threads);
            // Without a median where two threads never ran at once.
            let of = |name| medians.iter().find(|(other, median)| *other == name && !median.is_nan()).map(|(_, m)| *m);
            let ratio = of("ours").or(of("ours, keyed")).zip(of("governor")).map(|(ours, theirs)| ours / theirs);
            let cell = |value: Option<f64>, digits| value.map_or(String::new(), |value| format!("{value:.digits$}"));
            let cells: Vec<_> = NAMES.map(|name| cell(of(name), 1)).into();
            println!("| {} | {threads} | {} | {} |", self.name, cell(ratio, 2), cells.join(" | "));
        }
    }

    /// Nanoseconds per call: medians.
    fn measure(&self, rounds: usize, threads: usize) -> Vec<(&'static str, f64)> {
        let mut samples = vec![Vec::new(); self.entries.len()];
        for _ in 0..rounds {
            for ((_, entry), samples) in self.entries.iter().zip(&mut samples) {
                samples.extend(if threads == 1 { Some(alone(&*entry.run)) } else { together(&*entry.run) });
            }
        }
        let median = |mut samples: Vec<f64>| {
            samples.sort_by(f64::total_cmp);
            samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
        };
        self.entries.iter().zip(samples).map(|((name, _), samples)| (*name, median(samples))).collect()
    }

    pub(super) fn count(&self, name: &str, calls: u64) -> bool {
        let entry = self.entries.iter().find(|(other, _)| *other == name);
        entry.is_some_and(|(_, entry)| {
            counted(&*entry.run, calls);
            true
        })
    }
}

/// What callgrind collects: other limiters, which are made before, do not run as many instructions every time.
#[inline(never)]
fn counted(run: &Run, calls: u64) {
    black_box(run(calls));
}

/// Of the processor's time, as others use the machine too.
fn alone(run: &Run) -> f64 {
    pin(1);
    black_box(run(1000));
    let (start, end) = time(run, ClockId::ThreadCPUTime);
    (end - start) / CALLS as f64
}

/// Two threads at once; `None` where one of them had to wait for its processor while the other ran.
fn together(run: &Run) -> Option<f64> {
    let ready = AtomicU32::new(0);
    let times = thread::scope(|scope| {
        let threads = [0, 1].map(|index| {
            let ready = &ready;
            scope.spawn(move || {
                pin(index);
                black_box(run(1000));
                ready.fetch_add(1, SeqCst);
                while ready.load(SeqCst) < 2 {
                    spin_loop();
                }
                time(run, ClockId::Monotonic)
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let [(first, first_end), (second, second_end)] = times;
    let common = first_end.min(second_end) - first.max(second);
    let longer = (first_end - first).max(second_end - second);
    (common > 0.85 * longer).then(|| (first_end - first + second_end - second) / 2.0 / CALLS as f64)
}

/// Instants in nanoseconds.
fn time(run: &Run, clock: ClockId) -> (f64, f64) {
    let now = || {
        let time = clock_gettime(clock);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let start = now();
    black_box(run(CALLS));
    (start, now())
}

/// Two threads that share a processor would run in turn.
fn pin(index: usize) {
    let mut set = CpuSet::new();
    set.set(index);
    // Where the machine has no such processor it runs as it may.
    let _ = sched_setaffinity(None, &set);
}
