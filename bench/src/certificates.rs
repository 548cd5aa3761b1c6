//! One certificate for each host that has one, as files for the peers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use testkit::certificates::Authority;

use crate::table::{self, Table};

/// Where a certificate's files are: chain, key, and both in one as HAProxy wants it.
#[derive(Clone, Debug)]
pub struct Files {
    pub chain: PathBuf,
    pub key: PathBuf,
    pub both: PathBuf,
}

pub fn files(folder: &Path, index: usize) -> Files {
    let file = |end: &str| folder.join(format!("certificate{index}.{end}"));
    Files { chain: file("crt"), key: file("key"), both: file("pem") }
}

/// Makes and writes them all.
pub fn write(folder: &Path, table: &Table) -> Result<()> {
    let authority = Authority::new();
    for index in 0..table.size.certificates {
        let issued = authority.issue(&[&table::host(index)]);
        let files = files(folder, index);
        fs::write(&files.chain, &issued.chain_pem)?;
        fs::write(&files.key, &issued.key_pem)?;
        fs::write(&files.both, issued.chain_pem + &issued.key_pem)?;
    }
    Ok(())
}
