//! The live view: every site of the registry, and the bare client below them.

use crate::{
    row::{HEADINGS, Rates, Row},
    script::{LENGTH, Phase},
    traffic::Log,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use resilient::{Event, EventKind, registry};
use std::{
    collections::HashSet,
    fmt,
    io::{IsTerminal, Write, stdout},
    iter::repeat,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

/// Shows the run until dropped.
pub async fn show(start: Instant, mut phase: watch::Receiver<Phase>, bare: Log) {
    // The subscriber runs in the task that caused the event, so it only hands the event on.
    let (heard, mut events) = mpsc::unbounded_channel();
    let _subscription = resilient::subscribe(move |event| {
        if matches!(event.kind, EventKind::Opened { .. } | EventKind::Closed { .. }) {
            let _ = heard.send(event.clone());
        }
    });
    let mut screen = Screen::new();
    let mut rates = Rates::since(start);
    let mut open = HashSet::new();
    let mut ticks = interval_at(start + screen.period(), screen.period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            Ok(()) = phase.changed() => {
                let phase = *phase.borrow_and_update();
                screen.begin(phase, start.elapsed());
            }
            Some(event) = events.recv() => {
                if is_news(&event, &mut open) {
                    screen.say(&format!("{} {event}", Clock(start.elapsed())));
                }
            }
            _ = ticks.tick() => {
                let sites = registry();
                let mut rows: Vec<_> = sites.sites().iter().map(|site| Row::of_site(site, &mut rates)).collect();
                rows.push(Row::of_bare(&bare, &mut rates));
                screen.draw(start.elapsed(), &rows);
            }
        }
    }
}

/// A breaker whose probes fail opens again and again: only the first time is worth a line.
fn is_news(event: &Event, open: &mut HashSet<&'static str>) -> bool {
    match event.kind {
        EventKind::Opened { .. } => open.insert(event.site),
        _ => open.remove(event.site),
    }
}

/// Lines that are drawn anew in a terminal, and printed one after the other elsewhere.
enum Screen {
    Terminal { all: MultiProgress, clock: ProgressBar, headings: [ProgressBar; 2], rows: Vec<ProgressBar> },
    Plain,
}

impl Screen {
    fn new() -> Self {
        if !stdout().is_terminal() {
            return Self::Plain;
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let clock = all.add(ProgressBar::new(LENGTH.as_secs()));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos:>2}/{len}s  {wide_msg}") {
            clock.set_style(style);
        }
        let headings = HEADINGS.map(|heading| {
            let line = line(&all);
            line.set_message(heading);
            line
        });
        Self::Terminal { all, clock, headings, rows: Vec::new() }
    }

    fn period(&self) -> Duration {
        match self {
            Self::Terminal { .. } => Duration::from_millis(200),
            Self::Plain => Duration::from_secs(1),
        }
    }

    /// Writes a line that stays.
    fn say(&self, text: &str) {
        match self {
            Self::Terminal { all, .. } => drop(all.println(text)),
            Self::Plain => print(text),
        }
    }

    fn begin(&self, phase: Phase, elapsed: Duration) {
        self.say(&format!("{} {}", Clock(elapsed), phase.describe()));
        match self {
            Self::Terminal { clock, .. } => clock.set_message(phase.describe()),
            Self::Plain => HEADINGS.iter().for_each(|heading| print(&format!("       {heading}"))),
        }
    }

    fn draw(&mut self, elapsed: Duration, rows: &[Row]) {
        match self {
            Self::Terminal { all, clock, rows: lines, .. } => {
                clock.set_position(elapsed.as_secs());
                lines.extend((lines.len()..rows.len()).map(|_| line(all)));
                for (line, row) in lines.iter().zip(rows) {
                    line.set_message(row.to_string());
                }
            }
            Self::Plain => {
                let margins = [Clock(elapsed).to_string()].into_iter().chain(repeat(String::new()));
                rows.iter().zip(margins).for_each(|(row, margin)| print(&format!("{margin:6} {row}")));
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Self::Terminal { clock, headings, rows, .. } = self {
            headings.iter().chain(&*rows).chain([&*clock]).for_each(ProgressBar::abandon);
        }
    }
}

fn line(all: &MultiProgress) -> ProgressBar {
    let line = all.add(ProgressBar::no_length());
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        line.set_style(style);
    }
    line
}

/// A reader that went away is no reason to stop.
fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

struct Clock(Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5.1}s", self.0.as_secs_f64())
    }
}
