//! The last lines of the access log, kept in a folder for those who look at them later: a few files, the oldest of which goes when there are too many.
//!
//! **Invariant:** the folder holds at most [`FILES`] files of about [`FILE`] octets, whatever comes; nobody but the process's own user reads it.
//! **Invariant:** whoever reads gets whole lines, and never more at once than was asked for.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Octets of one file; together they are 64 MiB.
const FILE: u64 = 8 << 20;
const FILES: u64 = 8;
/// Read at once.
const CHUNK: usize = 256 << 10;
/// A longer line is passed over.
const LINE: usize = 1 << 20;

/// The writing end.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    number: u64,
    file: File,
    size: u64,
}

/// The reading end.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this gateway.
    pub gateway: String,
    /// With this in it, whatever the case of its letters.
    pub text: String,
    /// Not older: a time as lines have it, or its beginning.
    pub since: String,
}

/// What lines go through that are wanted.
#[derive(Clone, Debug)]
pub struct Sieve {
    wanted: Wanted,
    mark: String,
}

/// A place in what is kept.
#[derive(Clone, Debug)]
pub struct Reader {
    folder: PathBuf,
    sieve: Sieve,
    number: u64,
    offset: u64,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
}

// === impl Keeper ===

impl Keeper {
    /// Goes on in a file of its own: the last line of an earlier process may be half a one.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let number = numbers(folder)?.last().map_or(0, |last| last + 1);
        let file = create(folder, number)?;
        let keeper = Self { folder: folder.to_owned(), number, file, size: 0 };
        keeper.forget();
        Ok(keeper)
    }

    fn forget(&self) {
        for old in numbers(&self.folder).unwrap_or_default().into_iter().filter(|number| number + FILES <= self.number) {
            // One that cannot be deleted now is tried again with the next.
            let _ = fs::remove_file(path(&self.folder, old));
        }
    }
}

/// Takes whole lines.
impl Write for Keeper {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + lines.len() as u64 > FILE {
            self.number += 1;
            self.file = create(&self.folder, self.number)?;
            self.size = 0;
            self.forget();
        }
        self.file.write_all(lines)?;
        self.size += lines.len() as u64;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Kept ===

impl Kept {
    /// What another process or an earlier one has kept there counts, too.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// All that is wanted and kept, from the oldest on.
    pub fn all(&self, wanted: Wanted) -> Reader {
        let number = numbers(&self.folder).ok().and_then(|all| all.first().copied()).unwrap_or(0);
        Reader::new(&self.folder, wanted, number, 0)
    }

    /// What is written from now on.
    pub fn from_now(&self, wanted: Wanted) -> Reader {
        let number = numbers(&self.folder).ok().and_then(|all| all.last().copied()).unwrap_or(0);
        let offset = fs::metadata(path(&self.folder, number)).map_or(0, |file| file.len());
        Reader::new(&self.folder, wanted, number, offset)
    }

    /// The last `limit` lines that are wanted, oldest first, and where to go on. `octets`: the most they may be together; the newest stay.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn last(&self, wanted: Wanted, limit: usize, octets: usize) -> io::Result<(Vec<u8>, Reader)> {
        let mut reader = self.all(wanted);
        let (mut lines, mut size) = (VecDeque::new(), 0);
        loop {
            let read = reader.read()?;
            for line in read.lines.split_inclusive(|octet| *octet == b'\n') {
                size += line.len();
                lines.push_back(line.to_vec());
                while lines.len() > limit || size > octets && lines.len() > 1 {
                    size -= lines.pop_front().map_or(0, |line| line.len());
                }
            }
            if read.at_end {
                return Ok((lines.into_iter().flatten().collect(), reader));
            }
        }
    }
}

/// What a look has brought.
#[derive(Debug)]
pub struct Lines {
    pub lines: Vec<u8>,
    /// Nothing more has been written yet.
    pub at_end: bool,
}

// === impl Reader ===

impl Reader {
    fn new(folder: &Path, wanted: Wanted, number: u64, offset: u64) -> Self {
        Self { folder: folder.to_owned(), sieve: Sieve::new(wanted), number, offset, rest: Vec::new() }
    }

    /// The lines that are wanted among the next that were written.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn read(&mut self) -> io::Result<Lines> {
        let mut octets = vec![0; CHUNK];
        let read = match File::open(path(&self.folder, self.number)) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(self.offset))?;
                file.read(&mut octets)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if read == 0 {
            let next = numbers(&self.folder)?.into_iter().find(|number| *number > self.number);
            let Some(next) = next else { return Ok(Lines { lines: Vec::new(), at_end: true }) };
            (self.number, self.offset) = (next, 0);
            self.rest.clear();
            return Ok(Lines { lines: Vec::new(), at_end: false });
        }
        self.offset += read as u64;
        self.rest.extend_from_slice(&octets[..read]);
        let whole = self.rest.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
        let rest = self.rest.split_off(whole);
        let of = std::mem::replace(&mut self.rest, rest);
        if self.rest.len() > LINE {
            self.rest.clear();
        }
        let lines = of.split_inclusive(|octet| *octet == b'\n').filter(|line| self.sieve.takes(line)).flatten().copied().collect();
        Ok(Lines { lines, at_end: false })
    }
}

// === impl Sieve ===

impl Sieve {
    pub fn new(wanted: Wanted) -> Self {
        // As `json` writes it.
        let mark = format!("\"gateway\":{}", quoted(&wanted.gateway));
        Self { wanted: Wanted { text: wanted.text.to_lowercase(), ..wanted }, mark }
    }

    pub fn takes(&self, line: &[u8]) -> bool {
        let Ok(line) = std::str::from_utf8(line) else { return false };
        let time = line.strip_prefix("{\"time\":\"").unwrap_or("");
        line.contains(&self.mark)
            && (self.wanted.since.is_empty() || time >= self.wanted.since.as_str())
            && (self.wanted.text.is_empty() || line.to_lowercase().contains(&self.wanted.text))
    }
}

fn quoted(text: &str) -> String {
    let mut line = Vec::new();
    let mut object = crate::json::Object::open(&mut line);
    object.text("", text.as_bytes());
    object.close();
    // Without `{"":` and `}`.
    String::from_utf8_lossy(line.get(4..line.len().saturating_sub(1)).unwrap_or_default()).into_owned()
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("access-{number}.log"))
}

fn create(folder: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).mode(0o600).open(path(folder, number))
}

/// Of the files that are there, in order.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_prefix("access-")?.strip_suffix(".log")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn line(gateway: &str, second: u32, path: &str) -> String {
        format!("{{\"time\":\"2026-11-21T10:00:{second:02}.000Z\",\"path\":\"{path}\",\"gateway\":\"{gateway}\",\"listener\":\"http\"}}\n")
    }

    fn wanted(gateway: &str) -> Wanted {
        Wanted { gateway: gateway.into(), ..Wanted::default() }
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let (mut keeper, kept) = (Keeper::open(&log).expect("opened"), Kept::at(log));
        for (gateway, second, path) in [("a", 1, "/One"), ("b", 2, "/two"), ("a", 3, "/three"), ("a\\\"", 4, "/four")] {
            keeper.write_all(line(gateway, second, path).as_bytes()).expect("written");
        }
        let text = |wanted: Wanted, limit| String::from_utf8(kept.last(wanted, limit, 1 << 20).expect("read").0).expect("text");
        assert_eq!(text(wanted("a"), 10), line("a", 1, "/One") + &line("a", 3, "/three"));
        assert_eq!(text(wanted("a"), 1), line("a", 3, "/three"));
        assert_eq!(text(Wanted { text: "oNe".into(), ..wanted("a") }, 10), line("a", 1, "/One"));
        assert_eq!(text(Wanted { since: "2026-11-21T10:00:02".into(), ..wanted("a") }, 10), line("a", 3, "/three"));
        assert_eq!(text(wanted("a\\"), 10), "");
        assert_eq!(text(wanted("a\\\""), 10), "");
        assert_eq!(text(wanted(""), 10), "");
        let mode = fs::metadata(folder.path().join("log/access-0.log")).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }

    #[test]
    fn what_comes_later_follows() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut keeper, kept) = (Keeper::open(folder.path()).expect("opened"), Kept::at(folder.path()));
        keeper.write_all(line("a", 1, "/old").as_bytes()).expect("written");
        let mut reader = kept.from_now(wanted("a"));
        assert!(reader.read().expect("read").at_end);
        let new = line("a", 2, "/new");
        // Half a line is none.
        keeper.file.write_all(&new.as_bytes()[..20]).expect("written");
        assert_eq!(reader.read().expect("read").lines, b"");
        keeper.file.write_all(&new.as_bytes()[20..]).expect("written");
        assert_eq!(reader.read().expect("read").lines, new.as_bytes());
        // A later process goes on in another file.
        let mut keeper = Keeper::open(folder.path()).expect("opened");
        keeper.write_all(line("a", 3, "/newer").as_bytes()).expect("written");
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.extend(reader.read().expect("read").lines);
        }
        assert_eq!(seen, line("a", 3, "/newer").as_bytes());
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut keeper, kept) = (Keeper::open(folder.path()).expect("opened"), Kept::at(folder.path()));
        let many = line("a", 1, &"x".repeat(4_000)).repeat(500);
        for _ in 0..60 {
            keeper.write_all(many.as_bytes()).expect("written");
        }
        let size: u64 = fs::read_dir(folder.path()).expect("there").map(|it| it.expect("an entry").metadata().expect("there").len()).sum();
        assert!(size <= FILE * FILES && size > FILE * (FILES - 2), "{size}");
        let (lines, _) = kept.last(wanted("a"), usize::MAX, 1 << 20).expect("read");
        assert!(lines.len() <= 1 << 20 && lines.len() > 1 << 19, "{}", lines.len());
    }
}
