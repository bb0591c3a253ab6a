//! What others judge: every document that the commands print, by its published schema; the integration files, by
//! cfn-lint, botocore's models and GitHub's schema; and the Lambda handler, by being called.

use crate::ministack::venv;
use crate::served::{LIMIT, Served};
use crate::support::process::{self, Finished};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A script of this folder, in the virtual environment.
fn script(name: &str) -> Command {
    let python = venv::python_with("tools", include_str!("requirements.txt")).expect("a virtual environment");
    let mut command = Command::new(python);
    command.arg(root("tests/it/tools").join(name)).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn said(finished: &Finished) -> String {
    assert_eq!(finished.code(), Some(0), "{}{}", finished.stdout, finished.stderr);
    finished.stdout.trim().to_owned()
}

/// What is wrong with the documents, and how many of each kind there were.
fn judged(documents: &str) -> (Vec<String>, Value) {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(documents.as_bytes()).expect("written");
    std::io::Seek::rewind(&mut file).expect("rewound");
    let mut command = script("documents.py");
    command.arg(root("src/ui/schemas")).stdin(Stdio::from(file));
    let text = said(&process::run(&mut command, LIMIT).expect("it ends"));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let seen = lines.pop().expect("a last line");
    (lines, serde_json::from_str(&seen).expect("JSON"))
}

/// Every command with `--output json`, against a sandbox that runs sixty times as fast as the clock.
fn everything_that_is_printed() -> String {
    let served = Served::start("60");
    let json = |arguments: &[&str]| served.run(&[arguments, &["--output", "json"]].concat());
    let to = ["failover", "--to", "us-east-2"];
    let mut printed = String::new();
    let mut keep = |finished: Finished, code: i32| {
        assert_eq!(finished.code(), Some(code), "{}{}", finished.stdout, finished.stderr);
        printed.push_str(&finished.stdout);
    };
    keep(json(&["init", "--dry-run", "--primary", "us-west-2"]), 0);
    keep(json(&["status"]), 0);
    keep(json(&["verify"]), 0);
    keep(json(&["policy"]), 0);
    keep(json(&[&to[..], &["--dry-run"]].concat()), 0);
    keep(json(&[&to[..], &["--yes", "--timeout", "9h"]].concat()), 0);
    keep(json(&["status"]), 0);
    keep(json(&["failback", "--dry-run"]), 0);
    keep(json(&["runs"]), 0);
    let listed: Value = serde_json::from_str(&json(&["runs"]).stdout).expect("JSON");
    keep(json(&["runs", listed["runs"][0]["run"].as_str().expect("a run")]), 0);
    keep(json(&["report"]), 0);
    keep(json(&["rehearse", "--list"]), 0);
    keep(json(&["runs", "20260101-000000-failover-0000"]), 2);
    keep(json(&["rehearse", "--yes", "--seed", "2", "--scenario", "silent-region"]), 0);
    printed
}

#[test]
fn every_document_is_what_its_schema_says() {
    let printed = everything_that_is_printed();
    let (wrong, seen) = judged(&printed);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut kinds: Vec<&String> = seen.as_object().expect("an object").keys().collect();
    kinds.sort();
    let published = fs::read_dir(root("src/ui/schemas")).expect("the schemas").flatten();
    let mut published: Vec<String> = published
        .map(|entry| format!("kdsha.{}/1", entry.path().file_stem().expect("a name").to_string_lossy()))
        .collect();
    published.sort();
    assert_eq!(kinds, published.iter().collect::<Vec<_>>(), "every kind was printed");
    // A document that is not what it says is found out.
    let first = printed.lines().find(|line| line.contains("kdsha.verify/1")).expect("a document");
    let (wrong, _) = judged(&first.replace("\"ok\":true", "\"ok\":\"yes\""));
    assert_eq!(wrong.len(), 1, "{wrong:?}");
}

#[test]
fn the_integration_files_are_sound() {
    let folder = root("runbooks/integrations");
    let judge =
        |folder: &Path| said(&process::run(script("integrations.py").arg(folder), LIMIT).expect("it ends"));
    assert_eq!(judge(&folder), "");
    // The same judges find a mistake in each.
    let bad = tempfile::tempdir().expect("a temporary folder");
    let mistakes = [
        ("ssm-automation.yaml", "schemaVersion: \"0.3\"", "schemaVersion: \"0.9\""),
        ("step-functions.asl.json", "\"Type\": \"Choice\"", "\"Type\": \"Choise\""),
        ("arc-region-switch.plan.json", "activePassive", "passive"),
        ("verify-on-a-schedule.github.yml", "runs-on", "run-on"),
    ];
    for (name, good, wrong) in mistakes {
        let text = fs::read_to_string(folder.join(name)).expect("a file");
        assert!(text.contains(good), "{name}: {good}");
        fs::write(bad.path().join(name), text.replace(good, wrong)).expect("written");
    }
    let found = judge(bad.path());
    for (name, ..) in mistakes {
        assert!(found.contains(name), "nothing is wrong with {name}: {found}");
    }
}

#[test]
fn the_lambda_handler_runs_kdsha_and_names_what_it_can_retry() {
    let served = Served::start("60");
    let call = |event: &str, region: &str| -> Value {
        let mut command = script("lambda.py");
        command.arg(root("runbooks/integrations")).arg(event);
        let home = served.home.path();
        for (key, value) in served.command(&[]).get_envs() {
            command.env(key, value.unwrap_or_default());
        }
        command.env("KDSHA_BINARY", env!("CARGO_BIN_EXE_kdsha")).env("KDSHA_CONFIG", home.join("kdsha.toml"));
        command.env("AWS_REGION", region);
        let finished = process::run(&mut command, LIMIT).expect("it ends");
        let text = said(&finished);
        serde_json::from_str(text.lines().last().expect("an answer")).expect("JSON")
    };
    let shown = call(r#"{"arguments": ["failover", "--to", "us-east-2", "--dry-run"]}"#, "us-east-2");
    assert_eq!((&shown["exit"], &shown["last"]["schema"]), (&0.into(), &"kdsha.plan/1".into()), "{shown}");
    let home = call("{}", "us-west-2");
    assert_eq!(home["error"], "Refused", "there is nothing to fail back: {home}");
    // As ARC calls it: in the Region to activate, with keys of its own.
    let over = call(r#"{"PlanArn": "arn", "ExecutionId": "x"}"#, "us-east-2");
    assert_eq!((&over["exit"], &over["owed"]), (&0.into(), &false.into()), "{over}");
    assert_eq!(over["last"]["event"], "run_finished", "{over}");
    let elsewhere = call("{}", "eu-west-1");
    assert_eq!(elsewhere["error"], "Refused", "{elsewhere}");
}
