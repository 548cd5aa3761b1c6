//! What a person sees while it runs: where things are, and each problem as it comes and goes.

use crate::people::Person;
use cli::text::{Paint, Style, safe, table};
use control::{GatewayPicture, Picture, Plan};
use model::ObjectRef;
use status::{Said, Severity};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;

/// Problems shown at once: a terminal is no place for a thousand.
const AT_ONCE: usize = 40;

/// Prints differences. It is talk, so it goes to standard error.
pub struct Screen {
    paint: Paint,
    shown: Picture,
    /// Printed once, after the first picture.
    then: Option<String>,
}

// === impl Screen ===

impl Screen {
    pub fn new(paint: Paint) -> Self {
        Self { paint, shown: Picture::default(), then: None }
    }

    pub fn paint(&self) -> Paint {
        self.paint
    }

    pub fn after_first(&mut self, text: String) {
        if self.shown.ready {
            self.write(&text);
        } else {
            self.then = Some(text);
        }
    }

    pub fn show(&mut self, picture: &Picture) {
        let text = self.difference(picture);
        self.shown = picture.clone();
        self.write(&text);
        if let Some(then) = picture.ready.then(|| self.then.take()).flatten() {
            self.write(&then);
        }
    }

    pub fn write(&self, text: &str) {
        // Nobody is left to tell when standard error is closed.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    fn difference(&self, picture: &Picture) -> String {
        let mut out = String::new();
        out.extend(picture.gateways.iter().filter(|it| !self.shown.gateways.contains(*it)).map(|it| gateway(it, self.paint)));
        let gone = self.shown.gateways.iter().filter(|it| picture.gateways.iter().all(|now| now.id != it.id));
        out.extend(gone.map(|it| closed(&it.id, self.paint)));
        let (none, mut lines) = (BTreeSet::new(), Vec::new());
        for (object, problems) in &picture.problems {
            let before = self.shown.problems.get(object).unwrap_or(&none);
            lines.extend(problems.difference(before).map(|it| problem(object, it, self.paint)));
        }
        for (object, problems) in &self.shown.problems {
            let now = picture.problems.get(object).unwrap_or(&none);
            lines.extend(problems.difference(now).map(|it| mended(object, it, self.paint)));
        }
        let more = lines.len().saturating_sub(AT_ONCE);
        out.extend(lines.into_iter().take(AT_ONCE));
        if more > 0 {
            out.push_str(&format!("\n  … and {more} more; `kubectl get events -A` has them all\n"));
        }
        out
    }
}

/// Where the API is and how to use it.
pub fn head(url: &str, kubeconfig: Option<&str>, admin: Option<SocketAddr>, paint: Paint) -> String {
    let mut rows = vec![vec![paint.paint(Style::Bold, "api"), url.to_owned()]];
    rows.extend(kubeconfig.map(|it| vec![String::new(), format!("export KUBECONFIG={}", quoted(it))]));
    rows.extend(admin.map(|it| vec![paint.paint(Style::Bold, "metrics"), format!("http://{it}/metrics")]));
    format!("{} {}\n\n{}", paint.paint(Style::Bold, "paifang"), env!("CARGO_PKG_VERSION"), indented(&table(None, &rows)))
}

/// Where names are answered, and the line that makes this machine's resolver ask there; nothing where they are not.
pub fn names(sockets: &[SocketAddr], line: impl Fn(SocketAddr) -> String, paint: Paint) -> String {
    // One that this machine reaches whatever happens to its network.
    let Some(nearest) = sockets.iter().find(|it| it.ip().is_loopback()).or_else(|| sockets.first()) else { return String::new() };
    let shown: Vec<String> = sockets.iter().map(SocketAddr::to_string).collect();
    // As wide as the words of the head.
    let rows = [vec![paint.paint(Style::Bold, "names  "), shown.join("   ")], vec![String::new(), line(*nearest)]];
    indented(&table(None, &rows))
}

/// Where the console is; `authority`: what a browser has to trust.
pub fn console(url: &str, authority: Option<&str>, paint: Paint) -> String {
    let mut rows = vec![vec![paint.paint(Style::Bold, "console"), url.to_owned()]];
    rows.push(vec![String::new(), "sign in with a user's name and password".to_owned()]);
    rows.extend(authority.map(|it| vec![String::new(), format!("a browser trusts it that knows {}", quoted(it))]));
    indented(&table(None, &rows))
}

/// The same where it is alone in front of a cluster. `made_up`: nobody but itself has signed its certificate.
pub fn console_alone(url: &str, made_up: bool, paint: Paint) -> String {
    let mut rows = vec![vec![paint.paint(Style::Bold, "console"), url.to_owned()]];
    rows.push(vec![String::new(), "sign in with a token that the cluster takes: kubectl create token NAME".to_owned()]);
    if made_up {
        rows.push(vec![
            String::new(),
            "its certificate was made just now, and no browser trusts it: --console-certificate names yours".to_owned(),
        ]);
    }
    indented(&table(None, &rows))
}

/// Why there is none.
pub fn no_console(why: &str, paint: Paint) -> String {
    indented(&table(None, &[vec![paint.paint(Style::Warning, "console"), safe(why)]]))
}

/// How somebody can log in. It cannot be shown again.
pub fn first_login(first: &apiserver::OneTime, paint: Paint) -> String {
    let rows = [
        vec![paint.paint(Style::Bold, "login"), format!("user {}, password {}", first.user, first.password.open())],
        vec![String::new(), "shown this once; the first login chooses another".to_owned()],
    ];
    format!("\n{}", indented(&table(None, &rows)))
}

fn gateway(gateway: &GatewayPicture, paint: Paint) -> String {
    let mut rows = vec![vec![paint.paint(Style::Bold, "gateway"), gateway.id.to_string()]];
    let shown = |it: &control::SocketPicture| match &it.fault {
        None => it.address.to_string(),
        Some(fault) => format!("{} {}", it.address, paint.paint(Style::Error, &format!("({})", safe(fault)))),
    };
    let mut names: Vec<&str> = Vec::new();
    for socket in &gateway.sockets {
        if !names.contains(&socket.listener.as_str()) {
            names.push(&socket.listener);
        }
    }
    for name in names {
        let sockets: Vec<String> = gateway.sockets.iter().filter(|it| it.listener == name).map(shown).collect();
        rows.push(vec![String::new(), format!("{:<5}  {}", safe(name), sockets.join("   "))]);
    }
    if !gateway.others.is_empty() {
        rows.push(vec![String::new(), format!("shown as {}", safe(&gateway.others.join(", ")))]);
    }
    if let Some(waiting) = &gateway.waiting {
        rows.push(vec![String::new(), paint.paint(Style::Warning, &format!("no LoadBalancer address: {waiting}"))]);
    }
    format!("\n{}", indented(&table(None, &rows)))
}

/// A gateway that is no longer there.
fn closed(id: &model::GatewayId, paint: Paint) -> String {
    format!("\n  {}  gateway {}\n", paint.paint(Style::Good, "gone   "), safe(id.as_str()))
}

fn problem(object: &ObjectRef, said: &Said, paint: Paint) -> String {
    let (style, word) = match said.severity {
        Severity::Warning => (Style::Warning, "problem"),
        Severity::Normal => (Style::Note, "note"),
    };
    let field = if said.field.is_empty() { String::new() } else { format!("{}: ", safe(&said.field)) };
    let hint = said.hint.as_ref().map(|it| format!("\n           hint: {}", safe(it))).unwrap_or_default();
    let head = paint.paint(style, &format!("{word:<7}"));
    format!("\n  {head}  {} {}\n           {field}{}{hint}\n", name(object), said.reason, safe(&said.message))
}

fn mended(object: &ObjectRef, said: &Said, paint: Paint) -> String {
    format!("\n  {}  {} {}\n", paint.paint(Style::Good, "gone   "), name(object), said.reason)
}

/// Where the sample backends are.
pub fn demo(demo: &demo::Running, paint: Paint) -> String {
    let row = |word: &str, name: &str, url: String| {
        vec![if word.is_empty() { String::new() } else { paint.paint(Style::Bold, word) }, name.to_owned(), url]
    };
    let rows = [
        row("demo", "httpbin", format!("http://{}", demo.httpbin)),
        row("", "hello v1", format!("http://{}", demo.hello_v1)),
        row("", "hello v2", format!("http://{}", demo.hello_v2)),
        row("", "echo", format!("http://{}, ws://{}/ws", demo.echo, demo.echo)),
        row("", "gRPC", format!("grpc://{}", demo.grpc)),
        row("", "TCP", format!("tcp://{}", demo.tcp)),
        row("", "UDP", format!("udp://{}", demo.udp)),
    ];
    format!("\n{}", indented(&table(None, &rows)))
}

/// Who can log in to look around, and how.
pub fn people(people: &[Person], kubeconfig: &str, paint: Paint) -> String {
    let mut rows = Vec::new();
    for person in people {
        let head = if rows.is_empty() { paint.paint(Style::Bold, "people") } else { String::new() };
        let password = match &person.password {
            Some(password) => format!("one-time password {}", password.open()),
            None => "has a password".to_owned(),
        };
        rows.push(vec![head, person.name.to_owned(), format!("{} of demo-project", person.role), password]);
    }
    let mut text = format!("\n{}", indented(&table(None, &rows)));
    let from = quoted(kubeconfig);
    for person in people {
        let name = person.name;
        text += &format!("           paifang user kubeconfig {name} --file {name}.kubeconfig --kubeconfig {from}\n");
    }
    text
}

/// Lines to copy that work.
pub fn try_it(plan: Option<&Plan>, paint: Paint) -> String {
    let first = |port: u16| plan.and_then(|it| it.sockets_of(port).first().copied());
    let (Some(http), Some(https)) = (first(80), first(443)) else { return String::new() };
    let curl = |scheme: &str, host: &str, socket: SocketAddr, default: u16, path: &str, more: &str| {
        let port = if socket.port() == default { String::new() } else { format!(":{}", socket.port()) };
        format!("curl {more}--resolve {host}:{}:{} {scheme}://{host}{port}{path}", socket.port(), socket.ip())
    };
    let rows = [
        vec![paint.paint(Style::Bold, "try"), curl("http", "demo.kubesphere.io", http, 80, "/get", "")],
        vec![String::new(), curl("http", "hello.kubesphere.io", http, 80, "/", "")],
        vec![String::new(), curl("https", "secure.kubesphere.io", https, 443, "/get", "--insecure ")],
    ];
    format!("\n{}", indented(&table(None, &rows)))
}

fn name(object: &ObjectRef) -> String {
    let ObjectRef { kind, namespace, name } = object;
    safe(&if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") })
}

/// For a shell.
fn quoted(path: &str) -> String {
    let plain = path.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._-+=:@%".contains(&it));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: &str) -> Said {
        Said {
            field: "spec.rules[0]".into(),
            severity: Severity::Warning,
            reason: reason.into(),
            message: "it is wrong".into(),
            hint: Some("mend it".into()),
        }
    }

    #[test]
    fn a_problem_is_shown_when_it_comes_and_when_it_goes() {
        let object = ObjectRef { kind: "Ingress".into(), namespace: "demo".into(), name: "web".into() };
        let mut screen = Screen::new(Paint::Plain);
        let good = Picture { ready: true, ..Picture::default() };
        let bad = Picture { problems: [(object, [said("ServiceNotFound")].into())].into(), ..good.clone() };
        let text = screen.difference(&bad);
        assert_eq!(
            text,
            "\n  problem  Ingress demo/web ServiceNotFound\n           spec.rules[0]: it is wrong\n           hint: mend it\n"
        );
        screen.shown = bad.clone();
        assert_eq!(screen.difference(&bad), "");
        assert_eq!(screen.difference(&good), "\n  gone     Ingress demo/web ServiceNotFound\n");
    }

    #[test]
    fn only_the_gateway_that_changed_is_shown_again() {
        let gateway = |name: &str, port: u16| GatewayPicture {
            owner: None,
            id: model::GatewayId::new(name.to_owned()),
            services: Vec::new(),
            others: Vec::new(),
            waiting: None,
            sockets: vec![control::SocketPicture {
                listener: "web".into(),
                address: SocketAddr::from(([127, 1, 0, 1], port)),
                fault: None,
            }],
        };
        let picture = |gateways: &[GatewayPicture]| Picture { ready: true, gateways: gateways.to_vec(), ..Picture::default() };
        let mut screen = Screen::new(Paint::Plain);
        let (one, two) = (gateway("a/one", 80), gateway("a/two", 80));
        assert!(screen.difference(&picture(&[one.clone(), two.clone()])).contains("a/two"));
        screen.shown = picture(&[one.clone(), two]);
        let text = screen.difference(&picture(&[one.clone(), gateway("a/two", 81)]));
        assert!(!text.contains("a/one") && text.contains("web    127.1.0.1:81"), "{text}");
        assert_eq!(screen.difference(&picture(&[one])), "\n  gone     gateway a/two\n");
    }

    #[test]
    fn a_thousand_problems_do_not_flood_the_terminal() {
        let object = ObjectRef { kind: "Ingress".into(), namespace: "demo".into(), name: "web".into() };
        let many: BTreeSet<Said> = (0..1_000).map(|n| said(&format!("Reason{n}"))).collect();
        let picture = Picture { problems: [(object, many)].into(), ..Picture::default() };
        let text = Screen::new(Paint::Plain).difference(&picture);
        assert_eq!(text.matches("problem").count(), AT_ONCE);
        assert!(text.ends_with("\n  … and 960 more; `kubectl get events -A` has them all\n"), "{text}");
    }

    #[test]
    fn a_path_survives_the_shell() {
        assert_eq!(quoted("/home/a/.local/share/paifang/kubeconfig"), "/home/a/.local/share/paifang/kubeconfig");
        assert_eq!(quoted("/a b'c"), "'/a b'\\''c'");
    }
}
