//! Streams of the API whose right is asked for again and again: a cluster's own API goes on telling who may no longer look.
//!
//! **Invariant:** a stream that outlasts a right does so for less than five seconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::LOOKS;
use crate::path;
use crate::relay::Relay;
use crate::rights::{Deed, Rights};
use crate::session::Session;

/// The API's answer is waited for so long; without one the stream ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a stream is about, and whose it is.
pub(crate) struct Watched {
    deed: Deed,
    session: Arc<Session>,
    relay: Relay,
    rights: Rights,
    next: Instant,
}

// === impl Watched ===

impl Watched {
    pub(crate) fn new(deed: Deed, session: Arc<Session>, relay: Relay, rights: Rights) -> Self {
        Self { deed, session, relay, rights, next: Instant::now() + LOOKS }
    }

    /// When it is to be asked again.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Whether they still may.
    pub(crate) async fn stands(&mut self) -> bool {
        let asked = self.rights.allow(&self.relay, &self.session.account, &self.deed);
        let allowed = tokio::time::timeout(PATIENCE, asked).await;
        self.next = Instant::now() + LOOKS;
        matches!(allowed, Ok(Ok(true)))
    }
}

/// What a stream of the API is about; `None`: its path does not say.
pub(crate) fn deed(path: &str, query: Option<&str>) -> Option<Deed> {
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    let group = match *parts.first()? {
        "api" => {
            parts.drain(..parts.len().min(2));
            ""
        }
        "apis" => {
            let group = *parts.get(1)?;
            parts.drain(..parts.len().min(3));
            group
        }
        _ => return None,
    };
    let old = parts.first() == Some(&"watch");
    if old {
        parts.remove(0);
    }
    let namespace = match parts.as_slice() {
        ["namespaces", namespace, _, ..] => {
            let namespace = *namespace;
            parts.drain(..2);
            namespace
        }
        _ => "",
    };
    let (resource, name, subresource) = match parts.as_slice() {
        [resource] => (*resource, "", ""),
        [resource, name] => (*resource, *name, ""),
        [resource, name, subresource] => (*resource, *name, *subresource),
        _ => return None,
    };
    let said = |name: &str| path::query(query, name);
    // As the API reads it: an empty value is yes, too.
    let watches = old || said("watch").is_some_and(|it| !matches!(it.as_str(), "false" | "0"));
    let one = said("fieldSelector").and_then(|it| it.strip_prefix("metadata.name=").filter(|it| !it.contains(',')).map(str::to_owned));
    let name = if name.is_empty() { one.unwrap_or_default() } else { name.to_owned() };
    let verb = if watches { "watch" } else { "get" };
    (!resource.is_empty()).then(|| Deed { subresource: subresource.to_owned(), ..Deed::new(verb, group, resource, namespace, &name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, query: &str, expect: Option<[&str; 6]>) {
        let found = deed(path, Some(query));
        let shown = found.as_ref().map(|it| [it.verb, &it.group, &it.resource, &it.namespace, &it.name, &it.subresource]);
        assert_eq!(shown, expect, "{path}?{query}");
    }

    #[test]
    fn a_path_says_what_is_watched() {
        check("/api/v1/namespaces/shop/services", "watch=1", Some(["watch", "", "services", "shop", "", ""]));
        check("/api/v1/namespaces", "watch=true", Some(["watch", "", "namespaces", "", "", ""]));
        check("/apis/networking.k8s.io/v1/ingresses", "watch=1", Some(["watch", "networking.k8s.io", "ingresses", "", "", ""]));
        check(
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses",
            "watch=1&fieldSelector=metadata.name%3Dweb",
            Some(["watch", "networking.k8s.io", "ingresses", "shop", "web", ""]),
        );
        check("/api/v1/pods", "watch=", Some(["watch", "", "pods", "", "", ""]));
        check("/api/v1/watch/namespaces/shop/pods", "", Some(["watch", "", "pods", "shop", "", ""]));
        check("/api/v1/namespaces/shop/pods/web/log", "follow=true", Some(["get", "", "pods", "shop", "web", "log"]));
        for nonsense in ["/version", "/api", "/api/v1", "/apis/a/v1", "/apis/a/v1/namespaces/shop/pods/web/log/more"] {
            check(nonsense, "watch=1", None);
        }
    }
}
