//! What a request asks for, read from its method, path and query.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use http::Method;

use crate::failure::Failure;

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
}

/// The query's parameters, decoded; the first of a name counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(HashMap<String, String>);

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

    pub(crate) fn of(method: &Method, target: &Target, query: &Query) -> Result<Self, Failure> {
        let collection = target.name.is_empty();
        match *method {
            Method::GET | Method::HEAD if collection && query.is_true("watch") => Ok(Self::Watch),
            Method::GET | Method::HEAD if collection => Ok(Self::List),
            Method::GET | Method::HEAD => Ok(Self::Get),
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
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(percent_decode).collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let (resource, name, subresource) = match rest {
            [resource] => (*resource, "", ""),
            [resource, name] => (*resource, *name, ""),
            [resource, name, subresource] => (*resource, *name, *subresource),
            _ => return None,
        };
        let [group, version, resource, namespace, name, subresource] =
            [group, version, resource, namespace, name, subresource].map(str::to_owned);
        Some(Self { group, version, resource, namespace, name, subresource })
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
                map.entry(key).or_insert(value);
            }
        }
        Self(map)
    }

    /// The parameter, unless it is missing or empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1" | "True" | "TRUE" | "t" | "T"))
    }

    /// The one name that `fieldSelector` asks for.
    pub(crate) fn selected_name(&self) -> Option<String> {
        crate::selector::selected_name(self.get("fieldSelector")?)
    }

    pub(crate) fn dry_run(&self) -> Result<bool, Failure> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => Err(Failure::bad_request(format!("invalid dryRun value {other:?}: the only supported value is \"All\""))),
        }
    }

    pub(crate) fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds = self.number("timeoutSeconds")?;
        Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let number = text.parse().map_err(|_| Failure::bad_request(format!("invalid {key}: {text:?} is no number")))?;
        Ok(Some(number))
    }
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
        let Target { group, version, resource, namespace, name, subresource } = &target;
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
        assert_eq!(Target::parse("/apis/x.io"), None);
        assert_eq!(Target::parse("/apis/x.io/v1"), None);
        assert_eq!(Target::parse("/metrics"), None);
    }

    #[test]
    fn queries() {
        let query = Query::parse("labelSelector=a%3Db%2Cc+in+%28d%29&watch=true&limit=5&x");
        assert_eq!(query.get("labelSelector"), Some("a=b,c in (d)"));
        assert!(query.is_true("watch"));
        assert_eq!(query.number("limit").ok(), Some(Some(5)));
        assert_eq!(query.get("x"), None);
    }
}
