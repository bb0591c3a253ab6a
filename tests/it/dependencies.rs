//! What kdsha is built of: every package comes from the registry, under a licence that lets anybody use and pass on
//! the binary, and is written down in `Cargo.lock`. Known vulnerabilities need an advisory database and are not
//! looked at here.

use crate::support::process;
use serde_json::Value;
use spdx::{Expression, ParseMode};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

/// Licences without conditions for whoever uses the binary, but to name the authors.
const ALLOWED: [&str; 12] = [
    "Apache-2.0",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
    "BSL-1.0",
    "OpenSSL",
    "BlueOak-1.0.0",
];

fn packages() -> Vec<Value> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--locked", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let finished = process::run(&mut command, Duration::from_secs(120)).expect("it ends");
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);
    let all: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    all["packages"].as_array().expect("packages").iter().filter(|p| p["name"] != "kdsha").cloned().collect()
}

fn is_allowed(licence: &str) -> bool {
    let expression = Expression::parse_mode(licence, ParseMode::LAX);
    let named = |id: spdx::LicenseId| ALLOWED.contains(&id.name);
    expression.is_ok_and(|e| e.evaluate(|requirement| requirement.license.id().is_some_and(named)))
}

#[test]
fn every_dependency_may_be_used_and_passed_on() {
    let packages = packages();
    assert!(packages.len() > 100, "{}", packages.len());
    let mut refused = BTreeMap::new();
    for package in &packages {
        let licence = package["license"].as_str().unwrap_or("none named");
        if !is_allowed(licence) {
            refused.insert(package["name"].to_string(), licence);
        }
    }
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn every_dependency_comes_from_the_registry() {
    let elsewhere = |p: &&Value| !p["source"].as_str().is_some_and(|source| source.starts_with("registry+"));
    let found: Vec<String> = packages().iter().filter(elsewhere).map(|p| p["name"].to_string()).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_licence_with_conditions_is_noticed() {
    assert!(is_allowed("MIT OR GPL-3.0-only") && is_allowed("MIT/Apache-2.0"));
    assert!(!is_allowed("GPL-3.0-only") && !is_allowed("MIT AND AGPL-3.0-only") && !is_allowed("none named"));
}
