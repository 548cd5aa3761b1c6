//! Objects that an explanation is made of: those that who asks for it may see, read with their own right.
//!
//! **Invariant:** nothing of an object gets into an explanation that who asks for it may not list.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use http::Method;
use serde_json::Value;

use crate::app::App;
use crate::cluster::Listed;
use crate::reply::Refusal;
use crate::session::Session;

/// Objects in one answer of the API.
const PAGE: usize = 100;
/// Of all kinds together; what is more is not seen.
const MOST: usize = 50_000;
/// What they may weigh, together.
const OCTETS: usize = 256 << 20;
/// Kinds that are listed at a time.
const AT_ONCE: usize = 6;

/// Objects, and whether they are all that there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    pub objects: Vec<Value>,
    pub is_whole: bool,
}

/// What listing came to.
enum Came {
    Objects(Vec<Value>),
    /// The API does not know the kind.
    Unknown,
    Forbidden,
}

/// All objects of these kinds, and where somebody may not list them all, those of these namespaces.
///
/// # Errors
/// When the API does not answer.
pub(crate) async fn gather(app: &App, session: &Session, kinds: &[Listed], namespaces: &BTreeSet<String>) -> Result<Gathered, Refusal> {
    let room = AtomicUsize::new(OCTETS);
    let asking = Asking { app, session, room: &room };
    let listing: Vec<BoxFuture<'_, _>> = kinds.iter().map(|kind| of_kind(asking, kind, namespaces).boxed()).collect();
    let all: Vec<Result<Gathered, Refusal>> = futures::stream::iter(listing).buffered(AT_ONCE).collect().await;
    let mut gathered = Gathered { objects: Vec::new(), is_whole: true };
    for of_kind in all {
        let of_kind = of_kind?;
        gathered.is_whole &= of_kind.is_whole;
        gathered.objects.extend(of_kind.objects);
    }
    if room.load(Ordering::Relaxed) == 0 {
        gathered.is_whole = false;
    }
    if gathered.objects.len() > MOST {
        gathered.objects.truncate(MOST);
        gathered.is_whole = false;
    }
    Ok(gathered)
}

/// Who asks, and how much more may come.
#[derive(Clone, Copy)]
struct Asking<'a> {
    app: &'a App,
    session: &'a Session,
    room: &'a AtomicUsize,
}

async fn of_kind(asking: Asking<'_>, kind: &Listed, namespaces: &BTreeSet<String>) -> Result<Gathered, Refusal> {
    match list(asking, kind, None).await? {
        Came::Objects(objects) => return Ok(Gathered { is_whole: objects.len() <= MOST, objects }),
        Came::Unknown => return Ok(Gathered { objects: Vec::new(), is_whole: true }),
        Came::Forbidden => {}
    }
    let mut objects = Vec::new();
    for namespace in namespaces {
        match (kind.is_namespaced, kind.plural) {
            (true, _) => {
                if let Came::Objects(found) = list(asking, kind, Some(namespace)).await? {
                    objects.extend(found);
                }
            }
            (false, "namespaces") => {
                let found = asking.app.relay.read(&asking.session.account, &format!("/api/v1/namespaces/{namespace}")).await;
                objects.extend(found.map(|it| whole(it, kind, "v1")));
            }
            (false, _) => {}
        }
    }
    Ok(Gathered { objects, is_whole: false })
}

/// In the first version that the API has.
async fn list(asking: Asking<'_>, kind: &Listed, namespace: Option<&str>) -> Result<Came, Refusal> {
    for version in kind.versions {
        match list_version(asking, (kind, version), namespace).await? {
            Came::Unknown => {}
            came => return Ok(came),
        }
    }
    Ok(Came::Unknown)
}

async fn list_version(
    Asking { app, session, room }: Asking<'_>,
    (kind, version): (&Listed, &str),
    namespace: Option<&str>,
) -> Result<Came, Refusal> {
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let place = namespace.map(|it| format!("/namespaces/{it}")).unwrap_or_default();
    let (mut objects, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{root}/{version}{place}/{}?limit={PAGE}&continue={}", kind.plural, escaped(&token));
        let (code, mut said) = app.relay.ask(&session.account, Method::GET, &path, None).await?;
        match code {
            200 => {}
            404 => return Ok(Came::Unknown),
            403 => return Ok(Came::Forbidden),
            401 => return Err(Refusal::not_signed_in()),
            _ => return Err(Refusal::unreachable()),
        }
        let items = said["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        for item in items {
            let item = whole(item, kind, version);
            let weight = weight(&item);
            if room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(weight)).is_err() {
                room.store(0, Ordering::Relaxed);
                return Ok(Came::Objects(objects));
            }
            objects.push(item);
        }
        match said["metadata"]["continue"].as_str() {
            Some(more) if !more.is_empty() && objects.len() <= MOST => token = more.to_owned(),
            _ => return Ok(Came::Objects(objects)),
        }
    }
}

/// About so many octets of memory.
fn weight(value: &Value) -> usize {
    let own = size_of::<Value>();
    own + match value {
        Value::String(text) => text.len(),
        Value::Array(all) => all.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(name, it)| name.len() + own + weight(it)).sum(),
        _ => 0,
    }
}

/// In a list they do not say what they are. Who wrote which field is nobody's business here, and is much.
fn whole(mut object: Value, kind: &Listed, version: &str) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object["apiVersion"] = version.into();
    object["kind"] = kind.kind.into();
    object
}

/// As a value of a query.
fn escaped(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|it| if plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_large_weighs_much() {
        let small = serde_json::json!({ "a": ["b", 1, null] });
        let large = serde_json::json!({ "a": ["b".repeat(1 << 20), 1, null] });
        assert!(super::weight(&small) < 1024);
        assert!((1 << 20..1 << 21).contains(&super::weight(&large)));
    }

    #[test]
    fn a_token_goes_on_as_it_is() {
        assert_eq!(super::escaped("aB9-_.~"), "aB9-_.~");
        assert_eq!(super::escaped("a+b=&/?%é"), "a%2Bb%3D%26%2F%3F%25%C3%A9");
    }
}
