//! The compiled binary, in an environment that nothing of the machine leaks into.

use std::path::Path;
use std::process::{Command, Stdio};

/// The access key of the binary under test: an emulator's log tells by it who sent a request.
pub const ACCESS_KEY: &str = "AKIAKDSHA00000000000";

/// A command for the binary: no variable of the caller, a home of its own, keys that open nothing, no terminal.
pub fn kdsha(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kdsha"));
    command.env_clear().current_dir(home).stdin(Stdio::null());
    command
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("USER", "tester")
        .env("NO_COLOR", "1")
        .env("KDSHA_STATE_DIR", home.join("state"))
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", "dummy")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", home.join("no-aws-config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", home.join("no-aws-credentials"))
        .env("NO_PROXY", "*");
    command
}

#[test]
fn the_binary_says_its_version_without_any_set_up() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let limit = std::time::Duration::from_secs(10);
    let finished =
        super::process::run(kdsha(home.path()).arg("--version"), limit).expect("a finished process");
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(lines[0], format!("kdsha {}", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("commit "), "{lines:?}");
    assert!(lines[2].starts_with("aws-config 1.") && lines[2].contains(", aws-sdk-kinesis 1."), "{lines:?}");
}
