//! Filters of an HTTPRoute: what happens to a request or an answer on the way.

use super::super::shape::{Shape, flag, int32, list, object, text, word};
use super::{backend, header_name, port, precise_hostname, reference};

/// A filter's type, and the field that goes with it.
const TYPES: [(&str, &str); 7] = [
    ("RequestHeaderModifier", "requestHeaderModifier"),
    ("ResponseHeaderModifier", "responseHeaderModifier"),
    ("RequestMirror", "requestMirror"),
    ("RequestRedirect", "requestRedirect"),
    ("URLRewrite", "urlRewrite"),
    ("CORS", "cors"),
    ("ExtensionRef", "extensionRef"),
];

/// Types of which a list has one at most.
const ONCE: [&str; 5] = ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS"];

pub(super) fn filters() -> Shape {
    let both = "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))";
    let list = list(filter()).items(0, 16).rule(both, "RequestRedirect and URLRewrite exclude each other");
    let once = |list: Shape, kind: &&str| {
        list.rule(&format!("size(self.filter(f, f.type == '{kind}')) <= 1"), &format!("there is at most one {kind}"))
    };
    ONCE.iter().fold(list, once).about("What happens to requests and answers on the way.")
}

fn filter() -> Shape {
    let filter = object([
        ("type", word(TYPES.map(|(kind, _)| kind))),
        ("requestHeaderModifier", header_modifier()),
        ("responseHeaderModifier", header_modifier()),
        ("requestMirror", mirror()),
        ("requestRedirect", redirect()),
        ("urlRewrite", object([("hostname", precise_hostname()), ("path", new_path())])),
        ("cors", cors()),
        ("extensionRef", reference()),
    ])
    .required(["type"]);
    let together = |filter: Shape, (kind, field): &(&str, &str)| {
        filter.rule(&format!("has(self.{field}) == (self.type == '{kind}')"), &format!("{field} is there if, and only if, type is {kind}"))
    };
    TYPES.iter().fold(filter, together)
}

fn header_modifier() -> Shape {
    let headers = || {
        let header = object([("name", header_name()), ("value", text().length(1, 4096))]).required(["name", "value"]);
        list(header).items(0, 16).keyed("name")
    };
    object([
        ("set", headers().about("In the place of what was there.")),
        ("add", headers().about("Beside what was there.")),
        ("remove", list(text()).items(0, 16).distinct()),
    ])
}

fn mirror() -> Shape {
    let fraction = object([("numerator", int32().least(0)), ("denominator", int32().least(1).default(100))])
        .required(["numerator"])
        .rule("self.numerator <= self.denominator", "a fraction is no more than the whole");
    object([("backendRef", backend()), ("percent", int32().least(0).most(100)), ("fraction", fraction)])
        .required(["backendRef"])
        .rule("!(has(self.percent) && has(self.fraction))", "percent and fraction exclude each other")
}

fn redirect() -> Shape {
    object([
        ("scheme", word(["http", "https"])),
        ("hostname", precise_hostname()),
        ("path", new_path()),
        ("port", port()),
        ("statusCode", int32().without("format").one_of([301, 302, 303, 307, 308]).default(302)),
    ])
}

fn new_path() -> Shape {
    let path = object([
        ("type", word(["ReplaceFullPath", "ReplacePrefixMatch"])),
        ("replaceFullPath", text().length(0, 1024)),
        ("replacePrefixMatch", text().length(0, 1024).about("In the place of the prefix that matched.")),
    ])
    .required(["type"]);
    let together = |path: Shape, (kind, field): &(&str, &str)| {
        path.rule(&format!("has(self.{field}) == (self.type == '{kind}')"), &format!("{field} is there if, and only if, type is {kind}"))
    };
    [("ReplaceFullPath", "replaceFullPath"), ("ReplacePrefixMatch", "replacePrefixMatch")].iter().fold(path, together)
}

fn cors() -> Shape {
    let alone = |list: Shape, what: &str| list.rule("!('*' in self && size(self) > 1)", &format!("`*` stands alone among {what}"));
    let origin = text().length(1, 253).pattern(r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)");
    let method = word(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"]);
    let names = || list(header_name()).items(0, 64).distinct();
    object([
        ("allowOrigins", alone(list(origin).items(0, 64).distinct(), "allowOrigins")),
        ("allowMethods", alone(list(method).items(0, 9).distinct(), "allowMethods")),
        ("allowHeaders", alone(names(), "allowHeaders")),
        ("exposeHeaders", names()),
        ("allowCredentials", flag()),
        ("maxAge", int32().least(1).default(5).about("Seconds that a browser may remember the answer to a preflight.")),
    ])
}
