//! Every site of the process, found by name.

mod site;

pub use site::{Site, SitePolicy};

use crate::policy::{
    bulkhead::Bulkhead,
    circuit_breaker::CircuitBreaker,
    keyed::Keys,
    rate_limiter::{RateLimiter, RateSlots},
};
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
        let tail = format!("::{name}");
        let exact = only(self.sites.iter().filter(|site| site.name() == name));
        match exact.or_else(|found| if found == 0 { self.ending_in(&tail) } else { Err(found) }) {
            Ok(site) => Ok(site),
            Err(found) => Err(NotFound::new("site", name, found, self.sites.iter().map(|site| site.name()))),
        }
    }

    fn ending_in(&self, tail: &str) -> Result<&'static Site, usize> {
        only(self.sites.iter().filter(|site| site.name().ends_with(tail)))
    }

    /// The circuit breaker of that name among the sites' own, or that of the site of that name. One from elsewhere
    /// (`policy = ..`) is controlled where it is.
    ///
    /// # Errors
    /// When there is none, or more than one; the error names the closest, or says how the one of that name is found.
    pub fn circuit_breaker(&self, name: &str) -> Result<&'static CircuitBreaker, NotFound> {
        let found = self.policy("circuit breaker", name, |policy| match policy {
            SitePolicy::CircuitBreaker(breaker) => Some(*breaker),
            _ => None,
        });
        found.map_err(|error| self.kept_elsewhere(error, "circuit_breaker"))
    }

    /// The circuit breakers of that name that are one for each key, or those of the site of that name.
    ///
    /// # Errors
    /// When there are none, or more than one such policy; the error names the closest, or says how the one of that name
    /// is found.
    pub fn keyed_circuit_breaker(&self, name: &str) -> Result<&'static Keys<CircuitBreaker>, NotFound> {
        let found = self.policy("keyed circuit breaker", name, |policy| match policy {
            SitePolicy::KeyedCircuitBreaker(breakers) => Some(*breakers),
            _ => None,
        });
        found.map_err(|error| self.kept_elsewhere(error, "circuit_breaker"))
    }

    /// Says where a policy is that has the name, or whose site has it, but is found in another way.
    fn kept_elsewhere(&self, error: NotFound, kind: &str) -> NotFound {
        let name = error.name.as_str();
        let of_site = self.site(name).map(Site::policies).unwrap_or_default();
        let named = self.sites.iter().flat_map(|site| site.policies()).filter(|policy| policy.name() == name);
        let elsewhere = named.chain(of_site).filter(|policy| policy.kind() == kind).find_map(|policy| match policy {
            SitePolicy::Shared { .. } => Some(Elsewhere::Shared),
            SitePolicy::KeyedCircuitBreaker(_) => Some(Elsewhere::Keyed),
            SitePolicy::CircuitBreaker(_) => Some(Elsewhere::Single),
            _ => None,
        });
        NotFound { elsewhere: if error.found == 0 { elsewhere } else { None }, ..error }
    }

    /// The rate limiter of that name among the sites' own, or that of the site of that name. One from elsewhere
    /// (`policy = ..`) is controlled where it is.
    ///
    /// # Errors
    /// When there is none, or more than one; the error names the closest.
    pub fn rate_limiter(&self, name: &str) -> Result<&'static RateLimiter, NotFound> {
        self.policy("rate limiter", name, |policy| match policy {
            SitePolicy::RateLimiter(limiter) => Some(*limiter),
            _ => None,
        })
    }

    /// The rate limits of that name that are one for each key and no more than that (`key` without what needs a limiter for
    /// each), or those of the site of that name.
    ///
    /// # Errors
    /// When there are none, or more than one such policy; the error names the closest.
    pub fn rate_slots(&self, name: &str) -> Result<&'static RateSlots, NotFound> {
        self.policy("rate limit by key", name, |policy| match policy {
            SitePolicy::RateSlots(slots) => Some(*slots),
            _ => None,
        })
    }

    /// The rate limiters of that name that are one for each key, or those of the site of that name.
    ///
    /// # Errors
    /// When there are none, or more than one such policy; the error names the closest.
    pub fn keyed_rate_limiter(&self, name: &str) -> Result<&'static Keys<RateLimiter>, NotFound> {
        self.policy("keyed rate limiter", name, |policy| match policy {
            SitePolicy::KeyedRateLimiter(limiters) => Some(*limiters),
            _ => None,
        })
    }

    /// The bulkhead of that name among the sites' own, or that of the site of that name.
    ///
    /// # Errors
    /// When there is none, or more than one; the error names the closest.
    pub fn bulkhead(&self, name: &str) -> Result<&'static Bulkhead, NotFound> {
        self.policy("bulkhead", name, |policy| match policy {
            SitePolicy::Bulkhead(bulkhead) => Some(*bulkhead),
            _ => None,
        })
    }

    /// The bulkheads of that name that are one for each key, or those of the site of that name.
    ///
    /// # Errors
    /// When there are none, or more than one such policy; the error names the closest.
    pub fn keyed_bulkhead(&self, name: &str) -> Result<&'static Keys<Bulkhead>, NotFound> {
        self.policy("keyed bulkhead", name, |policy| match policy {
            SitePolicy::KeyedBulkhead(bulkheads) => Some(*bulkheads),
            _ => None,
        })
    }

    fn policy<P>(
        &self,
        what: &'static str,
        name: &str,
        of_kind: fn(&'static SitePolicy) -> Option<&'static P>,
    ) -> Result<&'static P, NotFound> {
        let policies = || self.sites.iter().flat_map(|site| site.policies()).filter(|policy| of_kind(policy).is_some());
        let found = match only(policies().filter(|policy| policy.name() == name).collect::<Vec<_>>().iter()) {
            Ok(policy) => return of_kind(policy).ok_or_else(|| NotFound::new(what, name, 0, std::iter::empty())),
            Err(found) => found,
        };
        let of_site = |site: &'static Site| site.policies().iter().find_map(of_kind);
        if let Some(policy) = self.site(name).ok().and_then(of_site) {
            return Ok(policy);
        }
        let sites = self.sites.iter().filter(|site| of_site(site).is_some()).map(|site| site.name());
        Err(NotFound::new(what, name, found, policies().map(SitePolicy::name).chain(sites)))
    }
}

/// The only one, or how many there are.
fn only<'a, T: Copy + 'a>(mut found: impl Iterator<Item = &'a T>) -> Result<T, usize> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => Err(0),
        _ => Err(2 + found.count()),
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
    found: usize,
    closest: Option<&'static str>,
    elsewhere: Option<Elsewhere>,
}

/// How the policy of a name is found, if not as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Elsewhere {
    Shared,
    Keyed,
    Single,
}

impl NotFound {
    fn new(what: &'static str, name: &str, found: usize, known: impl Iterator<Item = &'static str>) -> Self {
        // The end of a path is compared with as much of others.
        let depth = name.matches("::").count();
        let closest = known.min_by_key(|known| {
            let tail = known.rmatch_indices("::").nth(depth).map_or(*known, |(at, _)| &known[at + 2..]);
            distance(known, name).min(distance(tail, name))
        });
        Self { what, name: name.to_owned(), found, closest, elsewhere: None }
    }

    /// The name most like it.
    #[must_use]
    pub fn closest(&self) -> Option<&'static str> {
        self.closest
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, found, closest, elsewhere } = self;
        match elsewhere {
            Some(Elsewhere::Shared) => {
                return write!(f, "`{name}` comes from elsewhere (`policy = ..`): control it where it is");
            }
            Some(Elsewhere::Keyed) => {
                return write!(f, "`{name}` is one for each key: ask for it with `keyed_circuit_breaker`");
            }
            Some(Elsewhere::Single) => {
                return write!(f, "`{name}` is one for all calls, without a key: ask for it with `circuit_breaker`");
            }
            None => {}
        }
        match (found, closest) {
            (2.., _) => write!(f, "`{name}` stands for {found} {what}s: give each a name of its own"),
            (_, Some(closest)) => write!(f, "no {what} is named `{name}`; the closest is `{closest}`"),
            (_, None) => write!(f, "no {what} is named `{name}`; none has been called yet"),
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
        static AGAIN: Site = Site::new("shop::orders::price", "shop.rs", 20, &[]);
        let registry = Registry { sites: vec![&PRICE, &STOCK] };
        assert_eq!(registry.site("price").unwrap().name(), PRICE.name());
        assert_eq!(registry.site("orders::stock").unwrap().line(), 9);
        let error = registry.site("prise").unwrap_err();
        assert_eq!(error.to_string(), "no site is named `prise`; the closest is `shop::orders::price`");
        let registry = Registry { sites: vec![&PRICE, &AGAIN] };
        let error = registry.site("price").unwrap_err();
        assert_eq!(error.to_string(), "`price` stands for 2 sites: give each a name of its own");
        assert!(registry.site("shop::orders::price").is_err());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
