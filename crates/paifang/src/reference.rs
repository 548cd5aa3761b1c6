//! Reference pages, from the code that does the work.

use crate::fault::Fault;
use clap::{Arg, Command, CommandFactory};
use cli::Exit;
use cli::args::{Cli, EXIT_CODES, Page};
use std::fmt::Write as _;
use std::io::Write;
use translate::Frontend;

pub fn print(page: Page) -> Result<Exit, Fault> {
    let text = match page {
        Page::Cli => commands(),
        Page::Annotations => translate::reference_markdown(),
        Page::GatewayApi => translate::gateway_api_reference_markdown() + &control::conditions_markdown(Frontend::GatewayApi),
        Page::Istio => translate::istio_reference_markdown() + &control::conditions_markdown(Frontend::Istio),
        Page::Api => apiserver::reference_markdown(),
        Page::Metrics => metrics(),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// From what a process prints before its first request: names, types and help are all there.
fn metrics() -> String {
    let text = observe::Metrics::new(1).render();
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|it| it.split_once(' ')) {
            rows.push((name.to_owned(), String::new(), help.to_owned()));
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|it| it.split_once(' ')) {
            match rows.iter_mut().find(|it| it.0 == name) {
                Some(row) => row.1 = kind.to_owned(),
                None => rows.push((name.to_owned(), kind.to_owned(), String::new())),
            }
        }
    }
    let mut out = String::from("# Metrics\n\nServed at `/metrics` of `--admin-address`.\n\n| name | type | |\n|---|---|---|\n");
    for (name, kind, help) in rows {
        // OpenMetrics: the family's name is without the suffix that its samples have.
        let suffix = if kind == "counter" { "_total" } else { "" };
        let _ = writeln!(out, "| `{name}{suffix}` | {kind} | {help} |");
    }
    out
}

fn commands() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = String::from("# Commands\n");
    for command in root.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        describe(command, &mut out);
    }
    let _ = write!(out, "\n## Exit codes\n\n```\n{EXIT_CODES}\n```\n");
    out
}

fn describe(command: &Command, out: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(out, "\n## paifang {}\n\n{about}.\n\n```\n{usage}\n```\n", command.get_name());
    let shown: Vec<&Arg> =
        command.get_arguments().filter(|it| !it.is_hide_set() && !matches!(it.get_id().as_str(), "help" | "version")).collect();
    if !shown.is_empty() {
        out.push_str("\n| option | default | |\n|---|---|---|\n");
    }
    for arg in shown {
        let default: Vec<String> = arg.get_default_values().iter().map(|it| it.to_string_lossy().into_owned()).collect();
        let flag = !arg.get_action().takes_values();
        let default = if flag || default.is_empty() { String::new() } else { format!("`{}`", default.join(" ")) };
        let _ = writeln!(out, "| `{}` | {default} | {} |", spelled(arg), help(arg));
    }
}

fn spelled(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|it| it.first()).map(|it| format!(" {it}")).filter(|_| arg.get_action().takes_values());
    let long = arg.get_long().map(|it| format!("--{it}"));
    let short = arg.get_short().map(|it| format!("-{it}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    match names.is_empty() {
        true => value.unwrap_or_default().trim().to_owned(),
        false => names.join(", ") + &value.unwrap_or_default(),
    }
}

fn help(arg: &Arg) -> String {
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg.get_possible_values().iter().map(|it| format!("`{}`", it.get_name())).collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        let _ = write!(help, "{}one of {}", if help.is_empty() { "" } else { "; " }, values.join(", "));
    }
    help.replace('|', "\\|")
}
