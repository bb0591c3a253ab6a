//! `kdsha policy` against what the binary really sends: every call that is sent is in the policy, action and resource,
//! and every action of the policy is sent by some journey to every resource that it names.

use super::proxy::{Fault, Rule, Seen};
use super::scene::{BACK, EMERGENCY, OVER, Scene};
use kdsha::sandbox::world::{Copying, Story};
use serde_json::Value;
use std::collections::BTreeSet;

const SPEED: f64 = 120.0;

/// An action, and the ARN that it is about; none where the policy says `*`.
type Right = (String, Option<String>);
type Rights = BTreeSet<Right>;

/// Actions that are needed and never sent, each with the reason.
const NEVER_SENT: [(&str, &str); 2] = [
    (
        "lambda:ListTags",
        "GetFunction gives a function's tags, by which preflight knows a stack, only to callers who may list them \
         (Lambda API Reference, GetFunction, Tags)",
    ),
    (
        "kinesis:ListShards",
        "a stream with shard-level metrics is asked for its shards; others only while they are probed",
    ),
];

/// The rights of the policy for the scene's configuration.
fn allowed(scene: &Scene) -> Rights {
    let printed = scene.expect(0, &["policy"]).stdout;
    let policy: Value = serde_json::from_str(&printed).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut rights = Rights::new();
    for statement in policy["Statement"].as_array().expect("statements") {
        for action in statement["Action"].as_array().expect("actions").iter().map(text) {
            match statement["Resource"].as_array() {
                Some(arns) => rights.extend(arns.iter().map(|arn| (action.clone(), Some(text(arn))))),
                None => {
                    rights.insert((action, None));
                }
            }
        }
    }
    rights
}

/// The rights of the policy that a call needs. Where the call does not say what it is about (GetRecords names an
/// iterator), its action alone decides.
fn needed<'r>(allowed: &'r Rights, call: &Seen) -> Vec<&'r Right> {
    let action = format!("{}:{}", call.about.service, call.about.operation);
    let covers = |arn: &str| match (&call.resource, arn.strip_suffix('*')) {
        (None, _) => true,
        (Some(resource), Some(start)) => resource.starts_with(start),
        (Some(resource), None) => resource == arn,
    };
    let is_it = |right: &&Right| right.0 == action && right.1.as_deref().is_none_or(covers);
    allowed.iter().filter(is_it).collect()
}

/// Everything that the commands do to a pipeline of the post.
fn journeys(scene: &Scene) -> Vec<Seen> {
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
    scene.proxy.take_seen()
}

fn must_agree(what: &str, sent: &[Seen], allowed: &Rights) {
    let mut unused: BTreeSet<&Right> = allowed.iter().collect();
    for call in sent {
        let rights = needed(allowed, call);
        let (about, resource) = (&call.about, &call.resource);
        assert!(!rights.is_empty(), "{what}: sent and not in the policy: {about:?} {resource:?}");
        rights.into_iter().for_each(|right| {
            unused.remove(right);
        });
    }
    let is_excepted = |(action, arn): &&Right| {
        // Which of a function, its aliases and its versions an alias's action is about differs by action.
        let is_qualified = arn.as_deref().is_some_and(|arn| arn.ends_with(":*"));
        NEVER_SENT.iter().any(|(name, _)| name == action) || is_qualified
    };
    unused.retain(|right| !is_excepted(right));
    assert!(unused.is_empty(), "{what}: in the policy and never sent: {unused:#?}");
}

#[test]
fn every_call_that_is_sent_is_in_the_policy_and_none_more() {
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

/// Nothing is moved but the producers: no mapping is created, changed or deleted, and no fan-out consumer is listed.
#[test]
fn a_warm_pipeline_without_a_replicator_needs_less() {
    let story = Story { warm: true, copying: Copying::None, sink: false, ..Scene::light() };
    let scene = Scene::playing(53, SPEED, &story);
    let path = scene.home.path().join("kdsha.toml");
    let config = std::fs::read_to_string(&path).expect("a file");
    let (ours, _) = config.split_once("[pipeline.replicator]").expect("the post's configuration");
    let warm = ours.replace("standby = \"cold\"", "standby = \"warm\"");
    assert_ne!(warm, ours, "the post's configuration has changed its form");
    std::fs::write(&path, warm).expect("a writable folder");
    let sent: Vec<Seen> = {
        for arguments in [&["status"][..], &["verify"], &OVER, &["verify"], &BACK, &["verify"]] {
            scene.expect(0, arguments);
        }
        scene.proxy.take_seen()
    };
    let allowed = allowed(&scene);
    must_agree("a warm pipeline", &sent, &allowed);
    for action in ["lambda:CreateEventSourceMapping", "kinesis:ListStreamConsumers", "dynamodb:Scan"] {
        assert!(!allowed.iter().any(|right| right.0 == action), "{action}");
    }
}
