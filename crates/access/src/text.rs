//! The text a person reads: colour where it is wanted, columns that line up.

use std::io::IsTerminal;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Error,
    Warning,
    Note,
    Good,
    Bold,
    Dim,
}

impl Paint {
    /// For a stream: colour on a terminal, unless NO_COLOR is set or the terminal is dumb.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let refused =
            std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty()) || std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        if stream.is_terminal() && !refused { Self::Colour } else { Self::Plain }
    }

    pub fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Note => "1;36",
            Style::Good => "32",
            Style::Bold => "1",
            Style::Dim => "2",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// Text from objects, fit for a terminal: control characters, which could move the cursor or hide lines, are shown.
pub fn safe(text: &str) -> String {
    text.chars().flat_map(|it| if it.is_control() && it != '\t' { it.escape_default().collect::<Vec<_>>() } else { vec![it] }).collect()
}

/// Rows in columns, three spaces between, no frame; as kubectl prints them.
pub fn table(header: Option<&[&str]>, rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if let Some(header) = header {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows.iter().cloned());
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "x".to_owned()], vec!["牌坊坊".to_owned(), String::new()]];
        assert_eq!(table(Some(&["N", "V"]), &rows), "N        V\na        x\n牌坊坊\n");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(safe("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
    }
}
