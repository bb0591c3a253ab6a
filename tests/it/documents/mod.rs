//! What the README and the runbooks say is held to the binary: the configuration is the built-in one, the exit codes
//! are all of them, the transcript is what a rehearsal prints. `documents/played` executes every command line and
//! compares every output, `documents/messages` finds what its tables quote. `KDSHA_BLESS=1 cargo test documents` writes them anew.

mod messages;
mod played;

use kdsha::config::THE_POST;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn documents() -> Vec<(String, String)> {
    let mut names = vec!["README.md".to_owned()];
    for folder in ["runbooks", "runbooks/integrations"] {
        for entry in fs::read_dir(root().join(folder)).expect("runbooks") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            match name.ends_with(".md") {
                true => names.push(format!("{folder}/{name}")),
                // The files that the pages of the integrations are about are judged by `tools`.
                false => assert!(folder.contains('/') || entry.path().is_dir(), "{folder}/{name}"),
            }
        }
    }
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    for (name, text) in documents() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let target = target.split('#').next().unwrap_or_default();
            let folder = root().join(&name);
            let path = folder.parent().expect("a folder").join(target);
            assert!(target.is_empty() || path.exists(), "{name}: {target}");
        }
    }
}

/// The block of a document between a marker and the end of the fenced block after it, and its place.
fn block<'t>(text: &'t str, marker: &str) -> (usize, &'t str) {
    let at = text.find(marker).unwrap_or_else(|| panic!("no {marker}"));
    let open = at + text[at..].find("```").expect("a block");
    let start = open + text[open..].find('\n').expect("a line") + 1;
    let end = start + text[start..].find("```").expect("the block's end");
    (start, &text[start..end])
}

/// Holds a block to what it should be, or writes it anew.
fn hold(marker: &str, wanted: &str) {
    let text = read("README.md");
    let (start, found) = block(&text, marker);
    if found == wanted {
        return;
    }
    let bless = std::env::var_os("KDSHA_BLESS").is_some();
    assert!(bless, "the README's block after `{marker}` is not what it should be:\n{wanted}");
    let anew = format!("{}{wanted}{}", &text[..start], &text[start + found.len()..]);
    fs::write(root().join("README.md"), anew).expect("README.md");
}

#[test]
fn the_readmes_configuration_is_the_built_in_one() {
    hold("The post's pipeline:", THE_POST);
}

#[test]
fn the_readmes_exit_codes_are_all_of_them() {
    let wanted = kdsha::model::Exit::ALL.map(kdsha::model::Exit::code);
    for name in ["README.md", "runbooks/exit-codes.md"] {
        let text = read(name);
        // The rows that begin with a number: the exit codes' table, and nothing else in these documents.
        let first = |line: &str| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok();
        let found: Vec<u8> = text.lines().filter_map(first).collect();
        assert_eq!(found, wanted, "{name}");
    }
}

/// What a reader needs of a rehearsal's output; `[...]` where something was left out.
fn shortened(output: &str) -> String {
    let mut kept = String::new();
    let (mut in_part, mut cut) = (false, false);
    // Whether the line before was kept: a sentence is shown to its end.
    let mut within = false;
    let mut statuses = 0;
    for line in output.lines() {
        // A run's id ends in four digits of chance.
        let has_id = line.contains("-failover-") || line.contains("-failback-");
        statuses += usize::from(line.starts_with("Status at"));
        if line.starts_with("Status at") {
            in_part = statuses == 1;
        }
        if line.starts_with("── Where the consumer starts") || line.starts_with("── Rehearsal") {
            in_part = true;
        }
        if line.starts_with("── Stages") || line.starts_with("# ") {
            in_part = false;
        }
        let always = ["# ", "$ ", "Status at", "errors ", "═", "DONE", "recovery ", "Verify:"];
        let stage = line.starts_with('[') || line.contains("Z  ok      ") || line.contains("Z  send    ");
        let goes_on = within && line.starts_with("      ");
        let begins = !has_id && (in_part || stage || always.iter().any(|start| line.starts_with(start)));
        within = begins || goes_on;
        if within {
            kept.push_str(line);
            kept.push('\n');
            cut = false;
        } else if !cut && !is_detail(line) {
            kept.push_str("[...]\n");
            cut = true;
        }
    }
    kept
}

/// A line that goes without saying: the rest of a sentence, a confirmation, a wait.
fn is_detail(line: &str) -> bool {
    line.is_empty() || line.starts_with("  ") || line.contains("Z  yes ") || line.contains("Z  waiting ")
}

/// What a rehearsal prints, both streams in their order; its command is a line of a document.
fn rehearsed(command: &str) -> String {
    let arguments = command.strip_prefix("kdsha rehearse ").unwrap_or_else(|| panic!("{command}"));
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" rehearse \"$@\" 2>&1", env!("CARGO_BIN_EXE_kdsha")])
        .args(arguments.split_whitespace())
        .env_clear()
        .envs([("COLUMNS", "100"), ("TERM", "xterm"), ("LANG", "C.UTF-8")])
        .env("HOME", home.path())
        .output()
        .expect("the binary");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{command}: {text}");
    text
}

#[test]
fn the_readmes_transcript_is_what_the_rehearsal_prints() {
    let text = rehearsed("kdsha rehearse --yes --seed 1");
    assert!(text.contains("No record was lost."), "{text}");
    hold("<!-- transcript", &shortened(&text));
}
