//! `kdsha policy` against what the binary really sends: every action that is sent is in the policy, and every action
//! of the policy is sent by some journey.

use super::proxy::{Fault, Rule};
use super::scene::{BACK, EMERGENCY, OVER, Scene};
use kdsha::sandbox::world::Story;
use serde_json::Value;
use std::collections::BTreeSet;

const SPEED: f64 = 120.0;
type Actions = BTreeSet<String>;

/// Actions that are needed and never sent, each with the reason.
const NEVER_SENT: [(&str, &str); 1] = [(
    "lambda:ListTags",
    "GetFunction gives a function's tags, by which preflight knows a stack, only to callers who may list them \
     (Lambda API Reference, GetFunction, Tags)",
)];

/// The actions of the policy for the scene's configuration.
fn allowed(scene: &Scene) -> Actions {
    let printed = scene.expect(0, &["policy"]).stdout;
    let policy: Value = serde_json::from_str(&printed).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements").clone();
    let actions = statements.iter().flat_map(|s| s["Action"].as_array().expect("actions").clone());
    actions.map(|action| action.as_str().expect("a name").to_owned()).collect()
}

/// What was sent since the last time, as IAM names it.
fn sent(scene: &Scene) -> Actions {
    scene.proxy.take_seen().iter().map(|s| format!("{}:{}", s.about.service, s.about.operation)).collect()
}

/// Everything that the commands do to a pipeline of the post: `sent` is filled, journey by journey.
fn journeys(scene: &Scene) -> Actions {
    scene.expect(0, &["status"]);
    scene.expect(0, &["verify"]);
    scene.expect(0, &OVER);
    scene.expect(0, &["verify"]);
    scene.expect(0, &BACK);
    scene.expect(0, &["verify"]);
    // The primary's control plane refuses what an emergency wants of it; it is settled afterwards.
    let refuse = Fault::Error(503, "ServiceUnavailableException");
    scene.proxy.inject(
        Rule { operation: Some("UpdateFunctionConfiguration"), ..Rule::region("us-west-2") },
        refuse.clone(),
    );
    scene.proxy.inject(
        Rule { operation: Some("UpdateEventSourceMapping"), ..Rule::region("us-west-2") },
        refuse.clone(),
    );
    scene.proxy.inject(Rule { operation: Some("UpdateAlias"), ..Rule::region("us-west-2") }, refuse);
    scene.expect(9, &EMERGENCY);
    scene.proxy.heal();
    scene.expect(0, &["resume", "--yes"]);
    scene.expect(0, &BACK);
    sent(scene)
}

fn must_agree(what: &str, sent: &Actions, allowed: &Actions) {
    let missing: Vec<&String> = sent.difference(allowed).collect();
    assert!(missing.is_empty(), "{what}: sent and not in the policy: {missing:?}");
    let unused: Vec<&str> = allowed.difference(sent).map(String::as_str).collect();
    let excepted: Vec<&str> = NEVER_SENT.iter().map(|(action, _)| *action).collect();
    assert_eq!(unused, excepted, "{what}: in the policy and never sent");
}

#[test]
fn every_action_that_is_sent_is_in_the_policy_and_none_more() {
    let scene = Scene::of(51, SPEED);
    let all = journeys(&scene);
    must_agree("the post's pipeline", &all, &allowed(&scene));
    scene.must_have_lost_nothing(&"policy");
}

#[test]
fn with_an_alias_too() {
    let story = Story { producer_alias: Some("live".to_owned()), ..Scene::light() };
    let scene = Scene::playing(52, SPEED, &story);
    let all = journeys(&scene);
    must_agree("producers behind an alias", &all, &allowed(&scene));
    scene.must_have_lost_nothing(&"policy");
}
