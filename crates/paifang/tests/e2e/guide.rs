//! The commands of the first pages, run as they stand there, and what the pages say they print.

use crate::harness::{Up, binary, may_bind_80, read, run, text};
use crate::names::has_dig;
use crate::objects::{service, simple, with_tls};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::eventually;
use testkit::origin::Origin;
use testkit::ports::own_address;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between two fences.
#[derive(Debug, PartialEq)]
enum Block {
    /// To be typed.
    Commands(String),
    /// Typed, and what it prints.
    Session(String, Vec<String>),
    /// What the program prints as it starts.
    Output(Vec<String>),
}

/// Fences with a language are data, those without are for the terminal.
fn blocks(page: &str) -> Vec<Block> {
    let fenced = page.split("```").skip(1).step_by(2).filter_map(|it| it.strip_prefix('\n'));
    fenced.flat_map(block).collect()
}

fn block(fenced: &str) -> Vec<Block> {
    let lines = |it: &str| it.lines().map(str::to_owned).collect();
    if fenced.starts_with("paifang 0.") {
        return vec![Block::Output(lines(fenced))];
    }
    let Some(sessions) = fenced.strip_prefix("$ ") else { return vec![Block::Commands(fenced.to_owned())] };
    let session = |it: &str| {
        let (command, output) = it.split_once('\n').unwrap_or((it, ""));
        Block::Session(command.to_owned(), lines(output))
    };
    sessions.split("\n$ ").map(session).collect()
}

/// Without what differs from run to run.
fn steady(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |at: usize| {
        let it = words[at];
        let age = it.strip_suffix('s').is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
        let id = it.trim_matches(['"', ',']);
        let id = id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit());
        let plain = it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
        let password = it.len() == 20 && plain && at > 0 && words[at - 1] == "password";
        if age || id || password || it.contains("curl/") { "*" } else { it }
    };
    (0..words.len()).map(word).collect::<Vec<_>>().join(" ")
}

/// The first line of the page that was not printed, each looked for behind the one before.
fn unprinted<'a>(shown: &'a [String], printed: &str) -> Option<&'a str> {
    let mut printed = printed.lines().map(steady);
    shown.iter().map(String::as_str).find(|line| !printed.any(|it| it == steady(line)))
}

/// The first line of a start that was not printed, in whatever order. Port 53 is one, and the tests are many.
fn unsaid(shown: &[String], said: &str) -> Option<String> {
    let said: Vec<String> = said.lines().map(steady).collect();
    let of_names = |line: &str| ["names ", "nameserver "].iter().any(|it| line.starts_with(it));
    shown.iter().map(|line| steady(line)).filter(|line| !of_names(line)).find(|line| !said.contains(line))
}

struct Reader {
    up: Up,
    /// What the page's own server stands for.
    origin: Option<Origin>,
    /// The guide's addresses and ports, and those of this run.
    here: Vec<(String, String)>,
}

// === impl Reader ===

impl Reader {
    fn start() -> Self {
        Self::of(Up::start(&["--demo", "--console-address", "127.0.0.1:0"]))
    }

    fn of(up: Up) -> Self {
        eventually("it says what to try", || up.said().contains("try ").then_some(()));
        let origin = Origin::recording();
        let mut here = vec![("8888".to_owned(), origin.address().port().to_string())];
        here.extend(addresses(&up));
        Self { up, origin: Some(origin), here }
    }

    fn follow(&mut self, page: &str) -> usize {
        // Through marks, so that what was put in is not replaced again.
        let mark = |index: usize| format!("\u{1}{index}\u{1}");
        let mut page = read(&root().join(page));
        for (index, (there, _)) in self.here.iter().enumerate() {
            page = page.replace(there, &mark(index));
        }
        for (index, (_, here)) in self.here.iter().enumerate() {
            page = page.replace(&mark(index), here);
        }
        let blocks = blocks(&page);
        blocks.iter().for_each(|it| self.step(it));
        blocks.len()
    }

    fn step(&mut self, block: &Block) {
        match block {
            Block::Output(shown) => {
                let mut missing = None;
                let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    eventually("what the page shows of a start", || {
                        missing = unsaid(shown, &self.up.said());
                        missing.is_none().then_some(())
                    });
                }));
                assert!(said.is_ok(), "the page shows {missing:?}, it said:\n{}", self.up.said());
            }
            Block::Commands(commands) if ["cargo ", "python3 ", "export "].iter().any(|it| commands.starts_with(it)) => {}
            Block::Commands(commands) if commands.contains("kubectl apply") || commands.contains("kubectl create") => {
                self.bash(commands).unwrap_or_else(|error| panic!("{commands}: {error}"));
            }
            Block::Commands(commands) => drop(eventually(commands, || self.bash(commands).ok())),
            Block::Session(command, shown) => {
                if shown.iter().any(|it| it.contains("connect-failed")) {
                    self.origin = None;
                }
                let mut last = String::new();
                let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    eventually(command, || {
                        last = self.bash(command).unwrap_or_else(|printed| printed);
                        unprinted(shown, &last).is_none().then_some(())
                    });
                }));
                assert!(seen.is_ok(), "{command}\nthe page shows {:?}, printed was\n{last}", unprinted(shown, &last));
            }
        }
    }

    /// What is printed; of a failure, both streams.
    fn bash(&self, commands: &str) -> Result<String, String> {
        let programs = binary().parent().expect("it lies in a folder").display().to_string();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", commands]).current_dir(self.up.dir.path());
        bash.env("PATH", path).env("KUBECONFIG", self.up.kubeconfig()).env("NO_PROXY", "*").env("CURL_HOME", self.up.dir.path());
        let output = run(&mut bash, "");
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        if output.status.success() { Ok(out) } else { Err(out + &error) }
    }
}

/// What stands on the pages, and what it is here.
fn addresses(up: &Up) -> Vec<(String, String)> {
    let said = up.said();
    let after = |mark: &str| said.split_once(mark).map(|(_, it)| it.split_whitespace().next().unwrap_or_default().to_owned());
    let port = |mark: &str| after(mark).and_then(|it| it.rsplit(':').next().map(str::to_owned));
    let (http, https) = (up.http[0], up.https[0]);
    let mut here = vec![
        ("/home/kim/.local/share/paifang/kubeconfig".to_owned(), up.kubeconfig().display().to_string()),
        ("127.0.0.1:6443".to_owned(), format!("127.0.0.1:{}", port("https://").expect("where the API is"))),
        ("127.0.0.1:9090".to_owned(), format!("127.0.0.1:{}", port("metrics   http:").expect("metrics").replace("/metrics", ""))),
        (":80:127.1.0.1".to_owned(), format!(":{}:{}", http.port(), http.ip())),
        (":443:127.1.0.1".to_owned(), format!(":{}:{}", https.port(), https.ip())),
        ("127.1.0.1:80".to_owned(), http.to_string()),
        ("127.1.0.1:443".to_owned(), https.to_string()),
        ("127.1.0.1".to_owned(), http.ip().to_string()),
        ("30080".to_owned(), up.http[1].port().to_string()),
        ("30443".to_owned(), up.https[1].port().to_string()),
    ];
    here.push(("/home/kim/.local/share/paifang".to_owned(), up.data().display().to_string()));
    if let Some(console) = after("console   https://") {
        here.push(("127.0.0.1:9443".to_owned(), console));
    }
    for (index, name) in ["httpbin ", "hello v1 ", "hello v2 ", "ws:", "gRPC ", "TCP ", "UDP "].iter().enumerate() {
        let port = port(name).expect("a sample backend").replace("/ws", "");
        here.push((format!("127.0.0.1:{}", 8000 + index), format!("127.0.0.1:{port}")));
    }
    if !may_bind_80() {
        for host in ["demo.kubesphere.io", "hello.kubesphere.io", "files.example.com"] {
            here.push((format!("http://{host}/"), format!("http://{host}:{}/", http.port())));
        }
        here.push(("http://127.1.0.1/".to_owned(), format!("http://{http}/")));
        here.push(("https://secure.example.com/".to_owned(), format!("https://secure.example.com:{}/", https.port())));
        here.push(("https://secure.kubesphere.io/".to_owned(), format!("https://secure.kubesphere.io:{}/", https.port())));
    }
    here
}

/// The folder that pages name relative to the clone.
fn lend_samples(reader: &Reader) {
    let samples = root().join("samples").canonicalize().expect("the samples are there");
    std::os::unix::fs::symlink(samples, reader.up.dir.path().join("samples")).expect("a link");
}

#[test]
fn the_first_five_minutes_go_as_written() {
    let mut reader = Reader::start();
    lend_samples(&reader);
    assert!(reader.follow("README.md") >= 6);
    assert!(reader.follow("docs/guide/start.md") >= 12);
}

#[test]
fn the_commands_for_routes_work() {
    let mut reader = Reader::start();
    let backend = reader.origin.as_ref().expect("it listens").address();
    let shop = simple("default", "shop", "shop.example.com", "shop");
    reader.up.apply(&[service("default", "shop", &[backend]), with_tls(shop, &["shop.example.com"], "shop-tls")]);
    assert!(reader.follow("docs/guide/routes.md") >= 3);
}

#[test]
fn the_pages_about_istio_and_gateway_api_go_as_written() {
    let mut reader = Reader::start();
    lend_samples(&reader);
    assert!(reader.follow("docs/guide/from-istio.md") >= 15);
    assert!(reader.follow("docs/guide/gateway-api.md") >= 11);
}

#[test]
fn the_page_about_names_goes_as_written() {
    let dns = own_address();
    let mut reader = Reader::of(Up::start(&["--demo", "--dns-address", &dns.to_string()]));
    // First, since other addresses are parts of it.
    reader.here.insert(0, ("@127.0.0.1 -p 53".to_owned(), format!("@{} -p {}", dns.ip(), dns.port())));
    if !may_bind_80() {
        let port = reader.up.http[0].port();
        reader.here.insert(0, ("nip.io/get".to_owned(), format!("nip.io:{port}/get")));
    }
    if has_dig() {
        assert!(reader.follow("docs/guide/names.md") >= 6);
    }
}

#[test]
fn the_commands_for_people_and_projects_go_as_written() {
    let mut reader = Reader::start();
    assert!(reader.follow("docs/guide/people.md") >= 12);
}

#[test]
fn the_page_about_gateways_goes_as_written() {
    assert!(Reader::start().follow("docs/guide/gateways.md") >= 3);
}

#[test]
fn the_page_about_access_goes_as_written() {
    let mut reader = Reader::start();
    if !may_bind_80() {
        for (index, port) in [(0, "80"), (1, "443")] {
            let sockets = [reader.up.http[0], reader.up.https[0]];
            reader.here.insert(0, (format!("LoadBalancer   {port} "), format!("LoadBalancer   {} ", sockets[index].port())));
        }
        reader.here.insert(0, ("https://127.1.0.1/".to_owned(), format!("https://{}/", reader.up.https[0])));
        reader.here.insert(0, ("http://127.1.0.1/get".to_owned(), format!("http://{}/get", reader.up.http[0])));
    }
    assert!(reader.follow("docs/guide/access.md") >= 4);
}

#[test]
fn the_page_about_services_goes_as_written() {
    assert!(Reader::start().follow("docs/guide/services.md") >= 6);
}

#[test]
fn the_same_commands_stand_on_the_chinese_pages() {
    for (english, chinese) in [
        ("README.md", "README.zh.md"),
        ("docs/guide/start.md", "docs/guide/zh/start.md"),
        ("docs/guide/routes.md", "docs/guide/zh/routes.md"),
        ("docs/guide/gateways.md", "docs/guide/zh/gateways.md"),
        ("docs/guide/names.md", "docs/guide/zh/names.md"),
        ("docs/guide/access.md", "docs/guide/zh/access.md"),
        ("docs/guide/services.md", "docs/guide/zh/services.md"),
        ("docs/guide/operate.md", "docs/guide/zh/operate.md"),
        ("docs/guide/people.md", "docs/guide/zh/people.md"),
        ("docs/guide/from-istio.md", "docs/guide/zh/from-istio.md"),
        ("docs/guide/gateway-api.md", "docs/guide/zh/gateway-api.md"),
    ] {
        let (english_blocks, chinese_blocks) = (blocks(&read(&root().join(english))), blocks(&read(&root().join(chinese))));
        assert!(!english_blocks.is_empty(), "{english}");
        assert_eq!(english_blocks, chinese_blocks, "{english} and {chinese}");
    }
}

#[test]
fn a_page_that_lies_is_found() {
    let page = "```\nls\n```\n```yaml\nno: command\n```\n```\n$ one\n1\n$ two\n2  s\n```\n```\npaifang 0.1.0\n```\n";
    let lines = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let expected = [
        Block::Commands("ls\n".to_owned()),
        Block::Session("one".to_owned(), lines(&["1"])),
        Block::Session("two".to_owned(), lines(&["2  s"])),
        Block::Output(lines(&["paifang 0.1.0"])),
    ];
    assert_eq!(blocks(page), expected);
    let shown = lines(&["NAME  AGE", "demo  5s"]);
    assert_eq!(unprinted(&shown, "NAME   AGE\nother  1s\ndemo   12s\n"), None);
    assert_eq!(unprinted(&shown, "demo 12s\nNAME AGE\n"), Some("demo  5s"));
}
