//! What somebody tries to do, as rules speak of it.

use http::Method;

use crate::request::{Query, Target};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) verb: String,
    pub(crate) on: On,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Resource {
        group: String,
        version: String,
        resource: String,
        subresource: String,
        /// Empty at the cluster's scope.
        namespace: String,
        /// Empty for a collection.
        name: String,
    },
    Path(String),
}

// === impl Attempt ===

impl Attempt {
    /// What a request tries. `target` is `None` where the path is no resource's.
    pub(crate) fn of(method: &Method, path: &str, target: Option<&Target>, query: &Query) -> Self {
        let Some(target) = target else {
            return Self { verb: method.as_str().to_ascii_lowercase(), on: On::Path(path.to_owned()) };
        };
        let collection = target.name.is_empty();
        let verb = match *method {
            Method::GET | Method::HEAD if collection && query.is_true("watch") => "watch",
            Method::GET | Method::HEAD if collection => "list",
            Method::GET | Method::HEAD => "get",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if collection => "deletecollection",
            Method::DELETE => "delete",
            _ => "",
        };
        // Who may see one object by its name may also list or watch it alone.
        let selected = if matches!(verb, "list" | "watch") { query.selected_name() } else { None };
        Self::at(verb, target, selected)
    }

    /// A verb on a target, or on the object of another name.
    pub(crate) fn at(verb: &str, target: &Target, other: Option<String>) -> Self {
        let Target { group, version, resource, namespace, name, subresource, .. } = target.clone();
        // A namespace is in itself: its own roles speak of it.
        let namespace = if resource == "namespaces" && group.is_empty() { name.clone() } else { namespace };
        let name = other.unwrap_or(name);
        Self { verb: verb.into(), on: On::Resource { group, version, resource, subresource, namespace, name } }
    }

    /// A verb on one object, without a version.
    pub(crate) fn on(verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let [group, resource, namespace, name] = [group, resource, namespace, name].map(str::to_owned);
        let on = On::Resource { group, version: String::new(), resource, subresource: String::new(), namespace, name };
        Self { verb: verb.into(), on }
    }

    pub(crate) fn namespace(&self) -> &str {
        match &self.on {
            On::Resource { namespace, .. } => namespace,
            On::Path(_) => "",
        }
    }

    /// The group, the resource and the name that a refusal is about; empty for a path.
    pub(crate) fn about(&self) -> (&str, &str, &str) {
        match &self.on {
            On::Resource { group, resource, name, .. } => (group, resource, name),
            On::Path(_) => ("", "", ""),
        }
    }

    /// That `user` may not, in Kubernetes' words.
    pub(crate) fn refusal(&self, user: &str) -> String {
        let verb = &self.verb;
        match &self.on {
            On::Path(path) => format!("User {user:?} cannot {verb} path {path:?}"),
            On::Resource { group, resource, subresource, namespace, .. } => {
                let slash = if subresource.is_empty() { "" } else { "/" };
                let place = if namespace.is_empty() { "at the cluster scope".into() } else { format!("in the namespace {namespace:?}") };
                format!("User {user:?} cannot {verb} resource \"{resource}{slash}{subresource}\" in API group {group:?} {place}")
            }
        }
    }

    /// `get pods/log`, `get pods.apps in shop`, `get secrets a`, `get /healthz`: tests write attempts so.
    #[cfg(test)]
    pub(crate) fn read(text: &str) -> Self {
        let (text, namespace) = text.split_once(" in ").unwrap_or((text, ""));
        let mut words = text.split(' ');
        let (verb, what, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
        if what.starts_with('/') {
            return Self { verb: verb.into(), on: On::Path(what.into()) };
        }
        let (what, subresource) = what.split_once('/').unwrap_or((what, ""));
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        let mut attempt = Self::on(verb, group, resource, namespace, name);
        if let On::Resource { subresource: own, .. } = &mut attempt.on {
            *own = subresource.into();
        }
        attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, path: &str, query: &str, expect: &str) {
        let attempt = Attempt::of(&method, path, Target::parse(path).as_ref(), &Query::parse(query));
        assert_eq!(without_version(attempt), Attempt::read(expect), "{method} {path}?{query}");
    }

    fn without_version(mut attempt: Attempt) -> Attempt {
        if let On::Resource { version, .. } = &mut attempt.on {
            version.clear();
        }
        attempt
    }

    #[test]
    fn requests_become_verbs_on_resources() {
        for (method, path, query, expect) in [
            (Method::GET, "/api/v1/namespaces/a/pods", "", "list pods in a"),
            (Method::HEAD, "/api/v1/namespaces/a/pods", "watch=1", "watch pods in a"),
            (Method::GET, "/api/v1/pods", "watch=false", "list pods"),
            (Method::GET, "/api/v1/namespaces/a/pods/b", "watch=true", "get pods b in a"),
            (Method::GET, "/api/v1/namespaces/a/pods/b/log", "", "get pods/log b in a"),
            (Method::POST, "/api/v1/namespaces/a/serviceaccounts/b/token", "", "create serviceaccounts/token b in a"),
            (Method::PUT, "/apis/apps/v1/namespaces/a/deployments/b/scale", "", "update deployments.apps/scale b in a"),
            (Method::PATCH, "/api/v1/nodes/n/status", "", "patch nodes/status n"),
            (Method::DELETE, "/api/v1/namespaces/a/pods/b", "", "delete pods b in a"),
            (Method::DELETE, "/api/v1/namespaces/a/pods", "fieldSelector=metadata.name%3Db", "deletecollection pods in a"),
            (Method::GET, "/api/v1/namespaces/a/secrets", "fieldSelector=metadata.name%3Db", "list secrets b in a"),
            (Method::GET, "/api/v1/namespaces/a/secrets", "fieldSelector=metadata.name!%3Db", "list secrets in a"),
            (Method::GET, "/api/v1/namespaces/a/secrets", "fieldSelector=type%3Dx,metadata.name%3D%3Db&watch=1", "watch secrets b in a"),
            (Method::GET, "/api/v1/namespaces/a", "", "get namespaces a in a"),
            (Method::PUT, "/api/v1/namespaces/a/finalize", "", "update namespaces/finalize a in a"),
            (Method::GET, "/api/v1/namespaces", "", "list namespaces"),
            (Method::GET, "/apis/apps/v1", "", "get /apis/apps/v1"),
            (Method::HEAD, "/openapi/v3", "", "head /openapi/v3"),
            (Method::POST, "/", "", "post /"),
        ] {
            check(method, path, query, expect);
        }
    }

    #[test]
    fn refusals_read_as_kubernetes_writes_them() {
        for (attempt, expect) in [
            ("list pods", r#"User "x" cannot list resource "pods" in API group "" at the cluster scope"#),
            ("get pods.apps/log b in a", r#"User "x" cannot get resource "pods/log" in API group "apps" in the namespace "a""#),
            ("get /metrics", r#"User "x" cannot get path "/metrics""#),
        ] {
            assert_eq!(Attempt::read(attempt).refusal("x"), expect);
        }
    }
}
