//! What users write as a path or a pattern, judged and put as the data plane has it: one answer for all frontends.

use model::{Engine, Text};
use regex_automata::nfa::thompson;
use regex_syntax::ParserBuilder;
use std::fmt::Write;

/// A regular expression that some engine takes.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    pub engine: Engine,
    /// Without the whole match.
    pub groups: usize,
}

/// The bounds of the data plane's engines; a pattern beyond them would be refused there.
const LONGEST: usize = 4096;
const SIZE: usize = 64 << 10;
const NESTING: u32 = 50;
const STEPS: usize = 10_000;

/// Which engine a pattern needs, or why none takes it.
pub fn judge(text: &str) -> Result<Judged, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    if let Some(groups) = common(text) {
        return Ok(Judged { engine: Engine::Linear, groups });
    }
    let why = match linear(text) {
        Ok(groups) => return Ok(Judged { engine: Engine::Linear, groups }),
        Err(why) => why,
    };
    let backtracking = fancy_regex::RegexBuilder::new(&format!(r"\A(?:{text})"))
        .case_insensitive(true)
        .bytes_mode(fancy_regex::BytesMode::Ascii)
        .backtrack_limit(STEPS)
        .delegate_size_limit(SIZE)
        .build();
    match backtracking {
        Ok(regex) => Ok(Judged { engine: Engine::Backtracking, groups: regex.captures_len().saturating_sub(1) }),
        Err(_) => Err(why),
    }
}

fn linear(text: &str) -> Result<usize, String> {
    let mut parser = ParserBuilder::new();
    parser.unicode(false).utf8(false).nest_limit(NESTING).case_insensitive(true);
    let hir = parser.build().parse(text).map_err(|error| match &error {
        regex_syntax::Error::Parse(it) => format!("{} at character {}", it.kind(), it.span().start.offset + 1),
        regex_syntax::Error::Translate(it) => format!("{} at character {}", it.kind(), it.span().start.offset + 1),
        other => other.to_string().lines().last().unwrap_or_default().to_owned(),
    })?;
    let groups = hir.properties().explicit_captures_len();
    let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE));
    match thompson::Compiler::new().configure(config).build_from_hir(&hir) {
        Ok(_) => Ok(groups),
        Err(_) => Err(format!("compiled, it is larger than {} KiB", SIZE >> 10)),
    }
}

/// How most paths end that are patterns, and their groups. Whole patterns need no compiler to be judged.
const ENDS: [(&str, usize); 8] =
    [("", 0), ("(/|$)(.*)", 2), ("/(.*)", 1), ("(.*)", 1), ("/?(.*)", 1), ("(/.*)?", 1), (".*", 0), ("(/|$)", 1)];

/// The groups of a plain text with a common end.
fn common(text: &str) -> Option<usize> {
    ENDS.into_iter().find_map(|(end, groups)| text.strip_suffix(end).filter(|start| is_plain(start)).map(|_| groups))
}

/// Nothing in it means anything but itself, or any character.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'~' | b'.'))
}

/// The text as a pattern that means itself.
pub fn quoted(text: &str) -> String {
    regex_syntax::escape(text)
}

/// What everything that the pattern finds begins with: its text up to the first character that means something else.
pub fn literal_prefix(text: &str) -> &str {
    let end = text.find(|char: char| r".^$*+?()[]{}|\".contains(char)).unwrap_or(text.len());
    let depth = |prefix: &str| prefix.matches('(').count() > prefix.matches(')').count();
    let alternatives = text.match_indices('|').any(|(at, _)| !depth(&text[..at]));
    let repeated = text[end..].starts_with(['*', '+', '?', '{']);
    let cut = if repeated { text[..end].char_indices().last().map_or(0, |(at, _)| at) } else { end };
    if alternatives { "" } else { &text[..cut] }
}

/// A written path as the canonical path has it: escapes of unreserved characters decoded, others in upper case, what no path holds escaped.
pub fn canonical(path: &str) -> Text {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| hex(bytes.get(at + 1), bytes.get(at + 2))).flatten();
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(it) if is_unreserved(it) => out.push(char::from(it)),
            Some(it) => escape(&mut out, it),
            None if is_unreserved(byte) || b"!$&'()*+,;=:@/%".contains(&byte) => out.push(char::from(byte)),
            None => escape(&mut out, byte),
        }
    }
    out.into()
}

fn escape(out: &mut String, byte: u8) {
    // Writing to a string does not fail.
    let _ = write!(out, "%{byte:02X}");
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests;
