//! `paifang explain`: which route answers a request, from which object and rule, and why the others do not.

use crate::Exit;
use crate::args::{CheckOutput, ExplainArgs};
use crate::objects;
use crate::text::Paint;
use access::{Answer, Asked, Served};
use anyhow::Result;
use serde_json::json;
use std::io::{BufRead, Write};

/// Runs the command.
pub async fn run(args: &ExplainArgs) -> Result<Exit> {
    if args.batch {
        return batch(&Served::new(&objects::gather(&args.objects).await?), args.gateway.as_deref());
    }
    let asked = match Asked::read(args.method.as_deref().unwrap_or_default(), args.url.as_deref().unwrap_or_default(), &args.headers) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let served = Served::new(&objects::gather(&args.objects).await?);
    let answer = Answer::find(&served, &asked, args.gateway.as_deref());
    let mut out = std::io::stdout().lock();
    match args.output {
        CheckOutput::Json => writeln!(out, "{}", serde_json::to_string_pretty(&answer.json())?)?,
        CheckOutput::Text => write!(out, "{}", answer.text(Paint::of(&std::io::stdout())))?,
    }
    Ok(Exit::Done)
}

/// One request per line of standard input, `METHOD URL`, then headers after tabs; one JSON line each.
fn batch(served: &Served, gateway: Option<&str>) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let (method, url) = parts.next().unwrap_or_default().split_once(' ').unwrap_or_default();
        let headers: Vec<String> = parts.map(str::to_owned).collect();
        let told = Asked::read(method, url, &headers).map(|asked| Answer::find(served, &asked, gateway).json());
        writeln!(out, "{}", told.unwrap_or_else(|error| json!({ "error": error })))?;
    }
    Ok(Exit::Done)
}
