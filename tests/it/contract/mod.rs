//! The sandbox before clients and contracts that nobody here wrote: boto3 and the AWS CLI, every answer held to
//! botocore's service models, every request rule of them broken once, recorded answers of AWS, and moto beside it.

// Tables, for whoever runs it with --nocapture.
#![allow(clippy::print_stdout)]

use crate::ministack::venv;
use crate::moto::Moto;
use crate::served::{LIMIT, Served};
use crate::support::process::{self, Finished};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The interpreter of the virtual environment with boto3, the AWS CLI and moto.
pub(crate) fn python() -> PathBuf {
    venv::python_with("contract", include_str!("requirements.txt")).expect("a virtual environment")
}

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// An account without anything.
fn empty(speed: &str) -> Served {
    Served::with(&["--empty", "--speed", speed])
}

/// A minute a second.
const FAST: &str = "60";
/// Slow enough for what is only so for some seconds, on a busy machine too.
const SLOW: &str = "8";

/// A program with nothing of this machine's settings: without a HOME, boto3 would look its user up and read `~/.aws`.
pub(crate) fn bare(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn script(name: &str, arguments: &[&str]) -> Finished {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = bare(&python(), home.path());
    command.arg(root("tests/it/contract").join(name)).args(arguments);
    // Most of it is waiting for the sandbox; the rest is seven tests on one machine.
    process::run(&mut command, 2 * LIMIT).expect("it ends")
}

/// What a script that must find nothing wrong printed; shown with `--nocapture`.
fn sound(finished: &Finished) -> Vec<String> {
    println!("{}", finished.stdout);
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);
    finished.stdout.lines().map(str::to_owned).collect()
}

/// How many lines begin so.
fn count(lines: &[String], beginning: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(beginning)).count()
}

#[test]
fn what_requests_are_held_to_is_what_botocore_says() {
    let finished = script("shapes.py", &[]);
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);
    let file = root("src/sandbox/shapes.json");
    if std::env::var_os("KDSHA_BLESS").is_some() {
        fs::write(&file, &finished.stdout).expect("written");
    }
    let kept = fs::read_to_string(&file).expect("the file");
    assert!(kept == finished.stdout, "shapes.json is not what shapes.py prints: KDSHA_BLESS=1 writes it");
}

/// Every operation is called with success and with requests that break one rule each; every answer fits its model.
#[test]
fn the_posts_topology_is_built_used_and_taken_down_by_boto3() {
    let served = empty(FAST);
    let lines = sound(&script("topology.py", &[&served.url]));
    for service in ["cloudwatch", "dynamodb", "kinesis", "lambda", "sts"] {
        assert!(count(&lines, &format!("{service}.")) > 0, "{service}");
    }
}

/// Every answer of a file is asked for, and is as AWS's.
fn answered(name: &str, speed: &str) {
    let served = empty(speed);
    let lines = sound(&script(name, &[&served.url]));
    let text = fs::read_to_string(root("tests/it/contract").join(name)).expect("the file");
    let written = text.lines().filter(|line| *line == "@answer").count();
    assert!(written > 0, "{name} has no answers");
    assert_eq!(count(&lines, "ok "), written);
}

#[test]
fn what_aws_was_recorded_to_answer_is_answered() {
    answered("recorded.py", SLOW);
}

#[test]
fn what_aws_was_recorded_to_answer_of_functions_is_answered() {
    answered("recorded_functions.py", SLOW);
}

#[test]
fn what_aws_was_recorded_to_answer_of_mappings_is_answered() {
    answered("recorded_mappings.py", SLOW);
}

#[test]
fn what_aws_documents_of_a_streams_limits_is_so() {
    answered("recorded_streams.py", "1");
}

#[test]
fn what_aws_documents_of_expired_records_is_so() {
    answered("recorded_horizon.py", "3600");
}

#[test]
fn what_aws_documents_of_metrics_is_so() {
    answered("recorded_metrics.py", FAST);
}

#[test]
fn the_posts_own_commands_work_by_the_aws_cli() {
    let served = empty(FAST);
    let mut command = bare(Path::new("bash"), served.home.path());
    command.arg(root("tests/it/contract/post.sh")).arg(python().with_file_name("aws"));
    command.env("AWS_ENDPOINT_URL", &served.url).env("AWS_ACCESS_KEY_ID", "111122223333");
    command.env("AWS_SECRET_ACCESS_KEY", "sandbox");
    // A hundred commands, each of which starts a Python.
    let lines = sound(&process::run(&mut command, 4 * LIMIT).expect("it ends"));
    assert_eq!(count(&lines, "ok "), 47, "{lines:?}");
}

#[test]
fn where_moto_answers_otherwise_it_is_known_who_is_right() {
    let (served, moto) = (empty(FAST), Moto::start(&["--empty"]));
    let lines = sound(&script("both.py", &[&served.url, &moto.url]));
    assert!(count(&lines, "same") >= 25, "{lines:?}");
}
