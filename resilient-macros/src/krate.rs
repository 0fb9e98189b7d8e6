//! The name under which the user's crate knows ours.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};
use syn::parse::Parser as _;

const PACKAGE: &str = "resilient";

/// The value of `crate = path` among the arguments of a `#[resilient(..)]`.
pub(crate) fn explicit(args: &TokenStream) -> Option<syn::Path> {
    let trees: Vec<_> = args.clone().into_iter().collect();
    let is_punct = |tree: &TokenTree, c| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c);
    let value = trees
        .windows(2)
        .position(|pair| matches!(&pair[0], TokenTree::Ident(word) if word == "crate") && is_punct(&pair[1], '='))?;
    let path = trees.into_iter().skip(value + 2).take_while(|tree| !is_punct(tree, ',')).collect();
    syn::Path::parse_mod_style.parse2(path).ok()
}

/// The name of our package in the manifest of the crate that is being compiled.
pub(crate) fn name() -> String {
    static NAMES: OnceLock<Mutex<HashMap<PathBuf, String>>> = OnceLock::new();
    let Some(dir) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        return PACKAGE.to_owned();
    };
    // A server that expands for an editor sees many crates.
    let mut names = NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(dir).or_insert_with_key(|dir| look_up(dir)).clone()
}

/// `::name`.
pub(crate) fn path(name: &str) -> TokenStream {
    let name = syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()));
    quote!(::#name)
}

fn look_up(dir: &Path) -> String {
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
    let workspace = || {
        dir.ancestors()
            .filter_map(|dir| fs::read_to_string(dir.join("Cargo.toml")).ok())
            .find(|manifest| entries(manifest).any(|entry| entry.table.first().is_some_and(|name| name == "workspace")))
            .unwrap_or_default()
    };
    dependency_name(&manifest, workspace).unwrap_or_else(|| PACKAGE.to_owned())
}

/// The key of the dependency on our package, as it is written in a path.
fn dependency_name(manifest: &str, workspace: impl FnOnce() -> String) -> Option<String> {
    let dependencies = dependencies(manifest, false);
    let is_ours = |dependency: &Dependency| match &dependency.package {
        Some(package) => package == PACKAGE,
        None => dependency.key == PACKAGE && !dependency.inherited,
    };
    let mut found = dependencies.iter().find(|dependency| is_ours(dependency)).map(|dependency| dependency.key.clone());
    if found.is_none() && dependencies.iter().any(|dependency| dependency.inherited) {
        let shared = self::dependencies(&workspace(), true);
        let is_inherited = |shared: &&Dependency| dependencies.iter().any(|own| own.inherited && own.key == shared.key);
        found = shared.iter().filter(is_inherited).find(|shared| is_ours(shared)).map(|shared| shared.key.clone());
    }
    found.map(|key| key.replace('-', "_"))
}

#[derive(Default)]
struct Dependency {
    key: String,
    package: Option<String>,
    /// `workspace = true`
    inherited: bool,
}

/// The dependencies of the manifest, or those that its workspace offers.
fn dependencies(manifest: &str, of_workspace: bool) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for Entry { table, key, value } in entries(manifest) {
        let mut path = table;
        path.extend(key);
        if (path.first().is_some_and(|name| name == "workspace")) != of_workspace {
            continue;
        }
        let Some(start) = path.iter().position(|name| name.ends_with("dependencies")) else { continue };
        let Some(key) = path.get(start + 1) else { continue };
        let index = found.iter().position(|dependency| dependency.key == *key).unwrap_or_else(|| {
            found.push(Dependency { key: key.clone(), ..Dependency::default() });
            found.len() - 1
        });
        let dependency = &mut found[index];
        match path.get(start + 2).map(String::as_str) {
            Some("package") => dependency.package = Some(unquoted(&value)),
            Some("workspace") => dependency.inherited = value == "true",
            Some(_) => {}
            None => {
                for (name, value) in inline_table(&value) {
                    match name.as_str() {
                        "package" => dependency.package = Some(unquoted(&value)),
                        "workspace" => dependency.inherited = value == "true",
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

/// A line `key = value` of a manifest; a table's header is an entry without a key.
struct Entry {
    table: Vec<String>,
    key: Vec<String>,
    value: String,
}

/// Reads line by line; what it does not understand it passes over.
fn entries(manifest: &str) -> impl Iterator<Item = Entry> + '_ {
    let mut table = Vec::new();
    manifest.lines().filter_map(move |line| {
        let line = without_comment(line).trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_start_matches('[').trim_end_matches(']');
            table = split(header, '.').into_iter().map(|name| unquoted(&name)).collect();
            return Some(Entry { table: table.clone(), key: Vec::new(), value: String::new() });
        }
        let mut halves = split(line, '=').into_iter();
        let key = halves.next()?;
        let value = halves.collect::<Vec<_>>().join("=").trim().to_owned();
        let key = split(&key, '.').into_iter().map(|name| unquoted(&name)).collect();
        Some(Entry { table: table.clone(), key, value })
    })
}

fn inline_table(value: &str) -> Vec<(String, String)> {
    let Some(inside) = value.trim().strip_prefix('{') else { return Vec::new() };
    split(inside.trim_end().trim_end_matches('}'), ',')
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (unquoted(name), value.trim().to_owned()))
        .collect()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(|c| c == '"' || c == '\'').to_owned()
}

fn without_comment(line: &str) -> &str {
    match outside_quotes(line).find(|(_, c)| *c == '#') {
        Some((at, _)) => &line[..at],
        None => line,
    }
}

/// The parts between `separator`s that stand neither in quotes nor in brackets.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, c) in outside_quotes(text) {
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(text[start..at].trim().to_owned());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim().to_owned());
    parts
}

fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut open = None;
    text.char_indices().filter(move |(_, c)| {
        if let Some(quote) = open {
            open = open.filter(|_| *c != quote);
            return false;
        }
        open = matches!(c, '"' | '\'').then_some(*c);
        open.is_none()
    })
}

#[cfg(test)]
mod tests;
