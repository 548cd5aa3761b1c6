//! Istio's task *Ingress Gateways*, as its reader types it: bash, kubectl and curl, not one line changed.
//!
//! `tests/tutorials/ingress-gateways.txt` has the commands, manifests and printed lines, in the markup of the task's source. `PAIFANG_TUTORIAL`
//! names a file to follow in its place: the source itself, in any language.

use crate::harness::{Up, binary, chance, may_bind_80, read, word};
use crate::shell::Shell;
use fastrand::Rng;
use std::path::{Path, PathBuf};

const ISTIO: &str = "istio-apis";
const GATEWAY_API: &str = "gateway-api";
/// It speaks of the Service of the one tab only.
const NODE_PORTS: &str = "using-node-ports-of-the-ingress-gateway-service";

/// Commands that are for someone else: how each begins, or a word in it.
const LEFT_OUT: [(&str, &str); 11] = [
    ("istioctl ", "installs Istio"),
    ("minikube ", "for minikube"),
    ("INGRESS_NAME=istio-ingress\n", "Helm's name"),
    ("INGRESS_NS=istio-ingress\n", "Helm's name"),
    (".ingress[0].hostname}", "where a load balancer has a name in place of an address"),
    ("get gtw my-gateway -o jsonpath='{.status", "an example with a gateway that is not made"),
    ("get gtw my-gateway -o jsonpath='{.spec", "an example with a gateway that is not made"),
    ("=worker-node-address", "for GKE"),
    ("gcloud ", "for GKE"),
    ("ibmcloud ", "for IBM Cloud"),
    ("=public-IP-of-one-of-the-worker-nodes", "for IBM Cloud"),
];

/// What the text tells without a command for it.
struct Aside {
    tab: &'static str,
    /// Words of the command it follows.
    after: &'static str,
    command: &'static str,
    is: fn(&str) -> bool,
}

const ASIDES: [Aside; 10] = [
    Aside {
        tab: "",
        after: "apply -f samples",
        command: "kubectl get deployment httpbin -o jsonpath='{.status.availableReplicas}'",
        is: |it| it == "1",
    },
    Aside {
        tab: ISTIO,
        after: "prefix: /delay",
        command: "kubectl get gateway httpbin-gateway -o jsonpath='{.apiVersion}'",
        is: |it| it.starts_with("networking.istio.io/"),
    },
    Aside {
        tab: GATEWAY_API,
        after: "wait --for=condition=programmed",
        command: "kubectl get service httpbin-gateway-istio -o jsonpath='{.spec.type} {.status.loadBalancer.ingress[0].ip}'",
        is: |it| it.starts_with("LoadBalancer 127."),
    },
    Aside {
        tab: "",
        after: "/status/200\"",
        command: "curl -s -o /dev/null -w '%{http_code} %{time_total}' -HHost:httpbin.example.com \"http://$INGRESS_HOST:$INGRESS_PORT/delay/2\"",
        is: |it| it.strip_prefix("200 ").and_then(|it| it.trim().parse::<f64>().ok()).is_some_and(|it| it >= 2.0),
    },
    Aside {
        tab: "",
        after: "/headers\"",
        command: "curl -s -w '%{http_code}' -HHost:httpbin.example.com \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "404",
    },
    Aside {
        tab: ISTIO,
        after: "prefix: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {") && it.contains("\"User-Agent\": \"curl/"),
    },
    Aside {
        tab: GATEWAY_API,
        after: "value: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {") && it.contains("\"User-Agent\": \"curl/"),
    },
    Aside {
        tab: ISTIO,
        after: "INGRESS_HOST=127.0.0.1",
        command: "curl -s -o /dev/null -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "200",
    },
    Aside {
        tab: ISTIO,
        after: "{.items[0].status.hostIP}",
        command: "curl -s -o /dev/null -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "200",
    },
    Aside {
        tab: ISTIO,
        after: "delete virtualservice",
        command: "curl -s -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "404",
    },
];

/// One command and what the text shows of its output.
#[derive(Debug)]
struct Step {
    section: String,
    /// Empty: for readers of either.
    tab: String,
    command: String,
    shown: Vec<String>,
}

/// Takes the markup apart: `{{< tab … >}}`, `{{< text … >}}`, headings with an anchor.
fn steps(source: &str) -> Vec<Step> {
    let (mut steps, mut section, mut tab, mut block) = (Vec::new(), String::new(), String::new(), None::<Vec<&str>>);
    for line in source.lines() {
        let word = line.trim();
        match &mut block {
            Some(_) if word == "{{< /text >}}" => steps.extend(typed(&block.take().unwrap_or_default(), &section, &tab)),
            Some(lines) => lines.push(line),
            None if word.starts_with("{{< text ") => block = Some(Vec::new()),
            None if word.starts_with("{{< tab ") => tab = attribute(word, "category-value=\""),
            None if word == "{{< /tab >}}" => tab.clear(),
            None if word.starts_with('#') => section = attribute(word, "{#").trim_end_matches('}').to_owned(),
            None => {}
        }
    }
    steps
}

fn attribute(line: &str, before: &str) -> String {
    let rest = line.split_once(before).map_or("", |(_, rest)| rest);
    rest.split(['"', ' ']).next().unwrap_or_default().to_owned()
}

/// The commands of one block, each with the lines it prints.
fn typed(lines: &[&str], section: &str, tab: &str) -> Vec<Step> {
    let indent = lines.first().map_or(0, |it| it.len() - it.trim_start().len());
    let mut steps: Vec<Step> = Vec::new();
    let mut document = false;
    for line in lines {
        let line = line.get(indent..).unwrap_or_else(|| line.trim_start());
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) if !document => {
                document = command.contains("<<EOF");
                // The site shows a file's name for `@name@`.
                let command = command.replace('@', if command.contains(" -f @") { "" } else { "@" });
                steps.push(Step { section: section.into(), tab: tab.into(), command, shown: Vec::new() });
            }
            (_, Some(step)) if document => {
                step.command += &format!("\n{line}");
                document = line != "EOF";
            }
            (_, Some(step)) => step.shown.push(line.to_owned()),
            (_, None) => panic!("a block begins with `{line}`"),
        }
    }
    steps
}

/// Whether a command printed what is shown: chunks between `...` stand together. Lines of tables count word by word, without what
/// differs from cluster to cluster.
fn is_shown(shown: &[String], printed: &str, table: bool) -> bool {
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut from = 0;
    let same = |shown: &str, printed: &str| if table { is_row(shown, printed) } else { shown.trim_end() == printed };
    shown.split(|it| it.trim() == "...").filter(|it| !it.is_empty()).all(|chunk| {
        let found = printed[from..].windows(chunk.len()).position(|it| chunk.iter().zip(it).all(|(shown, printed)| same(shown, printed)));
        found.inspect(|at| from += at + chunk.len()).is_some()
    })
}

fn is_row(shown: &str, printed: &str) -> bool {
    let (shown, printed): (Vec<&str>, Vec<&str>) = (shown.split_whitespace().collect(), printed.split_whitespace().collect());
    let differs = |it: &str| it == "..." || it.bytes().next().is_some_and(|it| it.is_ascii_digit());
    shown.len() == printed.len() && shown.iter().zip(&printed).all(|(shown, printed)| differs(shown) || shown == printed)
}

fn is_left_out(command: &str) -> bool {
    let command = format!("{command}\n");
    LEFT_OUT.iter().any(|(words, _)| command.contains(words))
}

/// A tutorial in the words of this run.
struct Tutorial {
    steps: Vec<Step>,
    /// What stands for what: names, hosts, ports, paths.
    words: Vec<(String, String)>,
}

// === impl Tutorial ===

impl Tutorial {
    fn read() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tutorials/ingress-gateways.txt");
        let source = std::env::var_os("PAIFANG_TUTORIAL").map_or(own, PathBuf::from);
        let steps = steps(&read(&source));
        assert!(steps.len() > 40, "{} has {} commands", source.display(), steps.len());
        for (words, why) in LEFT_OUT {
            assert!(steps.iter().any(|it| format!("{}\n", it.command).contains(words)), "`{words}` ({why}) is left out, and not there");
        }
        Self { steps, words: Vec::new() }
    }

    /// With names, hosts, ports and paths that nobody has seen.
    fn reworded(rng: &mut Rng, sample: &Path) -> Self {
        let (name, port, backend) = (word(rng), rng.u16(8100..8900).to_string(), rng.u16(9100..9900).to_string());
        let path = format!("/anything/{}", word(rng));
        let text = read(&root().join("samples/httpbin/httpbin.yaml"));
        let text = text.replace("go-httpbin", "\u{1}").replace("httpbin", &name).replace('\u{1}', "go-httpbin").replace("8000", &backend);
        std::fs::write(sample, text).expect("a file");
        let words = [
            ("samples/httpbin/httpbin.yaml", &*sample.display().to_string()),
            ("httpbin.example.com", &format!("{}.{}.test", word(rng), word(rng))),
            ("httpbin-gateway", &format!("{}-gate", word(rng))),
            ("number: 80\n", &format!("number: {port}\n")),
            ("port: 80\n", &format!("port: {port}\n")),
            (".name==\"http2\"", &format!(".port=={port}")),
            ("/status", &path),
            ("/headers", "/get"),
            ("8000", &backend),
            ("httpbin", &name),
        ];
        Self { words: words.map(|(from, to)| (from.to_owned(), to.to_owned())).into(), ..Self::read() }
    }

    /// Through marks, so that what was put in is not replaced again.
    fn worded(&self, text: &str) -> String {
        let mark = |index: usize| format!("\u{1}{index}\u{1}");
        let marked = self.words.iter().enumerate().fold(text.to_owned(), |text, (index, (from, _))| text.replace(from, &mark(index)));
        self.words.iter().enumerate().fold(marked, |text, (index, (_, to))| text.replace(&mark(index), to))
    }

    /// Follows one tab in a terminal of its own, from the first command to the clean-up, and cleans up once more.
    fn follow(&self, up: &Up, tab: &str) {
        let mut shell = Shell::start(&root(), &up.kubeconfig(), &binary());
        let mut asides: Vec<&Aside> = ASIDES.iter().filter(|it| it.tab.is_empty() || it.tab == tab).collect();
        for step in &self.steps {
            let another = !step.tab.is_empty() && step.tab != tab || step.section == NODE_PORTS && tab != ISTIO;
            if another || is_left_out(&step.command) {
                continue;
            }
            self.take(&mut shell, step);
            asides.retain(|aside| {
                let follows = step.command.contains(aside.after);
                if follows {
                    let command = self.worded(aside.command);
                    shell.until(&command, "what the text says", |typed| (aside.is)(&typed.printed));
                }
                !follows
            });
        }
        let missed: Vec<&str> = asides.iter().map(|it| it.after).collect();
        assert!(missed.is_empty(), "no command has {missed:?}");
        shell.done(&self.worded("kubectl delete --ignore-not-found=true -f samples/httpbin/httpbin.yaml"));
        let left = shell.done("kubectl get deployments,pods,services,serviceaccounts,endpointslices --ignore-not-found -o name");
        assert!(!left.contains(&self.worded("httpbin")), "{tab}: {left} is left behind");
    }

    fn take(&self, shell: &mut Shell, step: &Step) {
        let command = self.worded(&step.command);
        if step.shown.is_empty() {
            shell.done(&command);
            return;
        }
        let shown: Vec<String> = step.shown.iter().map(|it| self.worded(it)).collect();
        let table = command.starts_with("kubectl get ");
        shell.until(&command, &shown.join("\n"), |typed| typed.code == 0 && is_shown(&shown, &typed.printed, table));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn low_ports() -> bool {
    if !may_bind_80() {
        eprintln!("skipped: the task's ports are below 1024, and this user may not listen on them");
    }
    may_bind_80()
}

#[test]
fn istio_first_then_gateway_api_then_istio_again() {
    if !low_ports() {
        return;
    }
    let (up, tutorial) = (Up::start(&["--demo"]), Tutorial::read());
    for tab in [ISTIO, GATEWAY_API, ISTIO] {
        tutorial.follow(&up, tab);
    }
}

#[test]
fn gateway_api_first_then_istio() {
    if !low_ports() {
        return;
    }
    let (up, tutorial) = (Up::start(&["--demo"]), Tutorial::read());
    for tab in [GATEWAY_API, ISTIO] {
        tutorial.follow(&up, tab);
    }
}

#[test]
fn with_names_hosts_ports_and_paths_that_nobody_has_seen() {
    let rng = &mut chance("with_names_hosts_ports_and_paths_that_nobody_has_seen");
    let up = Up::start(&["--demo"]);
    for tab in [ISTIO, GATEWAY_API] {
        let sample = up.dir.path().join(format!("{tab}.yaml"));
        Tutorial::reworded(rng, &sample).follow(&up, tab);
    }
}

#[test]
fn shown_lines_are_looked_for_together() {
    let lines = |it: &str| it.lines().map(str::to_owned).collect::<Vec<_>>();
    let answer = "HTTP/1.1 200 OK\r\nserver: istio-envoy\r\ndate: now\r\n\r\n";
    assert!(is_shown(&lines("HTTP/1.1 200 OK\nserver: istio-envoy\n..."), answer, false));
    assert!(!is_shown(&lines("HTTP/1.1 200 OK\nserver: istio-envoy"), "HTTP/1.1 200 OK\ndate: now\nserver: istio-envoy", false));
    let row = lines("NAME TYPE PORT(S) AGE\nweb LoadBalancer ... 17h");
    assert!(is_shown(&row, "NAME   TYPE   PORT(S)   AGE\nweb   LoadBalancer   80:30080/TCP   2s", true));
    assert!(!is_shown(&row, "NAME   TYPE   PORT(S)   AGE\nweb   NodePort   80:30080/TCP   2s", true));
}
