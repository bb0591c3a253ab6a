//! The build script: what `kdsha --version` says besides the version. Commit and SDK versions are fixed when the
//! binary is built, so that a report of an incident names the very code that ran.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed=KDSHA_COMMIT");
    println!("cargo::rustc-env=KDSHA_BUILT_FROM={}", commit());
    println!(
        "cargo::rustc-env=KDSHA_SDK={}",
        sdk(&std::fs::read_to_string("Cargo.lock").unwrap_or_default())
    );
}

/// The commit: what a packager says, else what git says. A debug build does not ask git: every commit would
/// compile everything anew.
fn commit() -> String {
    if let Some(said) = std::env::var("KDSHA_COMMIT").ok().filter(|said| !said.is_empty()) {
        return said;
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return "unknown (a debug build)".to_owned();
    }
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .unwrap_or_else(|| "unknown".to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    // A folder that is no repository of its own must not be taken for a part of the one around it.
    if !Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The AWS crates of the lock file: `aws-config 1.13.0, aws-sdk-kinesis 1.130.0, ...`.
fn sdk(lock: &str) -> String {
    let value =
        |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned());
    let mut found = Vec::new();
    for package in lock.split("[[package]]") {
        let of = |key| package.lines().find_map(|line| value(line, key));
        let (Some(name), Some(version)) = (of("name"), of("version")) else { continue };
        if name == "aws-config" || name.starts_with("aws-sdk-") {
            found.push(format!("{name} {version}"));
        }
    }
    found.join(", ")
}
