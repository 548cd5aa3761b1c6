//! One filter.

use super::route::{backend, forward, pattern, read_forward, read_pattern, read_value, value};
use super::{Backends, nanoseconds, needed, number, strings, texts};
use crate::wire::Unread;
use crate::wire::route::{
    Cors, ErrorPages, Fault, Field, Filter, FilterKind, HeaderEdit, HttpsRedirect, Mirror, Rewrite, Share, Template, TemplatePart,
};
use crate::wire::word::Word;
use model::Percent;
use std::sync::Arc;
use std::time::Duration;

/// With its name, for gateways that do not know it.
pub fn filter(it: &model::Filter) -> Filter {
    let (name, kind) = match it {
        model::Filter::HttpsRedirect(it) => {
            let model::HttpsRedirect { when, status, trailing_slash } = it;
            let kind = HttpsRedirect { when: when.number(), status: (*status).into(), trailing_slash: trailing_slash.number() };
            ("https-redirect", FilterKind::HttpsRedirect(kind))
        }
        model::Filter::Rewrite(it) => ("rewrite", FilterKind::Rewrite(rewrite(it))),
        model::Filter::SetHost(host) => ("set-host", FilterKind::SetHost(host.to_string())),
        model::Filter::BodyLimit(octets) => ("body-limit", FilterKind::BodyLimit(*octets)),
        model::Filter::RequestHeader(it) => ("request-header", FilterKind::RequestHeader(edit(it))),
        model::Filter::ResponseHeader(it) => ("response-header", FilterKind::ResponseHeader(edit(it))),
        model::Filter::Hsts(value) => ("hsts", FilterKind::Hsts(value.to_string())),
        model::Filter::Cors(it) => ("cors", FilterKind::Cors(cors(it))),
        model::Filter::Fault(it) => ("fault", FilterKind::Fault(fault(it))),
        model::Filter::Mirror(it) => {
            let model::Mirror { backend: to, percent } = it;
            ("mirror", FilterKind::Mirror(Mirror { backend: to.as_deref().map(backend), millionths: percent.0 }))
        }
        model::Filter::ErrorPages(it) => ("error-pages", FilterKind::ErrorPages(error_pages(it))),
    };
    Filter { name: name.to_owned(), kind: Some(kind) }
}

pub fn read_filter(from: Filter, backends: &mut Backends) -> Result<model::Filter, Unread> {
    let Some(kind) = from.kind else {
        return Err(Unread(format!("filter `{}` is not known to this version of the gateway", from.name)));
    };
    let named = |why: Unread| Unread(format!("filter `{}`: {why}", from.name));
    read_kind(kind, backends).map_err(named)
}

fn read_kind(kind: FilterKind, backends: &mut Backends) -> Result<model::Filter, Unread> {
    Ok(match kind {
        FilterKind::HttpsRedirect(it) => model::Filter::HttpsRedirect(model::HttpsRedirect {
            when: model::RedirectWhen::read(it.when)?,
            status: number("a redirect", it.status)?,
            trailing_slash: model::TrailingSlash::read(it.trailing_slash)?,
        }),
        FilterKind::Rewrite(it) => model::Filter::Rewrite(read_rewrite(it)?),
        FilterKind::SetHost(host) => model::Filter::SetHost(host.into()),
        FilterKind::BodyLimit(octets) => model::Filter::BodyLimit(octets),
        FilterKind::RequestHeader(it) => model::Filter::RequestHeader(read_edit(it)?),
        FilterKind::ResponseHeader(it) => model::Filter::ResponseHeader(read_edit(it)?),
        FilterKind::Hsts(value) => model::Filter::Hsts(value.into()),
        FilterKind::Cors(it) => model::Filter::Cors(read_cors(it)?),
        FilterKind::Fault(it) => model::Filter::Fault(read_fault(it)?),
        FilterKind::Mirror(it) => {
            model::Filter::Mirror(model::Mirror { backend: backends.read(it.backend)?, percent: Percent(it.millionths) })
        }
        FilterKind::ErrorPages(it) => model::Filter::ErrorPages(Arc::new(read_error_pages(it, backends)?)),
    })
}

fn rewrite(it: &model::Rewrite) -> Rewrite {
    let by_pattern = |kind, by, parts: &[model::TemplatePart]| Rewrite {
        kind,
        pattern: Some(pattern(by)),
        template: parts.iter().map(part).collect(),
        ..Rewrite::default()
    };
    match it {
        model::Rewrite::Regex { pattern, template } => by_pattern(1, pattern, template),
        model::Rewrite::Prefix { prefix, replacement } => {
            Rewrite { kind: 2, prefix: prefix.to_string(), replacement: replacement.to_string(), ..Rewrite::default() }
        }
        model::Rewrite::Full(path) => Rewrite { kind: 3, replacement: path.to_string(), ..Rewrite::default() },
        model::Rewrite::Replace { pattern, template } => by_pattern(4, pattern, template),
    }
}

fn read_rewrite(from: Rewrite) -> Result<model::Rewrite, Unread> {
    let template = |parts: Vec<TemplatePart>| parts.into_iter().map(read_part).collect::<Result<_, _>>();
    Ok(match from.kind {
        1 => model::Rewrite::Regex { pattern: read_pattern(from.pattern)?, template: template(from.template)? },
        2 => model::Rewrite::Prefix { prefix: from.prefix.into(), replacement: from.replacement.into() },
        3 => model::Rewrite::Full(from.replacement.into()),
        4 => model::Rewrite::Replace { pattern: read_pattern(from.pattern)?, template: template(from.template)? },
        _ => return Err(Unread::unknown("a rewrite")),
    })
}

fn part(it: &model::TemplatePart) -> TemplatePart {
    let part = match it {
        model::TemplatePart::Literal(text) => Template::Literal(text.to_string()),
        model::TemplatePart::Capture(group) => Template::Capture((*group).into()),
    };
    TemplatePart { part: Some(part) }
}

fn read_part(from: TemplatePart) -> Result<model::TemplatePart, Unread> {
    match from.part {
        Some(Template::Literal(text)) => Ok(model::TemplatePart::Literal(text.into())),
        Some(Template::Capture(group)) => number("a replacement", group).map(model::TemplatePart::Capture),
        None => Err(Unread::unknown("a replacement's part")),
    }
}

fn edit(it: &model::HeaderEdit) -> HeaderEdit {
    let (kind, name, value) = match it {
        model::HeaderEdit::Set { name, value } => (1, name, Some(value)),
        model::HeaderEdit::Add { name, value } => (2, name, Some(value)),
        model::HeaderEdit::Remove { name } => (3, name, None),
    };
    HeaderEdit { kind, name: name.to_string(), value: value.map(ToString::to_string).unwrap_or_default() }
}

fn read_edit(from: HeaderEdit) -> Result<model::HeaderEdit, Unread> {
    let (name, value) = (from.name.into(), from.value.into());
    match from.kind {
        1 => Ok(model::HeaderEdit::Set { name, value }),
        2 => Ok(model::HeaderEdit::Add { name, value }),
        3 => Ok(model::HeaderEdit::Remove { name }),
        _ => Err(Unread::unknown("a header edit")),
    }
}

fn cors(it: &model::Cors) -> Cors {
    let model::Cors { origins, methods, headers, expose, credentials, max_age, preflight, unmatched } = it;
    Cors {
        origins: origins.iter().map(value).collect(),
        methods: strings(methods),
        headers: strings(headers),
        expose: strings(expose),
        credentials: *credentials,
        max_age: max_age.map(nanoseconds),
        preflight: (*preflight).into(),
        unmatched: unmatched.number(),
    }
}

fn read_cors(from: Cors) -> Result<model::Cors, Unread> {
    Ok(model::Cors {
        origins: from.origins.into_iter().map(read_value).collect::<Result<_, _>>()?,
        methods: texts(from.methods),
        headers: texts(from.headers),
        expose: texts(from.expose),
        credentials: from.credentials,
        max_age: from.max_age.map(Duration::from_nanos),
        preflight: number("a preflight's status", from.preflight)?,
        unmatched: model::UnmatchedPreflight::read(from.unmatched)?,
    })
}

fn fault(it: &model::Fault) -> Fault {
    let model::Fault { delay, abort } = it;
    let share = |percent: Percent, value| Share { millionths: percent.0, value };
    Fault {
        delay: delay.map(|(percent, duration)| share(percent, nanoseconds(duration))),
        abort: abort.map(|(percent, status)| share(percent, status.into())),
    }
}

fn read_fault(from: Fault) -> Result<model::Fault, Unread> {
    let status = |it: Share| u16::try_from(it.value).map_err(|_| Unread(format!("a status out of range: {}", it.value)));
    Ok(model::Fault {
        delay: from.delay.map(|it| (Percent(it.millionths), Duration::from_nanos(it.value))),
        abort: from.abort.map(|it| Ok::<_, Unread>((Percent(it.millionths), status(it)?))).transpose()?,
    })
}

fn error_pages(it: &model::ErrorPages) -> ErrorPages {
    let model::ErrorPages { statuses, unavailable, forward: to, fields } = it;
    ErrorPages {
        statuses: statuses.iter().map(|it| u32::from(*it)).collect(),
        unavailable: unavailable.number(),
        forward: Some(forward(to)),
        fields: fields.iter().map(|(name, value)| Field { name: name.to_string(), value: value.to_string() }).collect(),
    }
}

fn read_error_pages(from: ErrorPages, backends: &mut Backends) -> Result<model::ErrorPages, Unread> {
    Ok(model::ErrorPages {
        statuses: from.statuses.into_iter().map(|it| number("a status", it)).collect::<Result<_, _>>()?,
        unavailable: model::Unavailable::read(from.unavailable)?,
        forward: read_forward(needed("where error pages come from", from.forward)?, backends)?,
        fields: from.fields.into_iter().map(|it| (it.name.into(), it.value.into())).collect(),
    })
}
