//! Ctrl-C and SIGTERM: once to stop, twice to stop now.

use cli::Exit;
use tokio::signal::unix::{SignalKind, signal};

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
