//! What attributes expand to: `expected/NAME.rs` gives `expected/NAME.expanded.rs`.
//!
//! `BLESS=1 cargo test -p resilient-macros` writes the latter anew; read the difference before you keep it.

use crate::{entry, item::Source, policy::Kind};
use proc_macro2::TokenStream;
use std::{fs, path::Path};
use syn::{Attribute, Meta};

/// The fn of an input, expanded by its first attribute.
fn expanded(input: &str) -> String {
    let mut source = Source::parse(input.parse().unwrap()).unwrap();
    let kind = |attr: &Attribute| Kind::named(&attr.path().get_ident()?.to_string());
    let first = source.attrs.iter().position(|attr| kind(attr).is_some()).unwrap();
    let first = source.attrs.remove(first);
    let args = match &first.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let tokens = entry::expand(kind(&first).unwrap(), args, source.into_tokens());
    prettyplease::unparse(&syn::parse_str(&readable(&tokens)).unwrap())
}

/// Our private door as `rt`, and `pin!` as a fn, inside of which it formats.
fn readable(tokens: &TokenStream) -> String {
    tokens.to_string().replace(":: resilient :: __private ::", "rt ::").replace("rt :: pin !", "rt :: pin")
}

#[test]
fn expansions() {
    let bless = std::env::var_os("BLESS").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected");
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".expanded.rs"))
        .collect();
    inputs.sort();
    assert_eq!(inputs.len(), 10, "one per policy, a keyed one, and three stacks");
    for input in inputs {
        let expected = input.with_extension("expanded.rs");
        let name = input.file_stem().unwrap().to_string_lossy();
        let found = expanded(&fs::read_to_string(&input).unwrap());
        if bless {
            fs::write(&expected, &found).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        assert!(found == wanted, "`{name}` expands to something new; with `BLESS=1` it is kept:\n{found}");
    }
}
