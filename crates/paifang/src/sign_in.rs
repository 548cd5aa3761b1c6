//! Flags that say how people prove who they are, as the API takes them.

use crate::fault::Fault;
use apiserver::FirstLogin;
use cli::Exit;
use cli::args::sign_in::{IssuerArgs, SignInArgs};
use login::oidc::Options;
use login::{Issuer, password};
use model::Sealed;
use std::path::Path;

/// The largest file of a password or of certificates.
const LARGEST: u64 = 1 << 20;
/// What stands for no prefix, since an empty argument is easily lost.
const NOTHING: &str = "-";

/// The issuer whose tokens are taken, if there is one.
pub fn issuer(args: &IssuerArgs) -> Result<Option<Issuer>, Fault> {
    let (Some(issuer), Some(client_id)) = (&args.oidc_issuer, &args.oidc_client_id) else { return Ok(None) };
    let prefix = |text: &str| if text == NOTHING { String::new() } else { text.to_owned() };
    let options = Options {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        username_claim: args.oidc_username_claim.clone(),
        username_prefix: prefix(&args.oidc_username_prefix),
        groups_claim: args.oidc_groups_claim.clone(),
        groups_prefix: prefix(&args.oidc_groups_prefix),
        required: args.oidc_required_claim.iter().cloned().collect(),
        authorities: args.oidc_ca.as_deref().map(|path| read("--oidc-ca", path)).transpose()?,
    };
    let issuer = Issuer::new(options).map_err(|error| Fault::new(Exit::Usage, error))?;
    let early = issuer.clone();
    tokio::spawn(async move {
        if let Err(error) = early.prepare().await {
            tracing::warn!(%error, "the OIDC issuer cannot be asked; its tokens are refused until it can");
        }
    });
    Ok(Some(issuer))
}

/// What proves the console to the issuer, if it has been given that.
pub fn secret(args: &IssuerArgs) -> Result<Option<Sealed<String>>, Fault> {
    let flag = "--oidc-client-secret-file";
    let Some(path) = &args.oidc_client_secret_file else { return Ok(None) };
    let wrong = |why: &str| Fault::new(Exit::Usage, format!("{flag}: {}: {why}", path.display()));
    let text = String::from_utf8(read(flag, path)?).map_err(|_| wrong("it is not text"))?;
    // Editors end the line.
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("there is nothing in it")),
        secret => Ok(Some(Sealed::new(secret.to_owned()))),
    }
}

/// Who can log in after the first start.
pub fn first_login(args: &SignInArgs) -> Result<FirstLogin, Fault> {
    let flag = "--admin-password-file";
    let Some(path) = &args.admin_password_file else { return Ok(FirstLogin::OneTime) };
    let wrong = |why: &str| Fault::new(Exit::Usage, format!("{flag}: {}: {why}", path.display()));
    let text = String::from_utf8(read(flag, path)?).map_err(|_| wrong("it is not text"))?;
    // Editors end the line.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.contains('\n') {
        return Err(wrong("it has more than one line"));
    }
    password::check("admin", text).map_err(|unfit| wrong(&format!("the password {unfit}")))?;
    Ok(FirstLogin::Password(Sealed::new(text.to_owned())))
}

pub fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Fault> {
    use std::io::Read;
    let mut octets = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets));
    file.map_err(|error| Fault::new(Exit::Usage, format!("{flag}: {}: {error}", path.display())))?;
    if octets.len() as u64 > LARGEST {
        return Err(Fault::new(Exit::Usage, format!("{flag}: {}: it is longer than {LARGEST} octets", path.display())));
    }
    Ok(octets)
}
