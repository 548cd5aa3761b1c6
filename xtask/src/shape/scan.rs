//! Counting lines of code in Rust: a scanner that knows comments, strings and braces, and nothing else of the language.

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Lines with code, tests left out.
    pub lines: usize,
    pub functions: Vec<Function>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// From `fn` to its closing brace.
    pub lines: usize,
}

/// Counts. A function inside a function counts for itself and for the outer one.
pub fn scan(source: &str) -> Scan {
    let lines = code_lines(source);
    let mut scan = Scan::default();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim_start().starts_with("#[cfg(test)]") {
            at = end_of_item(&lines, at + 1) + 1;
            continue;
        }
        if let Some(name) = function_name(&lines[at]) {
            let end = end_of_item(&lines, at);
            if lines[at..=end].iter().any(|line| line.contains('{')) {
                let count = lines[at..=end].iter().filter(|line| is_code(line)).count();
                scan.functions.push(Function { name, lines: count });
            }
        }
        scan.lines += usize::from(is_code(&lines[at]));
        at += 1;
    }
    scan
}

fn is_code(line: &str) -> bool {
    !line.trim().is_empty()
}

/// The line where the item that begins here ends: at its closing brace, or at a `;` before any brace.
fn end_of_item(lines: &[String], begin: usize) -> usize {
    let mut depth = 0_i32;
    let mut round = 0_i32;
    for (index, line) in lines.iter().enumerate().skip(begin) {
        for letter in line.chars() {
            match letter {
                '(' | '[' => round += 1,
                ')' | ']' => round -= 1,
                '{' => depth += 1,
                '}' => depth -= 1,
                ';' if depth == 0 && round == 0 => return index,
                _ => {}
            }
            if letter == '}' && depth <= 0 {
                return index;
            }
        }
    }
    lines.len().saturating_sub(1)
}

fn function_name(line: &str) -> Option<String> {
    let before = ["pub", "const", "async", "unsafe", "extern", "default", "pub(crate)", "pub(super)", "\"\""];
    let mut words = line.split_whitespace();
    let word = words.by_ref().find(|word| !before.contains(word) && !word.starts_with("pub(in"))?;
    let name = (word == "fn").then(|| words.next())??;
    let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(name.len());
    Some(name[..end].to_owned()).filter(|name| !name.is_empty())
}

/// The source line by line, with comments and the insides of strings and characters taken out.
fn code_lines(source: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let skip = skipped(rest);
        if skip > 0 {
            let string = letter != '/';
            let breaks = rest[..skip].matches('\n').count();
            // A string's lines are code, a comment's are not.
            let placeholder = if string { "\"\"" } else { "" };
            out.last_mut().expect("never empty").push_str(placeholder);
            out.extend((0..breaks).map(|_| placeholder.to_owned()));
            rest = &rest[skip..];
            continue;
        }
        match letter {
            '\n' => out.push(String::new()),
            _ => out.last_mut().expect("never empty").push(letter),
        }
        // The letters of a word go together, so that the `r` in `for"` begins no raw string.
        let word = if letter.is_alphanumeric() || letter == '_' { word_length(rest) } else { letter.len_utf8() };
        out.last_mut().expect("never empty").push_str(&rest[letter.len_utf8()..word]);
        rest = &rest[word..];
    }
    out
}

fn word_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len())
}

/// How many octets a comment, string or character takes that begins here; 0 where none does.
fn skipped(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text, 1);
    }
    if text.starts_with('\'') {
        return character(text);
    }
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('"') || (prefix.ends_with('r') && rest.starts_with("#")))
    });
    match prefix {
        Some(prefix) if prefix.ends_with('r') => raw(text, prefix.len()),
        Some(prefix) => quoted(text, prefix.len() + 1),
        None => 0,
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn quoted(text: &str, begin: usize) -> usize {
    let mut escaped = false;
    for (at, letter) in text[begin..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return begin + at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw(text: &str, prefix: usize) -> usize {
    let hashes = text[prefix..].chars().take_while(|letter| *letter == '#').count();
    let begin = prefix + hashes + 1;
    // `r#name` is an identifier.
    if !text[prefix + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len())
}

/// A character, or 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => text[2..].char_indices().skip(1).find(|(_, letter)| *letter == '\'').map_or(0, |(at, _)| at + 3),
        Some(_) => letters.next().filter(|(_, letter)| *letter == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, lines: usize, functions: &[(&str, usize)]) {
        let scan = scan(source);
        let found: Vec<(&str, usize)> = scan.functions.iter().map(|function| (function.name.as_str(), function.lines)).collect();
        assert_eq!((scan.lines, found.as_slice()), (lines, functions), "{source}");
    }

    #[test]
    fn comments_and_blank_lines_do_not_count() {
        check("//! doc\n\nuse a;\n/* {\n } */\nfn f() {\n    // {\n    g(); // }\n}\n", 4, &[("f", 3)]);
        check("/* a /* b */ fn no() {} */\n", 0, &[]);
    }

    #[test]
    fn strings_hold_no_braces() {
        check("fn f() {\n    a(\"{ \\\" //\", '{', '\\'', b\"}\", r#\"{\"{\"#);\n}\nfn g<'a>() {}\n", 4, &[("f", 3), ("g", 1)]);
        check("const A: &str = \"one\ntwo\n\";\n", 3, &[]);
    }

    #[test]
    fn tests_do_not_count() {
        check("fn f() {}\n#[cfg(test)]\nmod tests {\n    fn t() {\n    }\n}\nfn g() {}\n", 2, &[("f", 1), ("g", 1)]);
        check("#[cfg(test)]\nmod tests;\nfn g() {}\n", 1, &[("g", 1)]);
    }

    #[test]
    fn functions_of_every_kind() {
        check("pub(crate) async fn one(a: [u8; 2]) -> u8 {\n    fn two() {\n    }\n}\n", 4, &[("one", 4), ("two", 2)]);
        check("trait T {\n    fn declared(&self);\n    fn given(&self) {\n    }\n}\n", 5, &[("given", 2)]);
        check("type F = fn(u8);\nlet f: fn() = g;\n", 2, &[]);
    }
}
