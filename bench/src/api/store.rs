//! What a disk takes a second: bare redb, and our store on it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use redb::{Database, Durability, TableDefinition};
use store::{Expect, Op, Store};

/// Writes of one commit, where bare redb makes several at once; as many clients write to our store.
pub const GROUP: usize = 64;
const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");
/// As a small ConfigMap is stored.
const VALUE: [u8; 1300] = [b'x'; 1300];

/// Writes a second.
pub struct Bare {
    pub single: f64,
    pub grouped: f64,
}

/// As redb comes, each commit on disk before the next begins.
pub fn bare(seconds: f64) -> Result<Bare> {
    let folder = tempfile::tempdir()?;
    Ok(Bare {
        single: commits(&folder.path().join("single"), 1, seconds)?,
        grouped: commits(&folder.path().join("grouped"), GROUP, seconds)?,
    })
}

fn commits(file: &Path, writes: usize, seconds: f64) -> Result<f64> {
    let mut builder = Database::builder();
    builder.set_cache_size(32 << 20);
    let database = builder.create(file)?;
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut written = 0;
    while begun.elapsed() < length {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for _ in 0..writes {
                table.insert(key(written).as_str(), &VALUE[..])?;
                written += 1;
            }
        }
        transaction.commit()?;
    }
    Ok(written as f64 / begun.elapsed().as_secs_f64())
}

fn key(number: usize) -> String {
    format!("/configmaps/bench/map{number:08}")
}

/// Ours, with its log of changes, each write acknowledged by itself.
pub fn ours(seconds: f64) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let store = Store::open(folder.path())?;
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(seconds));
    let written: usize = runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..GROUP {
            let store = store.clone();
            clients.spawn(async move {
                let mut written = 0;
                while begun.elapsed() < length {
                    let op = Op::put(key(client * 1_000_000 + written), Expect::Absent, VALUE.to_vec());
                    store.write(vec![op]).await?;
                    written += 1;
                }
                Ok::<_, store::WriteError>(written)
            });
        }
        clients.join_all().await.into_iter().sum::<Result<usize, _>>()
    })?;
    let rate = written as f64 / begun.elapsed().as_secs_f64();
    runtime.block_on(store.close());
    Ok(rate)
}
