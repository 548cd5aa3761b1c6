//! Which images there is something for, and what a container of one does.

use serde_json::Value;

/// What answers in the place of a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sample {
    Httpbin,
    Hello {
        version: String,
    },
    TcpEcho {
        /// The word before each line.
        prefix: String,
        ports: Vec<u16>,
    },
}

/// Registries whose name an image may have or not.
const REGISTRIES: [&str; 4] = ["docker.io/", "index.docker.io/", "registry-1.docker.io/", "ghcr.io/"];

/// Whether a container of this image is stood in for, whatever its tag.
pub fn stands_in(image: &str) -> bool {
    Image::of(image).is_some()
}

/// What stands in for a container, as it is in a Pod's template.
pub fn sample(container: &Value) -> Option<Sample> {
    let image = Image::of(container.get("image")?.as_str()?)?;
    Some(match image {
        Image::Httpbin => Sample::Httpbin,
        Image::Hello(version) => {
            let version = variable(container, "SERVICE_VERSION").filter(|it| !it.is_empty()).unwrap_or(version);
            Sample::Hello { version: version.to_owned() }
        }
        Image::TcpEcho => tcp_echo(container),
    })
}

#[derive(Clone, Copy)]
enum Image {
    Httpbin,
    Hello(&'static str),
    TcpEcho,
}

// === impl Image ===

impl Image {
    fn of(image: &str) -> Option<Self> {
        match repository(image) {
            "mccutchen/go-httpbin" | "kong/httpbin" | "kennethreitz/httpbin" | "postmanlabs/httpbin" => Some(Self::Httpbin),
            "istio/examples-helloworld-v1" => Some(Self::Hello("v1")),
            "istio/examples-helloworld-v2" => Some(Self::Hello("v2")),
            "istio/tcp-echo-server" => Some(Self::TcpEcho),
            _ => None,
        }
    }
}

/// An image's name without registry, tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let image = match image.rsplit_once(':') {
        // Otherwise it is a registry's port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    REGISTRIES.iter().find_map(|it| image.strip_prefix(it)).unwrap_or(image)
}

fn list<'a>(container: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    container.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    list(container, "env").find(|it| it.get("name").is_some_and(|it| it == name))?.get("value")?.as_str()
}

/// Its arguments are ports with commas between, and the word.
fn tcp_echo(container: &Value) -> Sample {
    let words: Vec<&str> = list(container, "command").chain(list(container, "args")).filter_map(Value::as_str).collect();
    let ports = |word: &str| word.split(',').map(|it| it.trim().parse::<u16>().ok().filter(|it| *it > 0)).collect::<Option<Vec<u16>>>();
    let found = words.iter().enumerate().find_map(|(place, word)| Some((place, ports(word)?)));
    let prefix = found.as_ref().and_then(|(place, _)| words.get(place + 1)).copied().unwrap_or("hello");
    let ports = found.map_or_else(|| vec![9000, 9001, 9002], |(_, ports)| ports);
    Sample::TcpEcho { prefix: prefix.to_owned(), ports }
}

// === impl Sample ===

impl Sample {
    /// The ports at which a container of it listens without being told.
    pub fn ports(&self) -> &[u16] {
        match self {
            Self::Httpbin => &[80, 8080],
            Self::Hello { .. } => &[5000],
            Self::TcpEcho { ports, .. } => ports,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_are_known_under_their_usual_names() {
        for known in [
            "docker.io/mccutchen/go-httpbin:v2.15.0",
            "mccutchen/go-httpbin",
            "ghcr.io/mccutchen/go-httpbin:2.18",
            "kong/httpbin",
            "docker.io/kong/httpbin:0.1.0",
            "kennethreitz/httpbin",
            "docker.io/kennethreitz/httpbin@sha256:b5d6b1c4f0b8c0ac3c2e3f1b2f6a7a0e0d7d7fd1b2f64d6a3f5ac4fb2b4f2f5a",
            "postmanlabs/httpbin:latest",
            "istio/examples-helloworld-v1:1.0",
            "docker.io/istio/examples-helloworld-v2",
            "docker.io/istio/tcp-echo-server:1.3@sha256:00",
        ] {
            assert!(stands_in(known), "{known}");
        }
        for unknown in [
            "",
            ":",
            "nginx",
            "docker.io/library/httpbin",
            "localhost:5000/kong/httpbin",
            "example.com/kong/httpbin:1",
            "kong/httpbin2",
            "istio/examples-helloworld-v3",
        ] {
            assert!(!stands_in(unknown), "{unknown}");
        }
    }

    fn check(container: Value, expect: Sample) {
        assert_eq!(sample(&container), Some(expect), "{container}");
    }

    #[test]
    fn arguments_are_followed() {
        let echo = |prefix: &str, ports: &[u16]| Sample::TcpEcho { prefix: prefix.into(), ports: ports.into() };
        let image = "docker.io/istio/tcp-echo-server:1.3";
        check(json!({ "image": image, "args": ["9000,9001,9002", "one"] }), echo("one", &[9000, 9001, 9002]));
        check(json!({ "image": image, "command": ["/bin/tcp-echo-server"], "args": ["9100", "two"] }), echo("two", &[9100]));
        check(json!({ "image": image, "command": ["/bin/tcp-echo-server", "9000, 9001", "three"] }), echo("three", &[9000, 9001]));
        check(json!({ "image": image, "args": ["x", 7, "0"] }), echo("hello", &[9000, 9001, 9002]));
        check(json!({ "image": image }), echo("hello", &[9000, 9001, 9002]));
        let hello = |version: &str| Sample::Hello { version: version.into() };
        check(json!({ "image": "istio/examples-helloworld-v2" }), hello("v2"));
        check(json!({ "image": "istio/examples-helloworld-v2", "env": [{ "name": "SERVICE_VERSION", "value": "v3" }] }), hello("v3"));
    }
}
