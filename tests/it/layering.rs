//! The house rules that a compiler does not hold: who may import whom, who may print, who may grant a permit.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every source file with its room (the first folder below `src`) and its text without test modules.
fn files() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let room = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).expect("text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        (inside, room, code)
    };
    // The build script is a program of its own: what it prints is for cargo.
    let is_test = |name: &str| name.contains("tests") || name.contains("/sample") || name == "build.rs";
    paths.into_iter().map(read).filter(|(name, ..)| !is_test(name)).collect()
}

/// The rooms that a room may name.
fn allowed(room: &str) -> &'static [&'static str] {
    match room {
        "model" => &["model"],
        "config" => &["config", "model"],
        "steps" => &["steps", "model", "config"],
        "plan" => &["plan", "steps", "model", "config"],
        "journal" => &["journal", "plan", "steps", "model", "config"],
        "ui" => &["ui", "plan", "steps", "model", "config"],
        "aws" => &["aws", "model", "config"],
        "sandbox" => &["sandbox", "model", "config"],
        "engine" => &["engine", "aws", "ui", "journal", "plan", "steps", "model", "config"],
        "cli" => &["cli", "engine", "aws", "sandbox", "ui", "journal", "plan", "steps", "model", "config"],
        "lib" | "main" => &["cli"],
        other => panic!("src/{other} is a room that this test does not know"),
    }
}

#[test]
fn imports_run_one_way() {
    for (name, room, code) in files() {
        for part in code.split("crate::").skip(1) {
            let named: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(allowed(&room).contains(&named.as_str()), "src/{name} names crate::{named}");
        }
    }
}

#[test]
fn the_sdk_is_named_in_one_room() {
    for (name, room, code) in files().into_iter().filter(|(_, room, _)| room != "aws") {
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        assert!(
            !lines.into_iter().any(|line| line.contains("aws_sdk_")),
            "src/{name} ({room}) names the SDK"
        );
    }
}

#[test]
fn permits_are_granted_in_one_place() {
    let granting = files().into_iter().filter(|(_, _, code)| code.contains("Permit::grant("));
    let names: Vec<String> = granting.map(|(name, ..)| name).collect();
    assert_eq!(names, ["engine/confirm.rs"]);
}

#[test]
fn one_room_prints() {
    for (name, room, code) in files() {
        let prints = ["println!", "eprintln!", "print!", "eprint!"].iter().any(|print| code.contains(print));
        assert!(!prints || room == "ui", "src/{name} prints");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, _, code) in files() {
        assert!(code.starts_with("//!"), "src/{name} has no header");
    }
}
