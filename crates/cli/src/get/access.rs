//! `paifang get access`: a table, and below it what to copy for each row.

use super::{Row, Shown, object_name, or_none};
use crate::text::{Paint, Style, safe};
use ::access::words::{name, object_json};
use ::access::{Gathered, PathType, Reach, access_word, rows};

/// Addresses that stand in the narrow table; the others stand below it.
const ADDRESSES: usize = 2;
/// Other addresses that stand beside the line for a hosts file.
const OTHERS: usize = 8;
const WIDE: &[&str] = &["GATEWAY", "BACKEND", "ALL-ADDRESSES"];

pub(super) fn show(gathered: &Gathered, namespace: Option<&str>, paint: Paint) -> Shown {
    let all = rows(&gathered.objects);
    if gathered.from == Reach::Files && all.iter().all(|it| it.reached.addresses.is_empty()) {
        eprintln!("these files have no statuses, which say where routes are reached; ask an API server, or take files as it gives them");
    }
    let found: Vec<&::access::Row> = all.iter().filter(|it| namespace.is_none_or(|wanted| *it.object.namespace == *wanted)).collect();
    let mut header = vec!["DOMAIN", "PATH", "ACCESS", "PORT", "ADDRESS", "OBJECT"];
    if namespace.is_none() {
        header.insert(0, "NAMESPACE");
    }
    Shown {
        header,
        wide: WIDE,
        rows: found.iter().map(|it| row(it, namespace.is_none())).collect(),
        more: found.iter().map(|it| lines(it, paint)).collect(),
        none: match namespace {
            Some(namespace) => format!("{namespace} has no routes"),
            None => "there are no routes that you may see".to_owned(),
        },
    }
}

fn row(row: &::access::Row, is_of_all: bool) -> Row {
    let object = &row.object;
    let path = match row.path_type {
        PathType::Prefix => row.path.clone(),
        PathType::Exact => format!("={}", row.path),
        PathType::Pattern => format!("~{}", row.path),
        PathType::None => "-".to_owned(),
    };
    let addresses = &row.reached.addresses;
    let mut shown = addresses.iter().take(ADDRESSES).cloned().collect::<Vec<_>>().join(",");
    if addresses.len() > ADDRESSES {
        shown.push_str(&format!(",+{}", addresses.len() - ADDRESSES));
    }
    let unqualified = format!("{} {}", object.kind.split('.').next().unwrap_or_default(), object.name);
    let mut cells = vec![
        row.domain.clone(),
        path,
        row.reached.access.map_or("<none>", access_word).to_owned(),
        row.port().map_or_else(|| "<none>".to_owned(), |it| it.to_string()),
        or_none(shown),
        unqualified,
    ];
    if is_of_all {
        cells.insert(0, object.namespace.to_string());
    }
    let gateway = row.reached.gateway.as_ref().map(|it| format!("{}/{}", it.namespace, it.name));
    Row {
        name: object_name(object),
        cells,
        wide: vec![gateway.unwrap_or_else(|| "<unseen>".to_owned()), or_none(row.backend.clone()), or_none(addresses.join(","))],
        json: {
            let mut json = row.json();
            json["object"] = object_json(object);
            json
        },
    }
}

/// The link, a line for a hosts file, and a command, each by itself on a line that may be copied.
fn lines(row: &::access::Row, paint: Paint) -> String {
    let heading = |text: &str| format!("\n{}\n", paint.paint(Style::Bold, &safe(text)));
    let remark = |text: &str| paint.paint(Style::Dim, &safe(&format!("# {text}")));
    let note = row
        .note
        .as_ref()
        .map(|it| format!("  {}\n", paint.paint(Style::Warning, &format!("# {}", safe(&it.to_string())))))
        .unwrap_or_default();
    let Some(link) = row.link() else {
        let why = match (&row.note, row.domain.contains('*')) {
            (Some(_), _) => String::new(),
            (None, true) => format!("  {}\n", remark("any name below this domain, once it leads to the address above")),
            (None, false) => format!("  {}\n", remark(&format!("{} is not reached from outside", name(&row.object)))),
        };
        return format!("{}{why}{note}", heading(&format!("{}{}", row.domain, row.path)));
    };
    let mut lines = heading(&link);
    if let Some(hosts) = row.hosts() {
        let address = hosts.split(' ').next().unwrap_or_default();
        let mut others: Vec<&str> = row.reached.addresses.iter().map(String::as_str).filter(|it| *it != address).collect();
        let rest = others.len().saturating_sub(OTHERS);
        others.truncate(OTHERS);
        let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
        let or = if others.is_empty() { String::new() } else { format!(", or with {}{more}", others.join(", ")) };
        lines.push_str(&format!("  {}   {}\n", safe(&hosts), remark(&format!("for /etc/hosts{or}"))));
    }
    if let Some(curl) = row.curl() {
        lines.push_str(&format!("  {}\n", safe(&curl)));
    }
    lines + &note
}
