//! `paifang explain`: which route answers a request, from which object and rule, and why the others do not; and, where it is tried, at which hop
//! the way there breaks.

use crate::Exit;
use crate::args::{CheckOutput, ExplainArgs};
use crate::objects;
use crate::text::{Paint, Style, safe};
use access::{Answer, Asked, Hop, How, Known, Resolver, Served, Touch, Verdict, follow};
use anyhow::Result;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::time::{Duration, SystemTime};

/// Runs the command. Exits 1 where a hop was tried and is broken.
pub async fn run(args: &ExplainArgs) -> Result<Exit> {
    let namespace = args.namespace.as_deref();
    if args.batch {
        return batch(&Served::new(&objects::gather(&args.objects, namespace).await?), args.gateway.as_deref());
    }
    // One word alone is the URL.
    let (method, url) = match (&args.method, &args.url) {
        (Some(method), Some(url)) => (method.as_str(), url.as_str()),
        (Some(url), None) | (None, Some(url)) => ("GET", url.as_str()),
        (None, None) => ("GET", ""),
    };
    let asked = match Asked::read(method, url, &args.headers) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let known = Known::new(&objects::gather(&args.objects, namespace).await?);
    let is_tried = args.live || args.dns.is_some() || args.url.is_none() && args.objects.files.is_empty();
    if is_tried {
        return tell_hops(args, url, &asked, &known).await;
    }
    let placed = known.placed(&asked, None);
    let answer = Answer::find(&known.served, &placed, args.gateway.as_deref());
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

/// Tries the hops from here, and tells how each went.
async fn tell_hops(args: &ExplainArgs, url: &str, asked: &Asked, known: &Known) -> Result<Exit> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let how = How {
        touch: Touch::Anything,
        resolver: args.dns.map_or(Resolver::System, Resolver::Server),
        patience: Duration::from_secs(args.timeout),
        now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        gateway: args.gateway.clone(),
    };
    let hops = follow(asked, known, &how).await;
    let broken = hops.iter().find(|it| it.verdict == Verdict::Broken);
    let mut out = std::io::stdout().lock();
    match args.output {
        CheckOutput::Json => {
            let placed = known.placed(asked, None);
            let explanation = Answer::find(&known.served, &placed, args.gateway.as_deref()).json();
            let hops: Vec<Value> = hops.iter().map(Hop::json).collect();
            let told = json!({ "method": asked.method, "url": url, "hops": hops, "explanation": explanation });
            writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        }
        CheckOutput::Text => write!(out, "{}", hops_text(&format!("{} {url}", asked.method), &hops, Paint::of(&std::io::stdout())))?,
    }
    Ok(if broken.is_some() { Exit::Failed } else { Exit::Done })
}

/// The width of the names of hops.
const NAMES: usize = 11;

fn hops_text(title: &str, hops: &[Hop], paint: Paint) -> String {
    let mut text = format!("{}\n\n", paint.paint(Style::Bold, &safe(title)));
    for hop in hops {
        let (mark, style) = match hop.verdict {
            Verdict::Good => ("✓", Style::Good),
            Verdict::Broken => ("✗", Style::Error),
            Verdict::Unknown => ("·", Style::Dim),
        };
        let name = format!("{:NAMES$}", hop.hop.word());
        let (name, said) = match hop.verdict {
            Verdict::Good => (name, safe(&hop.said())),
            Verdict::Broken | Verdict::Unknown => (paint.paint(style, &name), paint.paint(style, &safe(&hop.said()))),
        };
        text.push_str(&format!("  {} {name}  {said}\n", paint.paint(style, mark)));
        if hop.mend.is_some() {
            text.push_str(&format!("    {:NAMES$}  {} {}\n", "", paint.paint(Style::Note, "→"), safe(&hop.mend())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::{HopName, Saying};

    #[test]
    fn the_broken_hop_is_marked_and_its_mend_stands_below() {
        let hop = |hop, verdict, said, mend| Hop { hop, verdict, said, mend, is_partly_seen: false };
        let found = Saying::NameFound { host: "a.test".into(), addresses: "127.0.0.1".into() };
        let closed = Saying::PortClosed { socket: "127.0.0.1:81\u{7}".into() };
        let hops = [
            hop(HopName::Name, Verdict::Good, found, None),
            hop(HopName::Port, Verdict::Broken, closed, Some(Saying::AskAt { addresses: "80".into() })),
            hop(HopName::Certificate, Verdict::Unknown, Saying::NotTried {}, None),
        ];
        let expect = "GET http://a.test/\n\n  ✓ name         a.test leads to 127.0.0.1\n  ✗ port         nothing listens at 127.0.0.1:81\\u{7}\n                 → ask at 80\n  · certificate  not tried\n";
        assert_eq!(hops_text("GET http://a.test/", &hops, Paint::Plain), expect);
        assert!(hops_text("", &hops, Paint::Colour).contains("\x1b[1;31m✗"), "the broken one is red");
    }
}
