//! Dependencies go one way only, read from the sources themselves.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn sources(of: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(of);
    let files = rust_files(&root);
    assert!(files.len() > 10, "no sources in {}", root.display());
    files
        .into_iter()
        .filter(|path| {
            let path = path.strip_prefix(&root).unwrap().with_extension("");
            let of_tests = ["models", "oracle", "snapshots", "tests"];
            !path.components().any(|part| of_tests.contains(&&*part.as_os_str().to_string_lossy()))
        })
        .map(|path| (path.strip_prefix(&root).unwrap().to_owned(), code(&fs::read_to_string(&path).unwrap())))
        .collect()
}

/// Without comments and unit tests.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// `policy/retry/mod.rs` is `policy::retry`, `time.rs` is `time`.
fn module(path: &Path) -> String {
    let path = path.with_extension("").to_string_lossy().replace('/', "::");
    path.strip_suffix("::mod").unwrap_or(&path).to_owned()
}

/// The paths below `crate::` that a source names, whole `use` trees included.
fn edges(source: &str) -> Vec<String> {
    let mut edges = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        // `$crate::` in a macro stands in the same file.
        expand("", &source[at + "crate::".len()..], &mut edges);
    }
    edges
}

/// Reads one use tree; returns what follows it.
fn expand<'s>(prefix: &str, mut rest: &'s str, edges: &mut Vec<String>) -> &'s str {
    rest = rest.trim_start();
    if let Some(mut inner) = rest.strip_prefix('{') {
        loop {
            inner = expand(prefix, inner, edges).trim_start();
            match inner.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => inner = next,
                Some(next) => return next.trim_start().strip_prefix('}').unwrap_or(next),
                None => return inner.strip_prefix('}').unwrap_or(inner),
            }
        }
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    if let Some(deeper) = after.strip_prefix("::") {
        return expand(&path, deeper, edges);
    }
    if let Some(renamed) = after.trim_start().strip_prefix("as ") {
        let end = renamed.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(renamed.len());
        edges.push(path);
        return &renamed[end..];
    }
    edges.push(path);
    after
}

fn place(order: &[&[&str]], module: &str) -> Option<usize> {
    let top = module.split("::").next()?;
    order.iter().position(|names| names.contains(&top))
}

/// Everything names only what stands before it, or beside it where that is said.
fn one_way(of: &str, order: &[&[&str]]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, source) in sources(of) {
        let from = module(&path);
        let Some(here) = place(order, &from) else {
            if from != "lib" {
                wrong.push(format!("{from} has no place in the order"));
            }
            continue;
        };
        for edge in edges(&source) {
            if place(order, &edge).is_some_and(|there| there > here) {
                wrong.push(format!("{from} names crate::{edge}, which stands after it"));
            }
        }
    }
    wrong
}

#[test]
fn the_runtime_depends_one_way_only() {
    let order: [&[&str]; 6] = [
        &[
            "time",
            "error",
            "outcome",
            "check",
            "rate",
            "ratio",
            "priority",
            "queue",
            "sync",
            "brief",
            "cause",
            "background",
            "mark",
        ],
        &["event", "stats"],
        &["policy"],
        &["registry"],
        &["call"],
        &["__private", "throttle"],
    ];
    let wrong = one_way("resilient/src", &order);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What policies have in common.
const SHARED: [&str; 4] = ["keyed", "mode", "owned_permit", "permit"];

#[test]
fn a_policy_names_no_other_policy_but_what_all_share() {
    for (path, source) in sources("resilient/src/policy") {
        let own = module(&path);
        let own = own.split("::").next().unwrap();
        for edge in edges(&source) {
            let Some(other) = edge.strip_prefix("policy::") else { continue };
            let other = other.split("::").next().unwrap();
            assert!(other == own || SHARED.contains(&other), "{} names crate::{edge}", path.display());
        }
        if path.components().count() == 2 && path.ends_with("mod.rs") {
            for (at, _) in source.match_indices("super::") {
                let rest = &source[at + 7..];
                let is_deeper = path.components().count() > 2;
                let shared = SHARED.iter().any(|shared| rest.starts_with(shared)) || rest.starts_with('{') || is_deeper;
                assert!(shared, "{} names super::{:.20}", path.display(), rest);
            }
        }
    }
}

#[test]
fn pure_files_have_no_clock_lock_event_or_await() {
    let pure = [
        "backoff.rs",
        "baseline.rs",
        "bucket.rs",
        "change.rs",
        "history.rs",
        "ledger.rs",
        "log.rs",
        "limit.rs",
        "machine/mod.rs",
        "meter.rs",
        "queue.rs",
        "results.rs",
        "rules.rs",
        "shed.rs",
        "shortcuts.rs",
        "state.rs",
        "tally.rs",
        "circuit_breaker/window.rs",
        "rate_limiter/health.rs",
        "rate_limiter/window.rs",
        "word.rs",
    ];
    let files = sources("resilient/src/policy");
    let files = files.iter().filter(|(path, _)| pure.iter().any(|name| path.ends_with(name)));
    let mut seen = 0;
    for (path, source) in files {
        seen += 1;
        for forbidden in [
            "precise",
            "coarse",
            "Instant",
            "SystemTime",
            "Mutex",
            "RwLock",
            "Atomic",
            "event",
            "await",
            "async ",
            "fastrand",
        ] {
            assert!(!source.contains(forbidden), "{} has `{forbidden}`", path.display());
        }
    }
    assert_eq!(seen, pure.len());
}

#[test]
fn only_the_doors_to_clocks_and_tasks_name_the_runtime() {
    for (path, source) in sources("resilient/src") {
        if path != Path::new("time.rs") && path != Path::new("background.rs") {
            for forbidden in ["tokio::", "rustix", "Instant::now", "SystemTime"] {
                assert!(!source.contains(forbidden), "{} has `{forbidden}`", path.display());
            }
        }
    }
}

#[test]
fn only_the_engine_awaits_and_what_runs_beside_it() {
    let beside = ["time.rs", "policy/circuit_breaker/health.rs", "__private/key.rs", "throttle.rs"];
    for (path, source) in sources("resilient/src") {
        let may = path.starts_with("call") || beside.iter().any(|beside| path == Path::new(beside));
        assert!(may || !source.contains(".await"), "{} awaits", path.display());
    }
}

#[test]
fn the_macros_depend_one_way_only() {
    let order: [&[&str]; 10] = [
        &["diag", "span"],
        &["krate"],
        &["args"],
        &["policy"],
        &["gather"],
        &["item"],
        &["stack"],
        &["lower"],
        &["entry"],
        &["lib"],
    ];
    let wrong = one_way("resilient-macros/src", &order);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rustc does not say that a file belongs to no module.
#[test]
fn every_file_is_a_module() {
    for of in ["resilient/src", "resilient-macros/src", "tests/behaviour", "tests/conformance", "tests/shapes"] {
        let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(of));
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
        for file in files.iter().filter(|file| !["lib", "main", "mod"].contains(&&*stem(file))) {
            let folder = file.parent().unwrap();
            let parents = ["lib.rs", "main.rs", "mod.rs"].map(|name| folder.join(name));
            let line = format!("mod {};", stem(file));
            let names = |parent: &Path| text(parent).contains(&line);
            let is_named = parents.iter().any(|parent| names(parent)) || names(&folder.with_extension("rs"));
            assert!(is_named, "{} belongs to no module", file.display());
        }
    }
}

#[test]
fn use_trees_are_read_whole() {
    let source = "use crate::{\n    a::{b, c::{self, d}},\n    e as f,\n    g::h,\n};\nfn x() { crate::i::j(); }";
    assert_eq!(edges(source), ["a::b", "a::c::self", "a::c::d", "e", "g::h", "i::j"]);
}
