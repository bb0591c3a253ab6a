//! Every story of a game day by the binary, the day played by hand, anybody's topology, and the report of it all.

use super::support::binary::kdsha;
use super::support::process;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// Plays to the document of the end.
fn played(arguments: &[&str]) -> Value {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = kdsha(home.path());
    command.args(["rehearse", "--yes", "--output", "json"]).args(arguments);
    let finished = process::run(&mut command, LIMIT).expect("a finished process");
    assert_eq!(finished.code(), Some(0), "{arguments:?}: {}\n{}", finished.stderr, finished.stdout);
    let last = finished.stdout.lines().last().expect("a document");
    let result: Value = serde_json::from_str(last).expect(last);
    assert_eq!(result["schema"], "kdsha.rehearsal/1");
    result
}

/// No record lost, none pending, within the objective, sound at the end: all points.
fn sound(arguments: &[&str]) -> Value {
    let result = lossless(arguments);
    let seconds = |key: &str| result[key].as_u64().unwrap_or_else(|| panic!("{key}: {result}"));
    assert!(seconds("recovery_seconds") <= seconds("rto_seconds"), "{result}");
    assert_eq!(result["score"]["points"], 100, "{result}");
    result
}

/// No record lost, none pending.
fn lossless(arguments: &[&str]) -> Value {
    let result = played(arguments);
    for key in ["lost", "pending"] {
        assert_eq!(result[key], 0, "{key}: {result}");
    }
    assert!(result["put"].as_u64().is_some_and(|n| n > 50_000), "{result}");
    assert_eq!(result["put"], result["processed"], "{result}");
    result
}

fn exits(result: &Value) -> Vec<(String, Option<u64>)> {
    let commands = result["commands"].as_array().expect("commands");
    let one = |c: &Value| (c["command"].as_str().expect("a command").to_owned(), c["exit"].as_u64());
    commands.iter().map(one).collect()
}

fn avoided(result: &Value) -> String {
    let all = result["mistakes_avoided"].as_array().expect("a list");
    all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_data_plane_outage() {
    let result = sound(&["--seed", "21"]);
    assert_eq!(result["scenario"], "data-plane-outage");
    let all: Vec<Option<u64>> = exits(&result).into_iter().map(|(_, exit)| exit).collect();
    assert_eq!(all, [Some(0); 3], "failover, failback, verify");
}

#[test]
fn a_control_plane_outage_refuses_the_planned_run_and_settles_the_emergency() {
    let result = lossless(&["--seed", "22", "--scenario", "control-plane-outage"]);
    // The producers live where nothing could be changed for half an hour: until then nothing had recovered.
    let seconds = |key: &str| result[key].as_u64().unwrap_or_else(|| panic!("{key}: {result}"));
    assert!(seconds("recovery_seconds") > seconds("rto_seconds"), "{result}");
    let commands = exits(&result);
    assert_eq!(commands[0], ("kdsha failover --to us-east-2".to_owned(), Some(4)));
    assert_eq!(commands[1], ("kdsha failover --to us-east-2 --emergency".to_owned(), Some(9)));
    assert_eq!(commands[2], ("kdsha resume".to_owned(), Some(0)));
    assert!(avoided(&result).contains("was refused"), "{result}");
}

#[test]
fn a_slow_consumer_is_waited_for() {
    let slow = sound(&["--seed", "23", "--scenario", "slow-consumer"]);
    let usual = sound(&["--seed", "23"]);
    let recovery = |result: &Value| result["recovery_seconds"].as_u64().expect("seconds");
    assert!(recovery(&slow) > recovery(&usual) + 60, "the drain takes longer: {slow}");
}

#[test]
fn a_replicator_far_behind_is_waited_for_until_somebody_mends_it() {
    let result = sound(&["--seed", "24", "--scenario", "replicator-far-behind"]);
    let surprises = result["surprises"].as_array().expect("a list");
    assert!(surprises[0]["what"].as_str().is_some_and(|what| what.contains("mended")), "{result}");
}

#[test]
fn a_colleague_who_interferes_is_noticed() {
    let result = sound(&["--seed", "25", "--scenario", "colleague-interferes"]);
    assert_eq!(result["surprises"].as_array().map(Vec::len), Some(2), "{result}");
    let all: Vec<Option<u64>> = exits(&result).into_iter().map(|(_, exit)| exit).collect();
    // Interrupted, resumed; a deviation, switched again, sound; back, and sound.
    assert_eq!(all, [130, 0, 7, 0, 0, 0, 0].map(Some), "{result}");
}

#[test]
fn an_operator_who_is_killed_sends_nothing_twice() {
    for seed in ["26", "27"] {
        let result = sound(&["--seed", seed, "--scenario", "operator-killed"]);
        assert_eq!(result["kills"], 3, "{result}");
        assert_eq!(exits(&result).iter().filter(|(_, exit)| exit.is_none()).count(), 3);
        assert!(avoided(&result).contains("0 did so twice"), "{result}");
    }
}

#[test]
fn anybodys_topology_is_played() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/own.toml");
    let result = sound(&["--seed", "28", "--config", own.to_str().expect("a path")]);
    let commands = exits(&result);
    assert_eq!(commands[0].0, "kdsha failover --to eu-central-1", "the Regions are the file's");
}

#[test]
fn every_story_is_listed() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = kdsha(home.path());
    let finished = process::run(command.args(["rehearse", "--list", "--output", "json"]), LIMIT);
    let finished = finished.expect("a finished process");
    let listed: Value = serde_json::from_str(&finished.stdout).expect("a document");
    assert_eq!(listed["scenarios"].as_array().map(Vec::len), Some(8));
}

/// A day by hand: the commands on stdin.
fn by_hand(seed: &str, script: &str) -> (Value, String) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let script_path = home.path().join("script");
    std::fs::File::create(&script_path)
        .and_then(|mut file| file.write_all(script.as_bytes()))
        .expect("a script");
    let mut command = kdsha(home.path());
    command.args(["rehearse", "--interactive", "--yes", "--output", "json", "--seed", seed]);
    command.args(["--scenario", "data-plane-outage"]);
    command.stdin(Stdio::from(std::fs::File::open(&script_path).expect("the script")));
    let finished = process::run(&mut command, LIMIT).expect("a finished process");
    let last = finished.stdout.lines().rfind(|line| line.contains("kdsha.rehearsal/1")).expect("a document");
    (serde_json::from_str(last).expect(last), finished.stderr)
}

#[test]
fn a_day_by_hand_is_scored() {
    let script = "status\nfailover --to us-east-2\nverify\nwait 10m\nheal\nwait 15m\nresume\nfailback\n\
                  wait 10m\nkdsha verify\ndone\n";
    let (good, _) = by_hand("3", script);
    assert_eq!((good["lost"].as_u64(), good["score"]["points"].as_u64()), (Some(0), Some(100)), "{good}");
    assert!(good["surprises"].as_array().is_some_and(|all| !all.is_empty()), "{good}");
    // Whoever does nothing recovers nothing and proves nothing; what is slow is not lost.
    let (idle, _) = by_hand("3", "wait 20m\nnonsense\n");
    assert_eq!(idle["recovery_seconds"], Value::Null);
    assert_eq!(idle["score"]["points"], 50, "{idle}");
}

/// A rehearsal whose journals are kept, and a command on them.
fn reported(home: &Path, arguments: &[&str]) -> process::Finished {
    let mut command = kdsha(home);
    process::run(command.args(["report", "--no-aws"]).args(arguments), LIMIT).expect("a finished process")
}

#[test]
fn a_report_tells_the_run_in_every_form() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = kdsha(home.path());
    let rehearse = ["rehearse", "--yes", "--seed", "1", "--scenario", "silent-region", "--keep", "state"];
    let finished = process::run(command.args(rehearse), LIMIT).expect("a finished process");
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);

    let json = reported(home.path(), &["--output", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("a document");
    assert_eq!(json["schema"], "kdsha.report/1");
    assert_eq!(json["report"]["title"], "Fail back to us-west-2", "the newest run");

    let runs = process::run(kdsha(home.path()).args(["runs", "--output", "json"]), LIMIT).expect("runs");
    let runs: Value = serde_json::from_str(&runs.stdout).expect("a document");
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let json = reported(home.path(), &[run, "--output", "json"]);
    let report = &serde_json::from_str::<Value>(&json.stdout).expect("a document")["report"];
    assert_eq!(report["state"], "done, settled");
    assert_eq!(report["owed"].as_array().map(Vec::len), Some(4));
    assert!(report["owed"].as_array().expect("a list").iter().all(|debt| !debt["settled"].is_null()));
    assert!(report["requests"]["sent"].as_u64().is_some_and(|n| n > 100), "{}", report["requests"]);
    assert_eq!(report["requests"]["is_least"], false);
    let lags = report["lags"].as_array().expect("lags");
    assert!(lags.iter().all(|lag| !lag["points"].as_array().expect("points").is_empty()), "both Regions");
    assert_eq!(
        report["command"].as_str().map(|c| c.starts_with("kdsha failover --to us-east-2 --em")),
        Some(true)
    );
    let changed = report["changes"].as_array().expect("changes");
    assert!(changed.iter().any(|c| c["after"] == "writes to us-east-2"), "{changed:?}");

    let wrote = reported(home.path(), &[run, "--out", "page.html"]);
    assert_eq!((wrote.code(), wrote.stdout.as_str()), (Some(0), ""), "{}", wrote.stderr);
    let html = std::fs::read_to_string(home.path().join("page.html")).expect("the page");
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let page = roxmltree::Document::parse_with_options(&html, options).expect("well-formed");
    let curves = page.descendants().filter(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "polyline")));
    assert!(curves.count() > 10);
    let markdown = reported(home.path(), &[run]).stdout;
    // Everything that the page says in words, the Markdown says too.
    for section in page.descendants().filter(|n| n.has_tag_name("h2")).filter_map(|n| n.text()) {
        assert!(markdown.contains(&format!("## {section}")), "{section}");
    }
    for call in report["calls"].as_array().expect("calls") {
        let operation = call["operation"].as_str().expect("an operation");
        assert!(html.contains(operation) && markdown.contains(operation), "{operation}");
    }
}

#[test]
fn a_report_that_cannot_be_written_says_so_and_leaves_nothing() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let none = reported(home.path(), &[]);
    assert_eq!(none.code(), Some(2), "{}", none.stderr);
    let mut command = kdsha(home.path());
    let rehearse = ["rehearse", "--yes", "--seed", "1", "--scenario", "warm-standby", "--keep", "state"];
    let finished = process::run(command.args(rehearse), LIMIT).expect("a finished process");
    assert_eq!(finished.code(), Some(0), "{}", finished.stderr);
    let failed = reported(home.path(), &["--out", "no/such/folder/page.html"]);
    assert_eq!(failed.code(), Some(2));
    assert!(failed.stderr.contains("no/such/folder/page.html cannot be written"), "{}", failed.stderr);
    // A second rehearsal does not mix its runs with those of another world.
    let again = process::run(kdsha(home.path()).args(rehearse), LIMIT).expect("a finished process");
    assert_eq!(again.code(), Some(2), "{}", again.stderr);
}
