//! Every site of the process, found by name.

mod site;

pub use site::{Site, SitePolicy};

use crate::policy::circuit_breaker::CircuitBreaker;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

static SITES: Mutex<Vec<&'static Site>> = Mutex::new(Vec::new());

/// Sites appear on their first call.
fn add(site: &'static Site) {
    SITES.lock().unwrap_or_else(PoisonError::into_inner).push(site);
}

/// Every annotated function that has been called.
///
/// ```
/// for site in resilient::registry() {
///     println!("{site}: {} calls", site.stats().calls);
/// }
/// ```
#[must_use]
pub fn registry() -> Registry {
    let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sites.sort_by_key(|site| site.name());
    Registry { sites }
}

/// The sites at one moment, by name.
#[derive(Clone, Debug)]
pub struct Registry {
    sites: Vec<&'static Site>,
}

impl Registry {
    /// All of them.
    #[must_use]
    pub fn sites(&self) -> &[&'static Site] {
        &self.sites
    }

    /// The site of that name, or the only one whose path ends in it (`price`, `shop::price`).
    ///
    /// # Errors
    /// When there is none, or more than one; the error names the closest.
    pub fn site(&self, name: &str) -> Result<&'static Site, NotFound> {
        if let Some(site) = self.sites.iter().find(|site| site.name() == name) {
            return Ok(site);
        }
        let tail = format!("::{name}");
        let mut found = self.sites.iter().filter(|site| site.name().ends_with(&tail));
        match (found.next(), found.next()) {
            (Some(site), None) => Ok(site),
            _ => Err(NotFound::new("site", name, self.sites.iter().map(|site| site.name()))),
        }
    }

    /// The circuit breaker of that name among the sites' own, or that of the site of that name.
    ///
    /// # Errors
    /// When there is none; the error names the closest.
    pub fn circuit_breaker(&self, name: &str) -> Result<&'static CircuitBreaker, NotFound> {
        let breakers = self.sites.iter().flat_map(|site| site.policies()).filter_map(|policy| match policy {
            SitePolicy::CircuitBreaker(breaker) => Some(*breaker),
            _ => None,
        });
        let mut matching = breakers.clone().filter(|breaker| breaker.name() == name);
        if let (Some(breaker), None) = (matching.next(), matching.next()) {
            return Ok(breaker);
        }
        if let Some(breaker) = self.site(name).ok().and_then(Site::circuit_breaker) {
            return Ok(breaker);
        }
        let with_breaker = self.sites.iter().filter(|site| site.circuit_breaker().is_some());
        let names = breakers.map(CircuitBreaker::name).chain(with_breaker.map(|site| site.name()));
        Err(NotFound::new("circuit breaker", name, names))
    }
}

impl IntoIterator for Registry {
    type Item = &'static Site;
    type IntoIter = std::vec::IntoIter<&'static Site>;

    fn into_iter(self) -> Self::IntoIter {
        self.sites.into_iter()
    }
}

/// A name that stands for nothing, or for more than one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    what: &'static str,
    name: String,
    closest: Option<&'static str>,
}

impl NotFound {
    fn new(what: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        // The end of a path is compared with as much of others.
        let depth = name.matches("::").count();
        let closest = known.min_by_key(|known| {
            let tail = known.rmatch_indices("::").nth(depth).map_or(*known, |(at, _)| &known[at + 2..]);
            distance(known, name).min(distance(tail, name))
        });
        Self { what, name: name.to_owned(), closest }
    }

    /// The name most like it.
    #[must_use]
    pub fn closest(&self) -> Option<&'static str> {
        self.closest
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no one {} is named `{}`", self.what, self.name)?;
        match self.closest {
            Some(closest) => write!(f, "; the closest is `{closest}`"),
            None => f.write_str("; none has been called yet"),
        }
    }
}

impl std::error::Error for NotFound {}

/// The edit distance of Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_leads_to_the_closest() {
        static PRICE: Site = Site::new("shop::orders::price", "shop.rs", 1, &[]);
        static STOCK: Site = Site::new("shop::orders::stock", "shop.rs", 9, &[]);
        let registry = Registry { sites: vec![&PRICE, &STOCK] };
        assert_eq!(registry.site("price").unwrap().name(), PRICE.name());
        assert_eq!(registry.site("orders::stock").unwrap().line(), 9);
        let error = registry.site("prise").unwrap_err();
        assert_eq!(error.to_string(), "no one site is named `prise`; the closest is `shop::orders::price`");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
