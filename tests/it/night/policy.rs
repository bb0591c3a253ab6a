//! `kdsha policy` against what the binary really sends: every action that is sent is in the policy, and every action
//! of the policy is sent by some journey.

use super::proxy::{Fault, Rule};
use super::scene::{BACK, EMERGENCY, OVER, Scene};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::Story;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SPEED: f64 = 120.0;
type Actions = BTreeSet<String>;

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
    let unused: Vec<&String> = allowed.difference(sent).collect();
    assert!(unused.is_empty(), "{what}: in the policy and never sent: {unused:?}");
}

#[test]
fn every_action_that_is_sent_is_in_the_policy_and_none_more() {
    let scene = Scene::of(51, SPEED);
    let mut all = journeys(&scene);
    all.extend(only_sometimes(&scene));
    must_agree("the post's pipeline", &all, &allowed(&scene));
    scene.must_have_lost_nothing(&"policy");
}

#[test]
fn with_an_alias_too() {
    let story = Story { producer_alias: Some("live".to_owned()), ..Scene::light() };
    let scene = Scene::playing(52, SPEED, &story);
    let mut all = journeys(&scene);
    all.extend(only_sometimes(&scene));
    must_agree("producers behind an alias", &all, &allowed(&scene));
    scene.must_have_lost_nothing(&"policy");
}

/// Actions that the journeys above need not send, each in the situation that sends it.
fn only_sometimes(scene: &Scene) -> Actions {
    let mut sent_so_far = sent(scene);
    let mut when = |situation: &str, action: &str| {
        let now = sent(scene);
        assert!(now.contains(action), "{situation}: {action} was not sent, but {now:?}");
        sent_so_far.extend(now);
    };
    // A mapping with a setting that lists leave out is read by itself.
    let mapping = scene.call(Service::Lambda, "us-west-2", "ListEventSourceMappings", json!({}));
    let id = mapping["EventSourceMappings"][0]["UUID"].clone();
    scene.call(
        Service::Lambda,
        "us-west-2",
        "UpdateEventSourceMapping",
        json!({"UUID": id, "FilterCriteria": {"Filters": [{"Pattern": "{\"data\":{\"a\":[1]}}"}]}}),
    );
    scene.run(&["status"]);
    when("a mapping with filters", "lambda:GetEventSourceMapping");
    sent_so_far
}
