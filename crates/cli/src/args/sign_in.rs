//! `paifang up` and `paifang console`: how people prove who they are.

use clap::Args;
use std::path::PathBuf;

/// How people prove who they are.
#[derive(Args, Clone, Debug)]
pub struct SignInArgs {
    /// A file with the password that user `admin` gets at the first start, in place of one that is made up and shown once
    #[arg(long, value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub issuer: IssuerArgs,
}

/// The OpenID Connect issuer at which people sign in, too.
#[derive(Args, Clone, Debug)]
pub struct IssuerArgs {
    /// Take id tokens of this OpenID Connect issuer as bearer tokens
    #[arg(long, value_name = "URL", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    /// The audience that id tokens must be for
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// The claim that is the user's name
    #[arg(long, value_name = "CLAIM", default_value = "sub", requires = "oidc_issuer")]
    pub oidc_username_claim: String,
    /// Put before the user's name; `-` puts nothing
    #[arg(long, value_name = "PREFIX", default_value = "oidc:", requires = "oidc_issuer", allow_hyphen_values = true)]
    pub oidc_username_prefix: String,
    /// The claim that lists the user's groups
    #[arg(long, value_name = "CLAIM", requires = "oidc_issuer")]
    pub oidc_groups_claim: Option<String>,
    /// Put before each group; `-` puts nothing
    #[arg(long, value_name = "PREFIX", default_value = "oidc:", requires = "oidc_issuer", allow_hyphen_values = true)]
    pub oidc_groups_prefix: String,
    /// A claim that id tokens must have; may be repeated
    #[arg(long, value_name = "CLAIM=VALUE", requires = "oidc_issuer", value_parser = claim)]
    pub oidc_required_claim: Vec<(String, String)>,
    /// A file with the secret of the client, where the issuer asks the console for one
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// Certificates (PEM) that the issuer's is checked against [default: those of this machine]
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_ca: Option<PathBuf>,
}

fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected CLAIM=VALUE".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{Cli, Command};

    fn check(more: &[&str], flag: Option<&str>) {
        let all = ["paifang", "up"].iter().chain(more);
        match (Cli::try_parse_from(all), flag) {
            (Ok(Cli { command: Command::Up(_), .. }), None) => {}
            (Err(error), Some(flag)) => assert!(error.to_string().contains(flag), "{error}"),
            (parsed, _) => panic!("{more:?}: {parsed:?}"),
        }
    }

    #[test]
    fn an_issuer_and_a_client_come_together() {
        let both = ["--oidc-issuer", "https://id.example", "--oidc-client-id", "paifang"];
        check(&[], None);
        check(&both, None);
        check(&[&both[..], &["--oidc-username-prefix", "-", "--oidc-required-claim", "hd=example.com"]].concat(), None);
        check(&both[..2], Some("--oidc-client-id"));
        check(&both[2..], Some("--oidc-issuer"));
        for alone in [
            ["--oidc-groups-claim", "groups"],
            ["--oidc-ca", "ca.pem"],
            ["--oidc-username-claim", "email"],
            ["--oidc-username-prefix", "x"],
        ] {
            check(&alone, Some("--oidc-issuer"));
        }
        check(&[&both[..], &["--oidc-required-claim", "hd"]].concat(), Some("--oidc-required-claim"));
    }
}
