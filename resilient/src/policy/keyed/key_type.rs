//! Which types of keys hash alike, by their names: a `static` can not name the type of a key that borrows.

/// Whether keys of these two types may be equal, as far as [`std::any::type_name`] tells: references and owners are the
/// same as what they refer to and own.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    one == other || plain(one) == plain(other)
}

/// The type without references and owners: `str` for `&alloc::string::String`.
fn plain(name: &str) -> String {
    // Some compilers name lifetimes, always so.
    let name = name.replace("'_, ", "").replace("<'_>", "").replace("'_ ", "");
    let mut out = String::new();
    let mut rest = name.as_str();
    while !rest.is_empty() {
        rest = one(rest, &mut out);
        // What stands between types, or what is not understood, which then stands for itself.
        let next = rest.chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out
}

/// Reads one type; returns what follows it.
fn one<'n>(name: &'n str, out: &mut String) -> &'n str {
    let name = name.trim_start();
    if let Some(referred) = name.strip_prefix('&') {
        return one(referred.strip_prefix("mut ").unwrap_or(referred), out);
    }
    if let Some(list) = name.strip_prefix('(') {
        out.push('(');
        return several(list, ')', out);
    }
    if let Some(item) = name.strip_prefix('[') {
        out.push('[');
        let after = one(item, out);
        // An array hashes as a slice does.
        let end = after.find(']').map_or(after.len(), |end| end + 1);
        out.push(']');
        return &after[end..];
    }
    let end = name.find(|c: char| !(c.is_alphanumeric() || "_:{}#".contains(c))).unwrap_or(name.len());
    let (path, after) = name.split_at(end);
    match (path, after.strip_prefix('<')) {
        ("alloc::string::String", _) => out.push_str("str"),
        ("std::path::PathBuf", _) => out.push_str("std::path::Path"),
        ("std::ffi::os_str::OsString", _) => out.push_str("std::ffi::os_str::OsStr"),
        (
            "alloc::boxed::Box" | "alloc::sync::Arc" | "alloc::rc::Rc" | "alloc::borrow::Cow" | "alloc::vec::Vec",
            Some(owned),
        ) => {
            let is_list = path.ends_with("Vec");
            out.push_str(if is_list { "[" } else { "" });
            let after = one(owned, out);
            out.push_str(if is_list { "]" } else { "" });
            return after.strip_prefix('>').unwrap_or(after);
        }
        (_, Some(arguments)) => {
            out.push_str(path);
            out.push('<');
            return several(arguments, '>', out);
        }
        (_, None) => out.push_str(path),
    }
    after
}

/// Reads types up to the end of their list.
fn several<'n>(mut rest: &'n str, end: char, out: &mut String) -> &'n str {
    while !rest.is_empty() {
        if let Some(after) = rest.trim_start().strip_prefix(end) {
            out.push(end);
            return after;
        }
        let before = rest.len();
        rest = one(rest, out);
        if let Some(after) = rest.strip_prefix(',') {
            out.push(',');
            rest = after;
        } else if rest.len() == before {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{any::type_name, borrow::Cow, collections::BTreeMap, path, sync::Arc};

    fn same<A: ?Sized, B: ?Sized>() -> bool {
        are_alike(type_name::<A>(), type_name::<B>())
    }

    #[test]
    fn references_and_owners_are_what_they_refer_to() {
        assert!(same::<str, String>() && same::<&&str, &mut String>() && same::<Cow<'_, str>, Box<str>>());
        assert!(same::<Vec<u8>, [u8]>() && same::<[u8; 4], &[u8]>() && same::<Vec<String>, [&str; 2]>());
        assert!(same::<(&str, u16), (String, u16)>() && same::<((Arc<str>, u8), i64), ((&str, u8), i64)>());
        assert!(same::<path::PathBuf, &path::Path>() && same::<Option<&str>, Option<String>>());
        assert!(same::<BTreeMap<String, Vec<u8>>, BTreeMap<&str, &[u8]>>());
    }

    #[test]
    fn other_types_are_not() {
        assert!(!same::<u64, i32>() && !same::<str, [u8]>() && !same::<(&str, u16), (&str, i32)>());
        assert!(!same::<(&str, u16), (&str, u16, u8)>() && !same::<Option<u8>, u8>() && !same::<[u8; 2], [u16; 2]>());
        assert!(
            !same::<(), ((),)>() && !same::<fn(u8) -> u16, fn(u16) -> u8>() && !same::<(u8, (u8, u8)), (u8, u8, u8)>()
        );
        assert!(!same::<BTreeMap<String, u8>, BTreeMap<String, u16>>());
    }

    #[test]
    fn a_name_that_is_not_understood_stands_for_itself() {
        for name in ["", "<", "(", "[[", "&", ")>,", "dyn core::fmt::Debug + 'static", "é<ß", "a<b", "[a; ", "fn(&u8)"]
        {
            assert!(are_alike(name, name) && !are_alike(name, "u64"), "{name}");
            let _ = plain(name);
        }
    }
}
