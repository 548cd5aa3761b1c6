//! The routing table that all peers are given, in a form that none of them owns.

use std::net::SocketAddr;

/// How much of everything.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Size {
    #[arg(long)]
    pub hosts: usize,
    #[arg(long)]
    pub backends: usize,
    /// Each for one host, from the first on; the rest has none. (nginx before 1.27.4 reads a certificate again for each host that has it, which
    /// would measure that.)
    #[arg(long)]
    pub certificates: usize,
    /// Of a hundred hosts, how many have a regular expression for a path.
    #[arg(long)]
    pub regex_percent: usize,
}

/// One host with one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub host: String,
    pub path: Path,
    /// Index of the backend.
    pub backend: usize,
    /// Index of the certificate.
    pub certificate: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Everything below `/`.
    All,
    /// `/app7(/|$)(.*)`, rewritten to `/$2`: the form that most Ingresses with regular expressions have.
    Captured { prefix: String },
    /// A pattern that only an engine can match, not rewritten.
    Pattern(String),
}

/// A size, and where its backends are: all of them on the same origin.
#[derive(Clone, Debug)]
pub struct Table {
    pub size: Size,
    pub origin: SocketAddr,
    /// Where edited hosts go; `None`: there are no edits.
    pub second: Option<SocketAddr>,
}

// === impl Size ===

impl Size {
    /// For what measures requests.
    pub const TEN: Self = Self { hosts: 10, backends: 10, certificates: 10, regex_percent: 0 };

    /// For what measures change.
    pub const TEN_THOUSAND_PLAIN: Self = Self { hosts: 10_000, backends: 2_000, certificates: 0, regex_percent: 0 };

    /// For what measures growth.
    pub const TEN_THOUSAND: Self = Self { hosts: 10_000, backends: 2_000, certificates: 100, regex_percent: 30 };
}

// === impl Table ===

impl Table {
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.size.hosts).map(|index| self.row(index))
    }

    pub fn row(&self, index: usize) -> Row {
        let Size { hosts: _, backends, certificates, regex_percent } = self.size;
        let is_regex = index % 100 < regex_percent;
        let path = match is_regex {
            false => Path::All,
            // Of the expressions, two thirds have the common form, one third needs an engine; people copy those from one another.
            true if index % 3 < 2 => Path::Captured { prefix: format!("/app{index}") },
            true => Path::Pattern(format!("/v[0-9]+/(items|orders)/[a-z0-9-]+/part{}", index % 20)),
        };
        let certificate = (index < certificates).then_some(index);
        Row { host: host(index), path, backend: index % backends, certificate }
    }

    /// A path that a row's route matches.
    pub fn sample_path(row: &Row, rest: &str) -> String {
        match &row.path {
            Path::All => rest.to_owned(),
            Path::Captured { prefix } => format!("{prefix}{rest}"),
            Path::Pattern(pattern) => {
                let part = pattern.rsplit('/').next().unwrap_or_default();
                format!("/v1/items/a/{part}{rest}")
            }
        }
    }
}

pub fn host(index: usize) -> String {
    format!("host{index}.bench.test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_told() {
        let table = Table { size: Size::TEN_THOUSAND, origin: ([127, 0, 0, 1], 1).into(), second: None };
        let rows: Vec<Row> = table.rows().collect();
        assert_eq!(rows.iter().filter(|row| row.path != Path::All).count(), 3_000);
        assert_eq!(rows.iter().filter(|row| matches!(row.path, Path::Pattern(_))).count(), 1_000);
        assert_eq!(rows.iter().filter(|row| row.certificate.is_some()).count(), 100);
        assert_eq!(rows.iter().map(|row| row.backend).max(), Some(1_999));
    }
}
