//! Passwords: from standard input or typed unseen, never from the command line, where others could read them.

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

/// No password is longer.
const LONGEST: u64 = 4096;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    User,
    Password,
    Current,
    New,
    Again,
}

/// Where answers come from.
pub(super) enum From {
    Input(Box<dyn BufRead + Send>),
    Terminal(BufReader<File>),
}

/// Lines of standard input.
pub(super) fn lines() -> From {
    From::Input(Box::new(BufReader::new(std::io::stdin())))
}

/// The terminal, whatever standard input is.
pub(super) fn prompts() -> Result<From> {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let terminal = terminal.context("there is no terminal to ask at; use --password-stdin")?;
    Ok(From::Terminal(BufReader::new(terminal)))
}

/// The next answer.
pub(super) fn line(from: &mut From, what: Line) -> Result<String> {
    let text = match from {
        From::Input(input) => read(input)?,
        From::Terminal(terminal) => ask(terminal, what)?,
    };
    if text.is_empty() {
        bail!("{} is empty", what.words());
    }
    Ok(text)
}

fn ask(terminal: &mut BufReader<File>, what: Line) -> Result<String> {
    let mut screen = terminal.get_ref();
    write!(screen, "{}: ", what.words())?;
    screen.flush()?;
    if what == Line::User {
        return read(terminal);
    }
    let before = tcgetattr(terminal.get_ref())?;
    let _shown = Unseen::begin(terminal.get_ref().try_clone()?, before)?;
    let text = read(terminal)?;
    writeln!(terminal.get_ref())?;
    Ok(text)
}

fn read(from: &mut impl BufRead) -> Result<String> {
    let mut text = String::new();
    from.by_ref().take(LONGEST + 1).read_line(&mut text)?;
    if text.len() as u64 > LONGEST {
        bail!("this is longer than a password may be");
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Unseen {
    terminal: File,
    before: Termios,
}

// === impl Unseen ===

impl Unseen {
    fn begin(terminal: File, before: Termios) -> Result<Self> {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // The terminal is gone: nobody is left to see.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

// === impl Line ===

impl Line {
    const fn words(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Password => "Password",
            Self::Current => "Present password",
            Self::New => "New password",
            Self::Again => "New password, again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one_without_their_ends() {
        let mut from = From::Input(Box::new(std::io::Cursor::new("one\r\ntwo\n\n")));
        assert_eq!(line(&mut from, Line::Password).expect("one"), "one");
        assert_eq!(line(&mut from, Line::New).expect("two"), "two");
        assert_eq!(line(&mut from, Line::New).expect_err("empty").to_string(), "New password is empty");
        let long = "a".repeat(5000);
        assert!(line(&mut From::Input(Box::new(std::io::Cursor::new(long))), Line::New).is_err());
    }
}
