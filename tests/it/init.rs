//! `kdsha init` against the sandbox that the binary serves: the file that it writes, its questions, its refusals.

use crate::served::Served;
use crate::support::process::Finished;
use kdsha::config::{self, THE_POST, Topology};
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// The configuration as everything but its place and its account.
fn meaning(topology: Topology) -> Topology {
    Topology { path: None, account: None, ..topology }
}

fn the_post() -> Topology {
    meaning(config::parse(THE_POST, Path::new("post.toml")).expect("the post"))
}

fn assert_code(finished: &Finished, code: i32) {
    assert_eq!(finished.code(), Some(code), "{}{}", finished.stdout, finished.stderr);
}

#[test]
fn the_posts_topology_is_found_written_and_verified() {
    let served = Served::start("1");
    let path = served.home.path().join("kdsha.toml");
    let before = fs::read_to_string(&path).expect("a configuration");
    let arguments = ["init", "--primary", "us-west-2", "--pipeline", "ticker-prices"];
    let refused = served.run(&arguments);
    assert_code(&refused, 2);
    assert!(refused.stderr.contains("kdsha.toml is there already"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&path).expect("the same"), before);

    let shown = served.run(&[&arguments[..], &["--dry-run"]].concat());
    assert_code(&shown, 0);
    assert_eq!(fs::read_to_string(&path).expect("the same"), before);
    let found = config::parse(&shown.stdout, Path::new("shown.toml")).expect("a configuration");
    assert_eq!(found.account.as_ref().map(|id| id.as_str()), Some("123456789012"));
    assert_eq!(meaning(found), the_post());

    let written = served.run(&[&arguments[..], &["--force"]].concat());
    assert_code(&written, 0);
    assert!(written.stdout.contains("Verify: "), "{}", written.stdout);
    let text = fs::read_to_string(&path).expect("the file");
    assert_eq!(text, shown.stdout, "a dry run shows the very file");
    assert_eq!(fs::read_dir(served.home.path()).expect("a folder").filter_map(name).count(), 0);
}

/// The name of what was left beside the file.
fn name(entry: std::io::Result<fs::DirEntry>) -> Option<String> {
    let name = entry.ok()?.file_name().to_string_lossy().into_owned();
    name.ends_with(".new").then_some(name)
}

#[test]
fn as_json_it_is_a_document_and_then_that_of_verify() {
    let served = Served::start("1");
    let path = served.home.path().join("other.toml");
    let at = path.to_string_lossy().into_owned();
    let arguments = ["init", "--config", &at, "--primary", "us-west-2", "--output", "json"];
    let finished = served.run(&arguments);
    assert_code(&finished, 0);
    let documents: Vec<serde_json::Value> =
        finished.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let schemas: Vec<&str> = documents.iter().filter_map(|d| d["schema"].as_str()).collect();
    assert_eq!(schemas, ["kdsha.init/1", "kdsha.verify/1"]);
    assert_eq!(documents[0]["regions"]["standby"], "us-east-2");
    assert_eq!(documents[0]["pipelines"][0]["sink"]["region_attribute"], "last_updated_region");
    assert_eq!(documents[0]["path"], at);
    assert_eq!(documents[1]["ok"], true);
    assert!(path.exists());
}

#[test]
fn what_is_open_needs_a_terminal_or_a_flag() {
    let served = Served::start("1");
    let mut command = served.command(&["init", "--dry-run"]);
    command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    let finished = crate::support::process::run(&mut command, crate::served::LIMIT).expect("it ends");
    assert_code(&finished, 2);
    assert!(finished.stderr.contains("say it with --primary REGION"), "{}", finished.stderr);
    let from_environment =
        crate::support::process::run(command.env("AWS_REGION", "us-west-2"), crate::served::LIMIT);
    assert_code(&from_environment.expect("it ends"), 0);

    let nothing = served.run(&["init", "--dry-run", "--primary", "eu-west-1", "--standby", "us-east-2"]);
    assert_code(&nothing, 4);
    assert!(nothing.stderr.contains("no pipeline was found"), "{}", nothing.stderr);
    let gone = served.run(&["init", "--dry-run", "--primary", "us-west-2", "--stream", "Gone"]);
    assert_code(&gone, 4);
    assert!(gone.stderr.contains("stream Gone: us-west-2 has no stream of this name"), "{}", gone.stderr);
    let same = served.run(&["init", "--dry-run", "--primary", "us-west-2", "--standby", "us-west-2"]);
    assert_code(&same, 2);
}

/// A pseudo-terminal: the Region is asked for, a wrong answer is asked again, and an empty one writes nothing.
#[test]
fn at_a_terminal_it_asks() {
    let served = Served::start("1");
    let asked = |answers: &[&str]| {
        let mut command = served.command(&["init", "--config", "asked.toml"]);
        // The pseudo-terminal takes the place of what is inherited.
        command.env("TERM", "xterm").stdin(Stdio::inherit());
        let mut session = rexpect::session::spawn_command(command, Some(60_000)).expect("a pseudo-terminal");
        let mut said = String::new();
        for answer in answers {
            said += &session.exp_string("In which Region do the pipelines belong? >").expect("the question");
            session.send_line(answer).expect("typed");
        }
        said += &session.exp_eof().expect("its end");
        (session.process().status(), said)
    };
    let (_, said) = asked(&[""]);
    assert!(said.contains("asked.toml was not written: no answer"), "{said}");
    assert!(!served.home.path().join("asked.toml").exists());
    let (_, said) = asked(&["Oregon", "us-west-2"]);
    assert!(said.contains("is not an AWS Region"), "{said}");
    assert!(said.contains("Verify: "), "{said}");
    let topology = config::load(&served.home.path().join("asked.toml")).expect("a configuration");
    assert_eq!(meaning(topology).pipelines[0].stream, the_post().pipelines[0].stream);
}
