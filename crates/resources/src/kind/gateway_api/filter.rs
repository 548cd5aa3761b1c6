//! Filters of an HTTPRoute, of its rules and of its backends.

use super::{BackendRef, Reference, number};
use crate::at::{At, Problems};
use model::{Percent, Scheme, Text};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpFilter {
    /// Place in the object's list.
    pub index: usize,
    pub kind: HttpFilterKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFilterKind {
    RequestHeader(HeaderModifier),
    ResponseHeader(HeaderModifier),
    Mirror {
        backend: Box<BackendRef>,
        percent: Percent,
    },
    Redirect(RedirectFilter),
    Rewrite {
        host: Option<Text>,
        path: Option<NewPath>,
    },
    Cors(CorsFilter),
    /// Something of somebody else's.
    Extension(Reference),
    /// A type that is not known here.
    Unknown(Text),
    /// The object has a problem that says why.
    Unreadable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderModifier {
    /// Name and value, as written.
    pub set: Vec<(Text, Text)>,
    pub add: Vec<(Text, Text)>,
    pub remove: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectFilter {
    pub scheme: Option<Scheme>,
    pub host: Option<Text>,
    pub path: Option<NewPath>,
    pub port: Option<u16>,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPath {
    Full(Text),
    /// In place of the prefix that matched.
    Prefix(Text),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsFilter {
    pub origins: Vec<Text>,
    pub methods: Vec<Text>,
    pub headers: Vec<Text>,
    pub expose: Vec<Text>,
    pub credentials: bool,
    /// Seconds.
    pub max_age: u32,
}

// === impl HttpFilter ===

impl HttpFilter {
    /// A filter that cannot be read stays as such: what it guards must not open.
    pub(crate) fn read(own: &Text, index: usize, at: &At<'_>, problems: &mut Problems) -> Self {
        let before = problems.len();
        let kind = HttpFilterKind::read(own, at, problems);
        match kind {
            // A mirror's backend that cannot be read is a backend that is not there.
            Some(kind) if problems.len() == before || matches!(kind, HttpFilterKind::Mirror { .. }) => Self { index, kind },
            _ => Self { index, ..Self::unreadable() },
        }
    }

    pub(crate) fn unreadable() -> Self {
        Self { index: 0, kind: HttpFilterKind::Unreadable }
    }

    pub fn mirror(&self) -> Option<&BackendRef> {
        match &self.kind {
            HttpFilterKind::Mirror { backend, .. } => Some(backend),
            _ => None,
        }
    }
}

// === impl HttpFilterKind ===

impl HttpFilterKind {
    fn read(own: &Text, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let kind = at.text("type", problems);
        let kind = at.expected(kind, "a filter with a type", problems)?;
        let field = match &*kind {
            "RequestHeaderModifier" => "requestHeaderModifier",
            "ResponseHeaderModifier" => "responseHeaderModifier",
            "RequestMirror" => "requestMirror",
            "RequestRedirect" => "requestRedirect",
            "URLRewrite" => "urlRewrite",
            "CORS" => "cors",
            "ExtensionRef" => "extensionRef",
            _ => return Some(Self::Unknown(kind)),
        };
        let inner = at.field(field);
        let inner = at.expected(inner, &format!("a filter of type {kind} with its field {field}"), problems)?;
        inner.expected(inner.value.as_object(), "a mapping", problems)?;
        match field {
            "requestHeaderModifier" => Some(Self::RequestHeader(HeaderModifier::read(&inner, problems))),
            "responseHeaderModifier" => Some(Self::ResponseHeader(HeaderModifier::read(&inner, problems))),
            "requestMirror" => mirror(own, &inner, problems),
            "requestRedirect" => RedirectFilter::read(&inner, problems).map(Self::Redirect),
            "urlRewrite" => Some(Self::Rewrite { host: inner.text("hostname", problems), path: NewPath::field(&inner, problems) }),
            "cors" => Some(Self::Cors(CorsFilter::read(&inner, problems))),
            _ => Reference::read(own, 0, &inner, ("", ""), problems).map(Self::Extension),
        }
    }
}

fn mirror(own: &Text, at: &At<'_>, problems: &mut Problems) -> Option<HttpFilterKind> {
    let backend = at.field("backendRef");
    let backend = at.expected(backend, "a mirror with a backendRef", problems)?;
    let backend = Box::new(BackendRef::read(own, 0, &backend, problems));
    let percent = match (at.field("percent"), at.field("fraction")) {
        (Some(_), _) => Percent(number(at, "percent", 100, problems)? * 10_000),
        (None, Some(fraction)) => {
            let whole = if fraction.field("denominator").is_some() { number(&fraction, "denominator", u32::MAX, problems)? } else { 100 };
            let part = number(&fraction, "numerator", whole, problems)?;
            let millionths = (u64::from(part) * 1_000_000).checked_div(u64::from(whole));
            let millionths = millionths.and_then(|it| u32::try_from(it).ok());
            Percent(fraction.expected(millionths, "a fraction of something", problems)?)
        }
        (None, None) => Percent::ALL,
    };
    Some(HttpFilterKind::Mirror { backend, percent })
}

// === impl HeaderModifier ===

impl HeaderModifier {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let pairs = |field: &str, problems: &mut Problems| {
            let mut pairs = Vec::new();
            at.list(field, problems, |_, at, problems| {
                let (name, value) = (at.text("name", problems), at.text("value", problems));
                pairs.extend(at.expected(name.zip(value), "a header with name and value", problems));
            });
            pairs
        };
        Self { set: pairs("set", problems), add: pairs("add", problems), remove: texts(at, "remove", problems) }
    }
}

fn texts(at: &At<'_>, field: &str, problems: &mut Problems) -> Vec<Text> {
    let mut texts = Vec::new();
    at.list(field, problems, |_, at, problems| texts.extend(at.expected(at.value.as_str().map(Text::from), "a string", problems)));
    texts
}

// === impl RedirectFilter ===

impl RedirectFilter {
    fn read(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let scheme = match at.field("scheme") {
            None => None,
            Some(at) => {
                let scheme = match at.value.as_str() {
                    Some("http") => Some(Scheme::Http),
                    Some("https") => Some(Scheme::Https),
                    _ => None,
                };
                Some(at.expected(scheme, "http or https", problems)?)
            }
        };
        let status = match at.field("statusCode") {
            None => 302,
            Some(at) => {
                let status = at.value.as_u64().filter(|status| [301, 302, 303, 307, 308].contains(status));
                at.expected(status.and_then(|it| u16::try_from(it).ok()), "301, 302, 303, 307 or 308", problems)?
            }
        };
        let (host, path) = (at.text("hostname", problems), NewPath::field(at, problems));
        Some(Self { scheme, host, path, port: at.port("port", problems), status })
    }
}

// === impl NewPath ===

impl NewPath {
    fn field(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let at = at.field("path")?;
        let kind = at.text("type", problems);
        let path = match kind.as_deref() {
            Some("ReplaceFullPath") => Some(Self::Full(at.text("replaceFullPath", problems).unwrap_or_default())),
            Some("ReplacePrefixMatch") => Some(Self::Prefix(at.text("replacePrefixMatch", problems).unwrap_or_default())),
            _ => None,
        };
        at.expected(path, "a path of type ReplaceFullPath or ReplacePrefixMatch", problems)
    }
}

// === impl CorsFilter ===

impl CorsFilter {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let max_age = if at.field("maxAge").is_some() { number(at, "maxAge", i32::MAX.unsigned_abs(), problems).unwrap_or(5) } else { 5 };
        Self {
            origins: texts(at, "allowOrigins", problems),
            methods: texts(at, "allowMethods", problems),
            headers: texts(at, "allowHeaders", problems),
            expose: texts(at, "exposeHeaders", problems),
            credentials: at.flag("allowCredentials", problems).unwrap_or(false),
            max_age,
        }
    }
}
