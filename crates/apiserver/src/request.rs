//! What a request asks for, read from its method, path and query.

use std::collections::HashMap;
use std::fmt;
use std::num::{IntErrorKind, ParseIntError};
use std::time::Duration;

use http::Method;

use crate::failure::{Cause, Failure};

/// What is done to objects. `kubectl auth can-i` and the reference table use the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

/// A path below `/api/v1` or `/apis/<group>/<version>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
    /// Empty for all namespaces and for kinds without.
    pub(crate) namespace: String,
    /// Empty for the collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
    /// Whether the path goes on after the subresource: nothing is served there.
    pub(crate) goes_on: bool,
}

/// The query's parameters, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(HashMap<String, Vec<String>>);

// === impl Verb ===

impl Verb {
    pub const ALL: [Self; 8] =
        [Self::Get, Self::List, Self::Watch, Self::Create, Self::Update, Self::Patch, Self::Delete, Self::DeleteCollection];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// What Kubernetes calls the options in its query.
    pub(crate) const fn options(self) -> &'static str {
        match self {
            Self::Get => "GetOptions",
            Self::List | Self::Watch => "ListOptions",
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Patch => "PatchOptions",
            Self::Delete | Self::DeleteCollection => "DeleteOptions",
        }
    }

    pub(crate) fn of(method: &Method, target: &Target, query: &Query) -> Result<Self, Failure> {
        let collection = target.name.is_empty();
        match *method {
            Method::GET if collection && query.is_true("watch") => Ok(Self::Watch),
            Method::GET if collection => Ok(Self::List),
            Method::GET => Ok(Self::Get),
            Method::POST if collection || !target.subresource.is_empty() => Ok(Self::Create),
            Method::PUT if !collection => Ok(Self::Update),
            Method::PATCH if !collection => Ok(Self::Patch),
            Method::DELETE if collection => Ok(Self::DeleteCollection),
            Method::DELETE => Ok(Self::Delete),
            _ => Err(Failure::method_not_allowed()),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Target ===

impl Target {
    /// `None` when the path is not one of a resource.
    ///
    /// As Kubernetes reads it: decoded first, so that an escaped slash parts as any other, and what stands between two slashes counts,
    /// be it nothing. What may be done and what is done both follow from this one reading.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = percent_decode(path)?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let part = |at: usize| rest.get(at).copied().unwrap_or("");
        let [group, version, resource, namespace, name, subresource] =
            [group, version, part(0), namespace, part(1), part(2)].map(str::to_owned);
        Some(Self { group, version, resource, namespace, name, subresource, goes_on: rest.len() > 3 })
    }

    /// # Errors
    /// `BadRequest` for names that a path cannot hold.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for (what, name) in [("Namespace", &self.namespace), ("Name", &self.name)] {
            let wrong = match name.as_str() {
                "." | ".." => format!("may not be '{name}'"),
                name if name.contains('%') => "may not contain '%'".into(),
                _ => continue,
            };
            return Err(Failure::bad_request(format!("{what} parameter invalid: {name:?}: {wrong}")));
        }
        Ok(())
    }
}

// === impl Query ===

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut map = HashMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent_decode(&text.replace('+', " "));
            if let (Some(key), Some(value)) = (decode(key), decode(value)) {
                map.entry(key).or_insert_with(Vec::new).push(value);
            }
        }
        Self(map)
    }

    /// The parameter, unless it is missing or empty; the first of a name counts.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.all(key).first().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether it is there, with a value or without.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Everything but `false` and `0` means yes, as Kubernetes has it: `?watch` as well as `?watch=yes`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.all(key).first().is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// The one name that `fieldSelector` asks for.
    pub(crate) fn selected_name(&self) -> Option<String> {
        crate::selector::selected_name(self.get("fieldSelector")?)
    }

    /// # Errors
    /// `Invalid` for anything but `All`: who misspells it must not write.
    pub(crate) fn dry_run(&self, options: &str) -> Result<bool, Failure> {
        dry_run(self.all("dryRun"), options)
    }

    pub(crate) fn timeout(&self) -> Result<Option<Duration>, Failure> {
        Ok(self.count("timeoutSeconds")?.map(Duration::from_secs))
    }

    /// A number above zero.
    pub(crate) fn count(&self, key: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let number: i64 = text.parse().map_err(|error: ParseIntError| {
            let beyond = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
            let what = if beyond { "value out of range" } else { "invalid syntax" };
            Failure::bad_request(format!("strconv.ParseInt: parsing {text:?}: {what}"))
        })?;
        Ok(u64::try_from(number).ok().filter(|number| *number > 0))
    }

    /// `None` when none is named.
    pub(crate) fn revision(&self) -> Result<Option<u64>, Failure> {
        let Some(text) = self.get("resourceVersion") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let wrong = format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
            Failure::bad_request(format!("invalid resource version: {wrong}"))
        })
    }
}

/// Whether what was said asks to change nothing.
pub(crate) fn dry_run(said: &[String], options: &str) -> Result<bool, Failure> {
    if said.iter().all(|one| one == "All") {
        return Ok(!said.is_empty());
    }
    let said: Vec<String> = said.iter().map(|one| format!("{one:?}")).collect();
    let message = format!("Unsupported value: [{}]: supported values: \"All\"", said.join(","));
    Err(Failure::invalid_options(options, vec![Cause::new("FieldValueNotSupported", "dryRun", message)]))
}

/// `None` when what comes out is not UTF-8 or an escape is broken.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: [&str; 6]) {
        let target = Target::parse(path).unwrap_or_else(|| panic!("{path} is a resource"));
        let Target { group, version, resource, namespace, name, subresource, .. } = &target;
        assert_eq!([group, version, resource, namespace, name, subresource], expect, "{path}");
    }

    #[test]
    fn paths() {
        check("/api/v1/nodes", ["", "v1", "nodes", "", "", ""]);
        check("/api/v1/namespaces", ["", "v1", "namespaces", "", "", ""]);
        check("/api/v1/namespaces/a", ["", "v1", "namespaces", "", "a", ""]);
        check("/api/v1/namespaces/a/status", ["", "v1", "namespaces", "", "a", "status"]);
        check("/api/v1/namespaces/a/services", ["", "v1", "services", "a", "", ""]);
        check("/api/v1/namespaces/a/services/b/status", ["", "v1", "services", "a", "b", "status"]);
        check("/apis/x.io/v1/namespaces/a/foos/system%3Ab", ["x.io", "v1", "foos", "a", "system:b", ""]);
        check("/api/v1/namespaces/a%2Fservices/", ["", "v1", "services", "a", "", ""]);
        check("/api/v1/namespaces//services", ["", "v1", "services", "", "", ""]);
        check("/api//v1/services/a", ["", "", "v1", "", "services", "a"]);
        check("/api/v1/namespaces/a/services/b/c/d", ["", "v1", "services", "a", "b", "c"]);
        assert!(Target::parse("/api/v1/namespaces/a/services/b/c/d").is_some_and(|target| target.goes_on));
        assert_eq!(Target::parse("/apis/x.io"), None);
        assert_eq!(Target::parse("/apis/x.io/v1"), None);
        assert_eq!(Target::parse("/metrics"), None);
    }

    #[test]
    fn queries() {
        let query = Query::parse("labelSelector=a%3Db%2Cc+in+%28d%29&watch=true&limit=5&x");
        assert_eq!(query.get("labelSelector"), Some("a=b,c in (d)"));
        assert!(query.is_true("watch") && query.is_true("x"));
        assert!(!Query::parse("watch=False").is_true("watch") && !Query::parse("watch=0").is_true("watch"));
        assert_eq!(query.count("limit").ok(), Some(Some(5)));
        assert_eq!(query.get("x"), None);
    }

    #[test]
    fn a_dry_run_is_asked_for_in_one_way() {
        let asked = |query: &str| Query::parse(query).dry_run("CreateOptions").ok();
        assert_eq!([asked(""), asked("dryRun=All"), asked("dryRun=All&dryRun=All")], [Some(false), Some(true), Some(true)]);
        for wrong in ["dryRun=all", "dryRun=", "dryRun", "dryRun=true", "dryRun=All&dryRun=None"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
