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
pub(super) fn sit_down_elsewhere(stage: &mut Stage) -> (tempfile::TempDir, String) {
    let state = std::mem::replace(&mut stage.state, tempfile::tempdir().expect("a folder"));
    (state, std::mem::replace(&mut stage.owner, "maria@desk".to_owned()))
}

/// us-west-2 is silent and left, from this machine.
async fn left(seed: u64) -> Stage {
    left_behind(Stage::post(seed)).await
}

async fn left_behind(stage: Stage) -> Stage {
    stage.pass(5 * MINUTE).await;
    let struck = stage.sandbox.now();
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    stage.pass(5 * MINUTE).await;
    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    stage.expect(stage.failover(&stage.blind(Some(StartAt::Timestamp(start)))).await, Exit::Owed);
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
    // Recovery was over when the standby read: settling, a quarter of an hour later, is no part of it.
    let said = stage.stdout.text() + &stage.stderr.text();
    let figure = |line: &str| line.strip_prefix("recovery ")?.split_whitespace().next().map(str::to_owned);
    let recovery: Vec<String> = said.lines().filter_map(figure).collect();
    let [over, settled] = recovery.iter().map(|text| text.trim_end_matches(',')).collect::<Vec<_>>()[..]
    else {
        panic!("{recovery:?}")
    };
    assert_eq!(over, settled);
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

/// What would forbid an emergency to begin does not keep a fence from what is owed already.
#[tokio::test(start_paused = true)]
async fn settling_from_another_machine_asks_only_what_the_owed_steps_need() {
    let stage = Stage::post(85);
    for mapping in stage.mappings("us-west-2") {
        if mapping["FunctionArn"].as_str().is_some_and(|arn| arn.ends_with("KDS-HA-ConsumerLambda")) {
            let input = json!({"UUID": mapping["UUID"], "MaximumRecordAgeInSeconds": 3600});
            stage.call(Service::Lambda, "us-west-2", "UpdateEventSourceMapping", input);
        }
    }
    stage.pass(MINUTE).await;
    let mut stage = left_behind(stage).await;
    sit_down_elsewhere(&mut stage);
    // An emergency of now would read from before what the mapping's age limit gives up.
    stage.pass(100 * MINUTE).await;
    settle(&stage, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_cannot_work_does_not_keep_the_primary_from_being_fenced() {
    let mut stage = left(86).await;
    sit_down_elsewhere(&mut stage);
    let concurrency = |reserved: u32| {
        let input =
            json!({"FunctionName": "KDS-HA-ConsumerLambda", "ReservedConcurrentExecutions": reserved});
        stage.call(Service::Lambda, "us-east-2", "PutFunctionConcurrency", input);
    };
    concurrency(0);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Owed);
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], "us-east-2");
    assert!(stage.mappings("us-west-2").iter().all(|mapping| mapping["State"] == "Disabled"));
    assert_eq!(tags(&stage)["kdsha:owed"], "verify_result");
    concurrency(50);
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(tags(&stage)["kdsha:state"], "closed");
}

/// The other machine's kdsha.toml is an older one, without the replicator: its fence is not forgotten.
#[tokio::test(start_paused = true)]
async fn what_the_configuration_here_does_not_know_stays_owed() {
    let mut stage = left(87).await;
    sit_down_elsewhere(&mut stage);
    let replicator = stage.topology.pipelines[0].replicator.take();
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(MINUTE).await;
    // The first settles by the mark alone, the second finds the journal of the first.
    for _ in 0..2 {
        let before = so_far(&stage);
        stage.expect(stage.resume().await, Exit::Owed);
        let said = said_since(&stage, before).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("stop the mapping of KDS-HA-ReplicationAgentLambda"), "{said}");
        assert!(said.contains("kdsha.toml has no step for it"), "{said}");
        let mark = tags(&stage);
        assert_eq!(mark["kdsha:state"], "owed");
        assert!(mark["kdsha:owed"].contains("stop:KDS-HA-ReplicationAgentLambda"), "{mark:?}");
        assert!(!mark["kdsha:owed"].contains("switch:"), "{mark:?}");
    }
    stage.topology.pipelines[0].replicator = replicator;
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(tags(&stage)["kdsha:state"], "closed");
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
}

/// A tag that had no room for all names counts the others: there must be as many steps.
#[tokio::test(start_paused = true)]
async fn steps_that_are_only_counted_must_all_be_there() {
    // The producer, the consumer, the replicator, and the verification.
    for (counted, left) in [(4, None), (6, Some("+2"))] {
        let mut stage = self::left(88).await;
        sit_down_elsewhere(&mut stage);
        let input = json!({"StreamName": "KDS-HA-Stream", "Tags": {"kdsha:owed": format!("+{counted}")}});
        stage.call(Service::Kinesis, "us-east-2", "AddTagsToStream", input);
        stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
        stage.pass(MINUTE).await;
        let exit = stage.resume().await;
        let mark = tags(&stage);
        match left {
            None => {
                stage.expect(exit, Exit::Done);
                assert_eq!(mark["kdsha:state"], "closed");
            }
            Some(left) => {
                stage.expect(exit, Exit::Owed);
                assert!(mark["kdsha:owed"].split(' ').any(|code| code == left), "{mark:?}");
            }
        }
    }
}

/// Another run has one of two streams by now: the rest is settled, and at once.
#[tokio::test(start_paused = true)]
async fn what_another_run_has_taken_is_not_settled_any_more() {
    use kdsha::sandbox::world::Story;
    let stage = left_behind(Stage::of(89, &Story { pipelines: 2, ..Stage::light() })).await;
    let other = stage.topology.pipelines[1].stream.standby.to_string();
    let taken = json!({"kdsha:run": "20260302-050000-failover-beef", "kdsha:state": "closed"});
    let input = json!({"StreamName": other, "Tags": taken});
    stage.call(Service::Kinesis, "us-east-2", "AddTagsToStream", input);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(tags(&stage)["kdsha:state"], "closed");
}

/// Whoever holds the lock is asked before the journals are read: nothing is gone on with from a stale one.
#[tokio::test(start_paused = true)]
async fn settling_reads_the_journals_under_the_lock() {
    let stage = left(90).await;
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    let lock = state.lock("another process").expect("nobody has it");
    let asked = stage.sandbox.calls().0;
    let refused = stage.resume().await.expect_err("another process has the lock");
    assert_eq!(refused.exit, Exit::Locked);
    assert_eq!(
        stage.sandbox.log_from(asked).iter().filter(|call| call.service == Service::Lambda).count(),
        0
    );
    drop(lock);
    // What was read before another process wrote is not written after.
    let run = state.runs().expect("the runs").remove(0).run.expect("a journal");
    let note = kdsha::model::Event::RunFinished {
        exit: Exit::Owed,
        summary: String::new(),
        recovery: None,
        owed: Vec::new(),
        consequences: Vec::new(),
        next: None,
    };
    let picture = run.pictures[0].clone();
    state.go_on(&run).expect("its journal").saw(picture).expect("a record");
    let refused = state.go_on(&run).map(|mut journal| journal.append(stage.sandbox.now(), &note));
    assert!(matches!(refused, Err(kdsha::journal::JournalError::Overtaken { .. })), "{refused:?}");
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
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
    let args = ResumeArgs { yes: true, undo: false, emergency: true, start_at: None };
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
