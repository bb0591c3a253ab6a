//! `kdsha policy` under an evaluator that nobody here wrote: MiniStack's `AUTH=true` mode checks every request's
//! signature and rights. A user who has exactly the printed policy can do everything; without one action kdsha says
//! which one is missing, on what.

use super::rig::{Mode, RUN_LIMIT, Rig};
use super::world::STANDBY;
use crate::support::process::{self, Finished, Running};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// A key of a user with this policy.
struct Operator {
    id: String,
    secret: String,
}

impl Operator {
    fn hire(rig: &Rig, name: &str, policy: &Value) -> Operator {
        let mut command = rig.command("hire");
        let mut child = command
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a startable script");
        child.stdin.take().expect("a pipe").write_all(policy.to_string().as_bytes()).expect("a reader");
        let output = child.wait_with_output().expect("a process");
        assert!(output.status.success(), "the user {name} was not made");
        let key: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let text = |name: &str| key[name].as_str().expect("a key").to_owned();
        Operator { id: text("id"), secret: text("secret") }
    }

    fn run(&self, rig: &Rig, arguments: &[&str]) -> Finished {
        let mut command = rig.kdsha(arguments);
        command.env("AWS_ACCESS_KEY_ID", &self.id).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        let running = Running::start(&mut command).expect("a startable kdsha");
        running.finish(RUN_LIMIT).expect("kdsha within its time")
    }

    fn succeed(&self, rig: &Rig, arguments: &[&str]) {
        let finished = self.run(rig, arguments);
        let (out, err) = (&finished.stdout, &finished.stderr);
        assert_eq!(finished.code(), Some(0), "kdsha {arguments:?}\n--- stdout\n{out}\n--- stderr\n{err}");
    }
}

/// The printed policy as MiniStack can judge it. Two things it cannot: it never gives its evaluator
/// `lambda:FunctionArn`, with which AWS lets a statement about mappings be narrowed, so that condition could only ever
/// be false there; and it does not know which stream a shard iterator is of, so GetRecords, which names nothing else,
/// is judged as being about no stream.
fn policy(rig: &Rig) -> Value {
    let printed = process::run(&mut rig.kdsha(&["policy"]), RUN_LIMIT).expect("a policy").stdout;
    let mut policy: Value = serde_json::from_str(&printed).expect("JSON");
    let statements = policy["Statement"].as_array_mut().expect("statements");
    let narrowed: Vec<&mut Value> = statements.iter_mut().filter(|s| s.get("Condition").is_some()).collect();
    assert_eq!(narrowed.len(), 1, "one statement is narrowed by a condition");
    for statement in narrowed {
        statement.as_object_mut().expect("a statement").remove("Condition");
    }
    let mut policy = without(&policy, "kinesis:GetRecords");
    let anywhere = json!({"Effect": "Allow", "Action": ["kinesis:GetRecords"], "Resource": "*"});
    policy["Statement"].as_array_mut().expect("statements").push(anywhere);
    policy
}

fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    let mut found = 0;
    for statement in policy["Statement"].as_array_mut().expect("statements") {
        let actions = statement["Action"].as_array_mut().expect("actions");
        let before = actions.len();
        actions.retain(|one| one != action);
        found += before - actions.len();
    }
    assert_eq!(found, 1, "{action} is in the policy once");
    policy["Statement"]
        .as_array_mut()
        .expect("statements")
        .retain(|s| s["Action"] != Value::Array(Vec::new()));
    policy
}

#[test]
fn the_printed_policy_is_enough_and_a_missing_action_is_named() {
    let rig = Rig::with_authorisation(Mode::Cold);
    let policy = policy(&rig);
    let before = rig.world();
    let traffic = rig.traffic();
    traffic.settle();

    let blind = Operator::hire(&rig, "blind", &without(&policy, "lambda:ListEventSourceMappings"));
    let status = blind.run(&rig, &["status"]);
    let said = format!("{}{}", status.stdout, status.stderr);
    assert_eq!(status.code(), Some(7), "{said}");
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("may not lambda:ListEventSourceMappings"), "{said}");

    let kdsha = Operator::hire(&rig, "kdsha", &policy);
    kdsha.succeed(&rig, &["verify"]);
    kdsha.succeed(&rig, &["failover", "--to", STANDBY, "--yes"]);
    rig.world().assert_failed_over(&before);
    kdsha.succeed(&rig, &["failback", "--yes"]);
    rig.world().assert_home(&before);
    kdsha.succeed(&rig, &["verify"]);
    traffic.stop(&rig).assert_nothing_lost();
}
