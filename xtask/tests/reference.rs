//! The pages of docs/reference say what the code says.

use std::process::Command;

#[test]
fn the_reference_pages_are_what_the_code_prints() {
    // Set by `cargo xtask test`. Without it this would build Paifang within a test.
    if std::env::var_os("PAIFANG_BIN").is_none() {
        eprintln!("skipped: PAIFANG_BIN is not set; `cargo xtask test` sets it");
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["gen", "--check"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
