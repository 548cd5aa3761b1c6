//! The tests of the console's application: its types, units and sizes in Node, and the whole of it in a browser before a `paifang up`.
//!
//! ```text
//! test ──────────► units, sizes (where it could be built)
//! test --console ► types, units, sizes ─► Playwright ─► Chromium ─► a `paifang up --demo` for the run
//! ```

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::build::BINARY;
use crate::tally::{Runner, Tally};
use crate::{build, console, tools};

/// Where Playwright is told which browser.
const BROWSER: &str = "CHROMIUM";

/// Everything there is to test, on this machine's Chromium. `passed` is Playwright's, for example a part of a file's name.
pub fn run(passed: &[String]) -> Result<ExitCode> {
    let mut needed = vec![
        ("node", "20.19 or newer, https://nodejs.org"),
        ("npm", "it comes with Node"),
        ("kubectl", "1.30 or newer, https://kubernetes.io/docs/tasks/tools"),
        ("curl", "your system's package"),
        ("openssl", "your system's package"),
    ];
    let named = std::env::var_os(BROWSER);
    if named.is_none() {
        needed.push(("chromium", "Debian's package `chromium`; another place is named by the variable CHROMIUM"));
    }
    tools::require(&needed)?;
    if !console::build()? {
        bail!("the application is not built, so there is nothing to test");
    }
    let paifang = build::quick("paifang")?;
    let mut tally = Tally::default();
    let mut good = tools::run(&mut script("check")).inspect_err(|error| eprintln!("error: {error:#}")).is_ok();
    good &= units(&mut tally)?;
    let mut browser = script("e2e");
    browser.arg("--").args(passed).env(BINARY, paifang);
    browser.env(BROWSER, named.map_or_else(|| tools::find("chromium").unwrap_or_default(), Into::into));
    good &= tally.run(Runner::Playwright, &mut browser)?;
    tally.close(good)
}

/// The units and the sizes: what needs neither a browser nor a gateway. Whether all is well.
pub fn units(tally: &mut Tally) -> Result<bool> {
    let units = tally.run(Runner::Vitest, &mut script("test"))?;
    Ok(tally.run(Runner::Budget, &mut script("budget"))? && units)
}

/// `npm run NAME`, without what npm says of itself, and without colours, so that its summary is read.
fn script(name: &str) -> Command {
    let mut command = Command::new("npm");
    command.args(["run", "--silent", name]).current_dir(tools::root().join("console")).env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    command
}
