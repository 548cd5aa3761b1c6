//! Ctrl-C and SIGTERM: once to stop, twice to stop now. SIGXFSZ: not to end.

use cli::Exit;
use tokio::signal::unix::{SignalKind, signal};

/// On Linux, of every architecture.
const XFSZ: i32 = 25;

/// A write beyond the limit of this process on the size of files is refused like one to a full disk, instead of ending it.
pub fn outlive_file_limits() {
    // A handler takes the place of the default effect; without one that stays.
    drop(signal(SignalKind::from_raw(XFSZ)));
}

/// Returns at the first request to stop. A second one ends the process at once.
pub async fn stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        // Without handlers the signals keep their default effect, which is to end the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(Exit::Interrupted.code().into());
    });
}
