//! No file of the tests is forgotten: Rust does not compile a file that no `mod` line names, and says nothing.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")
}

/// The file whose `mod` lines have to name a file, and the name.
fn parent_of(file: &Path) -> (PathBuf, String) {
    let stem = |path: &Path| path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned();
    let folder = file.parent().expect("a folder");
    let (folder, name) = match stem(file).as_str() {
        "mod" => (folder.parent().expect("a folder"), stem(folder)),
        other => (folder, other.to_owned()),
    };
    let parent = if folder == root() { "main.rs" } else { "mod.rs" };
    (folder.join(parent), name)
}

#[test]
fn every_rust_file_is_compiled() {
    for file in files(&root(), "rs") {
        if file == root().join("main.rs") {
            continue;
        }
        let (parent, name) = parent_of(&file);
        let lines = fs::read_to_string(&parent).unwrap_or_default();
        let line_of_it = format!("mod {name};");
        let named = lines.lines().any(|line| line == line_of_it || line.ends_with(&format!(" {line_of_it}")));
        assert!(named, "{} is not compiled: {} has no `mod {name};`", file.display(), parent.display());
    }
}

#[test]
fn every_script_is_used() {
    let scripts = files(&root(), "py");
    assert!(!scripts.is_empty());
    for script in &scripts {
        let name = script.file_stem().and_then(|s| s.to_str()).expect("a name");
        let others = files(&root(), "rs").into_iter().chain(scripts.iter().filter(|s| *s != script).cloned());
        let used = others.map(|file| fs::read_to_string(file).expect("a readable file")).any(|text| {
            let imported = text.lines().any(|line| {
                line.trim() == format!("import {name}") || line.starts_with(&format!("from {name} import"))
            });
            imported || text.contains(&format!("\"{name}\"")) || text.contains(&format!("{name}.py\""))
        });
        assert!(used, "nothing uses {}", script.display());
    }
}
