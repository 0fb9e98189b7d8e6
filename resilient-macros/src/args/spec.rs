//! What an attribute accepts, and what is said about anything else.

use crate::{
    args::{Raw, Slot},
    diag::{closest, code, list},
};
use syn::Ident;

/// What an attribute accepts.
pub(crate) struct Spec {
    pub(crate) attribute: &'static str,
    /// Each key, with a value to show in messages: none for one that is only a flag.
    pub(crate) keys: &'static [(&'static str, &'static str)],
    /// Words that mean something without a value.
    pub(crate) flags: &'static [&'static str],
    /// Arguments of a later version: not misspellings.
    pub(crate) later: &'static [&'static str],
    /// The value that has no name.
    pub(crate) alone: Option<Alone>,
}

/// A positional value that must be there.
pub(crate) struct Alone {
    pub(crate) what: &'static str,
    pub(crate) example: &'static str,
    /// Whether a value under a name that is none was meant to be it.
    pub(crate) fits: fn(&Raw) -> bool,
    /// Those arguments of a later version that stand in its place.
    pub(crate) replaced_by: &'static [&'static str],
}

impl Spec {
    pub(super) fn key(&self, name: &str) -> Option<&(&'static str, &'static str)> {
        self.keys.iter().find(|(key, _)| *key == name)
    }

    /// The error for a word that is no argument of this attribute.
    pub(crate) fn unknown(&self, word: &Ident) -> syn::Error {
        let known: Vec<_> = self.keys.iter().map(|(key, _)| *key).collect();
        let name = word.to_string();
        let hint = closest(&name, &known).map_or(String::new(), |key| format!(", did you mean `{key}`?"));
        let message = if hint.is_empty() {
            format!("unknown argument `{name}`: `#[{}]` takes {}", self.attribute, list(&known))
        } else {
            format!("unknown argument `{name}`{hint} `#[{}]` takes {}", self.attribute, list(&known))
        };
        syn::Error::new(word.span(), message)
    }

    pub(super) fn later(&self, word: &Ident) -> syn::Error {
        let advice = match &self.alone {
            Some(alone) if self.is_replaced_by(word) => format!("write `#[{}({})]`", self.attribute, alone.example),
            _ => "leave it out".to_owned(),
        };
        syn::Error::new(word.span(), format!("`{word}` is not available yet in this version: {advice}"))
    }

    pub(super) fn is_replaced_by(&self, word: &Ident) -> bool {
        self.alone.as_ref().is_some_and(|alone| alone.replaced_by.iter().any(|other| word == other))
    }

    /// The error for a value under a name that is none, which was meant to stand alone.
    pub(super) fn stands_alone(&self, slot: &Slot<Raw>, is_only: bool) -> Option<syn::Error> {
        let Slot { key, value } = slot;
        let name = key.to_string();
        let known: Vec<_> = self.keys.iter().map(|(key, _)| *key).collect();
        let is_other = closest(&name, &known).is_some() || (self.is_later(&name) && !self.is_replaced_by(key));
        let alone = self.alone.as_ref().filter(|alone| !is_other && (alone.fits)(value))?;
        let (what, attribute, value) = (alone.what, self.attribute, code(value));
        let others = if is_only { "" } else { ", .." };
        Some(syn::Error::new(key.span(), format!("{what} stands alone: write `#[{attribute}({value}{others})]`")))
    }

    pub(super) fn is_later(&self, name: &str) -> bool {
        self.later.contains(&name)
    }

    pub(super) fn needs_value(&self, word: &Ident) -> syn::Error {
        let message = match self.key(&word.to_string()) {
            Some((key, "")) => is_flag(key),
            Some((key, example)) => format!("`{key}` needs a value: write `{key} = {example}`"),
            None => format!("`{word}` needs a value: write `{word} = ..`"),
        };
        syn::Error::new(word.span(), message)
    }
}

/// What is said about a flag with a value.
pub(super) fn is_flag(key: &str) -> String {
    format!("`{key}` is a flag: write `{key}` alone, or leave it out")
}
