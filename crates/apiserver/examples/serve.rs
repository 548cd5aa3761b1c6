//! Serves the embedded API from a directory: `cargo run -p apiserver --example serve -- DIR [ADDRESS]`.
//! Without a directory it uses a new one below the system's directory for temporary files.

use std::error::Error;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join(format!("paifang-{}", std::process::id())), PathBuf::from);
    let mut options = apiserver::Options::new(&dir);
    if let Some(address) = arguments.next() {
        options.address = address.parse()?;
    }
    let store = store::Store::open(&dir)?;
    let running = apiserver::start(store.clone(), options).await?;
    println!("export KUBECONFIG={}", running.kubeconfig_path.display());
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    store.close().await;
    Ok(())
}
