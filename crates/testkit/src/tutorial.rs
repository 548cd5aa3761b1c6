//! A tutorial as its reader types it, not one line changed: commands and what they print, taken from the markup of its source.
//!
//! ```text
//! {{< tab … category-value="one" >}}    for readers of that tab
//! {{< text bash >}}                     a block: `$ ` begins a command, other lines are what it prints; `...` stands for more
//! ```

use std::path::Path;

use crate::shell::Shell;

/// What the text tells without a command for it.
pub struct Aside {
    /// Empty: for every tab.
    pub tab: &'static str,
    /// Words of the command it follows.
    pub after: &'static str,
    pub command: &'static str,
    pub is: fn(&str) -> bool,
}

/// One command and what the text shows of its output.
#[derive(Clone, Debug)]
pub struct Step {
    /// The anchor of its heading.
    pub section: String,
    /// Empty: for readers of either.
    pub tab: String,
    pub command: String,
    pub shown: Vec<String>,
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

/// A tutorial in the words of this run.
#[derive(Clone, Debug)]
pub struct Tutorial {
    pub steps: Vec<Step>,
    /// What stands for what: names, hosts, ports, paths.
    pub words: Vec<(String, String)>,
}

// === impl Tutorial ===

impl Tutorial {
    /// Reads a tutorial without the commands for which `is_left_out` has a word.
    ///
    /// # Panics
    ///
    /// Where a file has no tutorial, or one of `left_out` (words of a command, and why) is not in it.
    pub fn read(file: &Path, left_out: &[(&str, &str)]) -> Self {
        let source = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut steps = steps(&source);
        assert!(steps.len() > 10, "{} has {} commands", file.display(), steps.len());
        let has = |step: &Step, words: &str| format!("{}\n", step.command).contains(words);
        for (words, why) in left_out {
            assert!(steps.iter().any(|step| has(step, words)), "`{words}` ({why}) is left out, and not there");
        }
        steps.retain(|step| !left_out.iter().any(|(words, _)| has(step, words)));
        Self { steps, words: Vec::new() }
    }

    /// Through marks, so that what was put in is not replaced again.
    pub fn worded(&self, text: &str) -> String {
        let mark = |index: usize| format!("\u{1}{index}\u{1}");
        let marked = self.words.iter().enumerate().fold(text.to_owned(), |text, (index, (from, _))| text.replace(from, &mark(index)));
        self.words.iter().enumerate().fold(marked, |text, (index, (_, to))| text.replace(&mark(index), to))
    }

    /// Follows one tab from the first command to the last.
    ///
    /// # Panics
    ///
    /// Where a command does not do what the text says.
    pub fn follow(&self, shell: &mut Shell, tab: &str, asides: &[Aside]) {
        let mut asides: Vec<&Aside> = asides.iter().filter(|it| it.tab.is_empty() || it.tab == tab).collect();
        for step in self.steps.iter().filter(|step| step.tab.is_empty() || step.tab == tab) {
            self.take(shell, step);
            asides.retain(|aside| {
                let follows = step.command.contains(aside.after);
                if follows {
                    shell.until(&self.worded(aside.command), "say what the text says", |typed| (aside.is)(&typed.printed));
                }
                !follows
            });
        }
        let missed: Vec<&str> = asides.iter().map(|it| it.after).collect();
        assert!(missed.is_empty(), "no command has {missed:?}");
    }

    fn take(&self, shell: &mut Shell, step: &Step) {
        let command = self.worded(&step.command);
        if step.shown.is_empty() {
            shell.done(&command);
            return;
        }
        let shown: Vec<String> = step.shown.iter().map(|it| self.worded(it)).collect();
        let table = command.starts_with("kubectl get ");
        shell.until(&command, &format!("show\n{}", shown.join("\n")), |typed| typed.code == 0 && is_shown(&shown, &typed.printed, table));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
