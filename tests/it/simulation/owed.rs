//! What an emergency owes outlives the laptop: it is on the run mark, nags everywhere, and is settled from anywhere.

use super::stage::{MINUTE, Stage, region};
use kdsha::cli::args::ResumeArgs;
use kdsha::cli::resume;
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::Outage;
use kdsha::ui::Format;
use serde_json::json;
use std::collections::BTreeMap;

fn tags(stage: &Stage) -> BTreeMap<String, String> {
    let input = json!({"StreamName": "KDS-HA-Stream"});
    let output = stage.call(Service::Kinesis, "us-east-2", "ListTagsForStream", input);
    let tags = output["Tags"].as_array().expect("tags").clone();
    let text = |tag: &serde_json::Value, key: &str| tag[key].as_str().unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()
}

/// Another operator at another machine; gives what the first one had.
fn sit_down_elsewhere(stage: &mut Stage) -> (tempfile::TempDir, String) {
    let state = std::mem::replace(&mut stage.state, tempfile::tempdir().expect("a folder"));
    (state, std::mem::replace(&mut stage.owner, "maria@desk".to_owned()))
}

/// us-west-2 is silent and left, from this machine.
async fn left(seed: u64) -> Stage {
    let stage = Stage::post(seed);
    stage.pass(5 * MINUTE).await;
    let struck = stage.sandbox.now();
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    stage.pass(5 * MINUTE).await;
    let mut args = stage.over();
    args.emergency = true;
    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    args.start_at = Some(StartAt::Timestamp(start));
    stage.expect(stage.failover(&args).await, Exit::Owed);
    stage
}

/// What a command said, on both outputs.
fn said_since(stage: &Stage, before: (usize, usize)) -> String {
    stage.stdout.text().split_off(before.0) + &stage.stderr.text().split_off(before.1)
}

fn so_far(stage: &Stage) -> (usize, usize) {
    (stage.stdout.text().len(), stage.stderr.text().len())
}

async fn settle(stage: &Stage, laptop_lives: bool) {
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    let healed = stage.sandbox.now();
    let before = stage.mutations().len();
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(tags(stage)["kdsha:state"], "closed");
    // The producers, and both fences, before anything else is sent, within seconds of each other.
    let sent = stage.mutations().split_off(before);
    let first: Vec<&str> = sent.iter().take(3).map(|call| call.operation.as_str()).collect();
    assert_eq!(first.iter().filter(|o| **o == "UpdateEventSourceMapping").count(), 2, "{first:?}");
    assert!(first.contains(&"UpdateFunctionConfiguration"), "{first:?}");
    let took = sent[2].at.duration_since(sent[0].at);
    assert!(took.as_secs() < 10, "{took:?} ({laptop_lives}, healed {healed})");
    assert!(sent[..3].iter().all(|call| call.region == region("us-west-2")));
    assert!(
        !sent.iter().any(|call| call.region == region("us-east-2") && call.service == Service::Lambda),
        "what the standby does already is left alone"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_on_the_mark_and_settled_from_another_machine() {
    let mut stage = left(81).await;
    let mark = tags(&stage);
    assert_eq!(mark["kdsha:state"], "owed");
    let owed = &mark["kdsha:owed"];
    for code in
        ["switch:KDS-HA-ProducerLambda", "stop:KDS-HA-ReplicationAgentLambda", "stop:KDS-HA-ConsumerLambda"]
    {
        assert!(owed.contains(code), "{owed}");
    }
    assert!(owed.len() <= 256, "{owed}");

    let (laptop, owner) = sit_down_elsewhere(&mut stage);
    for nag in ["status", "verify"] {
        let before = so_far(&stage);
        let exit = match nag {
            "status" => stage.status(Format::Human).await,
            _ => stage.verify().await,
        };
        stage.expect(exit, Exit::Deviation);
        let said = said_since(&stage, before);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("switch producer KDS-HA-ProducerLambda"), "{nag}: {said}");
        // The way out is the run's own: nothing is told to be done by hand, and no second emergency is offered.
        for by_hand in ["exactly one enabled mapping is due", "it should not run here", "--emergency"] {
            assert!(!flat.contains(by_hand), "{nag}: {by_hand}: {said}");
        }
        if nag == "status" {
            assert!(
                flat.ends_with("next kdsha resume (settles what is owed, once us-west-2 answers again)"),
                "{said}"
            );
        }
    }
    // Both ways are closed while something is owed.
    for result in [stage.failback(&stage.back()).await, stage.failover(&stage.over()).await] {
        let refused = result.expect_err("steps are owed");
        assert_eq!(refused.exit, Exit::Blocked, "{}", refused.message);
        assert!(refused.message.contains("owed"), "{}", refused.message);
    }
    // Still silent: it stays owed, and nothing of the standby is touched.
    let before = stage.mutations().len();
    stage.expect(stage.resume().await, Exit::Owed);
    assert!(stage.mutations()[before..].iter().all(|call| call.operation == "AddTagsToStream"));
    assert_eq!(tags(&stage)["kdsha:state"], "owed");

    settle(&stage, false).await;
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);

    // The laptop comes back: its journal says owed, the mark says settled.
    (stage.state, stage.owner) = (laptop, owner);
    stage.expect(stage.verify().await, Exit::Done);
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_settled_from_the_machine_that_owes_it() {
    let stage = left(82).await;
    settle(&stage, true).await;
    // As long as the producers wrote into the silent Region, nothing had recovered, whatever the standby read.
    let said = stage.stdout.text() + &stage.stderr.text();
    let recovery: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("recovery ")).collect();
    let [over, settled] = recovery[..] else { panic!("{recovery:?}") };
    assert!(over.contains("not reached: the producers still write"), "{over}");
    assert!(settled.contains("within the RTO") || settled.contains("LATER than the RTO"), "{settled}");
    assert!(said.contains("us-east-2 reads; the producers were NOT switched (owed)"), "{said}");
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A Region that owes and answers only in part keeps what is left on the mark.
#[tokio::test(start_paused = true)]
async fn what_is_settled_in_part_stays_owed_in_part() {
    use kdsha::sandbox::faults::{Fault, Rule};
    let mut stage = left(83).await;
    sit_down_elsewhere(&mut stage);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    let fault = Some(Fault::Error { status: 403, code: "AccessDeniedException".to_owned() });
    let operation = Some("UpdateFunctionConfiguration".to_owned());
    stage.sandbox.inject(Rule { operation, fault, ..Rule::default() });
    stage.expect(stage.resume().await, Exit::Owed);
    let owed = tags(&stage)["kdsha:owed"].clone();
    assert!(owed.contains("switch:") && !owed.contains("stop:"), "{owed}");
    stage.sandbox.mend();
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(tags(&stage)["kdsha:state"], "closed");
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
}

/// Another operator's planned run is open, and the primary falls silent: `resume --emergency` takes it over.
#[tokio::test(start_paused = true)]
async fn an_open_run_of_another_operator_is_taken_over_as_an_emergency() {
    let mut stage = Stage::post(84);
    stage.pass(5 * MINUTE).await;
    let mut args = stage.over();
    args.timeout = Some(std::time::Duration::from_secs(30));
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    sit_down_elsewhere(&mut stage);
    let refused = stage.resume().await.expect_err("planned needs the primary");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(
        refused.hints.iter().any(|hint| hint.contains("kdsha resume --emergency")),
        "{:?}",
        refused.hints
    );
    let args = ResumeArgs { yes: true, undo: false, emergency: true };
    let exit = resume::run(&stage.session().await, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Owed);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
