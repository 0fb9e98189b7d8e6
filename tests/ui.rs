//! Messages: ours on every compiler, and those that rustc writes about our output on the compiler that recorded them.
//!
//! `TRYBUILD=overwrite cargo test --test ui` records them anew; read them before you keep them.

use std::{io::Write as _, process::Command};

/// Other compilers word and underline their own messages in other ways.
const RECORDED_ON: &str = "rustc 1.95.";

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
    let version = compiler();
    if version.starts_with(RECORDED_ON) {
        cases.compile_fail("tests/ui/rustc/*.rs");
    } else {
        // Past the harness, which would keep it to itself.
        let _ =
            writeln!(std::io::stderr(), "tests/ui/rustc is skipped: recorded on {RECORDED_ON}*, and this is {version}");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc, which compiled this, runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
