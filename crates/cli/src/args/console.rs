//! `paifang up`: the console.

use super::{OptionalAddress, optional_address};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The port where the console listens unless said otherwise.
const PORT: u16 = 9443;

/// Where the console is.
#[derive(Args, Clone, Debug)]
pub struct ConsoleArgs {
    /// Where the console listens: an address with its port, or `none` [default: 127.0.0.1, port 9443 and the port offset]
    #[arg(long, value_name = "ADDRESS", value_parser = optional_address)]
    pub console_address: Option<OptionalAddress>,
    /// Serve the console without TLS, which can be done on loopback alone
    #[arg(long)]
    pub console_plain: bool,
    /// Hand out the application in this folder in place of the one in this program
    #[arg(long, value_name = "DIR", hide = true)]
    pub console_dir: Option<PathBuf>,
}

// === impl ConsoleArgs ===

impl ConsoleArgs {
    /// Where it listens. `offset` moves the usual port, so that two on one machine can stand beside each other.
    pub fn address(&self, offset: u16) -> Option<SocketAddr> {
        let usual = || SocketAddr::from((Ipv4Addr::LOCALHOST, PORT.checked_add(offset).unwrap_or(PORT)));
        match self.console_address {
            Some(OptionalAddress(address)) => address,
            None => Some(usual()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn where_it_listens() {
        let check = |more: &[&str], expect: Option<&str>| {
            let all = ["paifang", "up"].iter().chain(more);
            let Ok(Cli { command: Command::Up(up), .. }) = Cli::try_parse_from(all) else { panic!("{more:?} is not understood") };
            assert_eq!(up.console.address(up.port_offset).map(|it| it.to_string()).as_deref(), expect, "{more:?}");
        };
        check(&[], Some("127.0.0.1:9443"));
        check(&["--port-offset", "10000"], Some("127.0.0.1:19443"));
        check(&["--port-offset", "60000"], Some("127.0.0.1:9443"));
        check(&["--console-address", "10.0.0.1:443", "--port-offset", "10000"], Some("10.0.0.1:443"));
        check(&["--console-address", "none"], None);
        assert!(Cli::try_parse_from(["paifang", "up", "--console-address", "localhost"]).is_err());
    }
}
