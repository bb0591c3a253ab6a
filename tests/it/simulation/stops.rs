//! Stops that change nothing more: an interrupt between two calls, a state folder that cannot be written, refusals
//! that lead with the cause and name only ways that exist.

use super::operator::{Script, at_the_keyboard};
use super::stage::{MINUTE, Stage, region};
use kdsha::model::{Exit, StartAt};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::Outage;
use kdsha::ui::Format;
use serde_json::json;
use std::time::Duration;

/// Interrupted at many instants of a run: nothing is sent afterwards, the way on is named, and it leads to the end.
#[tokio::test(start_paused = true)]
async fn an_interrupt_at_any_instant_stops_between_calls_and_is_resumed() {
    for after in [0, 30, 100, 500, 1_500, 5_000, 60_000, 200_000, 330_000, 400_000] {
        let stage = Stage::post(111);
        let session = stage.session().await;
        let (ui, args) = (stage.ui(Format::Human), stage.over());
        let raised = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            session.interrupt.raise();
            stage.sandbox.now()
        };
        let (exit, raised) = tokio::join!(Box::pin(kdsha::cli::failover::run(&session, &ui, &args)), raised);
        let stopped = stage.sandbox.now().duration_since(raised);
        assert!(stopped.as_secs() <= 10, "{after} ms: it stopped {stopped:?} later");
        let said = stage.stderr.text();
        match exit {
            // In the look before it: nothing was begun, so nothing is to be gone on with.
            Err(failure) if stage.mutations().is_empty() => assert_eq!(failure.exit, Exit::Interrupted),
            exit => {
                stage.expect(exit, Exit::Interrupted);
                assert!(said.contains("kdsha failover --to us-east-2"), "{said}");
            }
        }
        let sent = stage.mutations().len();
        stage.pass(2 * MINUTE).await;
        assert_eq!(stage.mutations().len(), sent);
        stage.expect(stage.failover(&stage.over()).await, Exit::Done);
        stage.expect(stage.verify().await, Exit::Done);
    }
}

/// The journal's place is taken by a file: what cannot be written down is not sent.
#[tokio::test(start_paused = true)]
async fn a_state_folder_that_cannot_be_written_stops_before_the_first_call() {
    let mut stage = Stage::post(112);
    let occupied = stage.state.path().join("occupied");
    std::fs::write(&occupied, "a file, not a folder").expect("a file");
    let mut session = stage.session().await;
    session.state = kdsha::journal::StateFolder::at(&occupied);
    let result = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &stage.over()).await;
    let refused = result.expect_err("the state folder is a file");
    assert_eq!(refused.exit, Exit::Internal);
    assert!(refused.message.contains("occupied"), "{}", refused.message);
    assert!(refused.hints.iter().any(|hint| hint.contains("KDSHA_STATE_DIR")), "{:?}", refused.hints);
    assert!(stage.mutations().is_empty());
    stage.owner.clear();
}

/// The run's own folder cannot be made: the lock is fine, the journal is not.
#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_begun_stops_before_the_first_call() {
    let stage = Stage::post(113);
    let full = kdsha::journal::StateFolder::at(stage.state.path()).with_room_for(1);
    let mut session = stage.session().await;
    session.state = full;
    let result = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &stage.over()).await;
    let refused = result.expect_err("the disk is full");
    assert_eq!(refused.exit, Exit::Internal, "{}", refused.message);
    assert!(stage.mutations().is_empty());
}

/// The disk fills up after any number of records: every call that was sent stands in the journal, and with room again
/// the same command reaches the same end.
#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_before_the_call_that_cannot_be_written_down() {
    let reference = Stage::post(114);
    reference.must_fail_over().await;
    let expected = reference.fingerprint();
    for records in 2..28 {
        let stage = Stage::post(114);
        let mut session = stage.session().await;
        session.state = kdsha::journal::StateFolder::at(stage.state.path()).with_room_for(records);
        let exit = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &stage.over()).await;
        match exit {
            // Before the first call is due.
            Err(refused) => {
                assert_eq!(refused.exit, Exit::Internal, "{}", refused.message);
                assert!(refused.message.contains("no storage space"), "{}", refused.message);
                assert!(stage.mutations().is_empty());
            }
            begun => {
                stage.expect(begun, Exit::Internal);
                let said = stage.stderr.text();
                assert!(said.contains("nothing more was sent: the journal cannot be written"), "{said}");
            }
        }
        let written = std::fs::read_dir(stage.state.path()).expect("the folder");
        let journal: String = written
            .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("journal.jsonl")).ok())
            .collect();
        let announced = journal.matches("\"event\":\"effect_started\"").count();
        assert!(stage.mutations().len() <= announced, "{records} records: {journal}");
        drop(session);
        stage.expect(stage.failover(&stage.over()).await, Exit::Done);
        assert_eq!(stage.fingerprint(), expected, "{records} records");
    }
}

/// The primary is active: that, and not what follows from it, is said first.
#[tokio::test(start_paused = true)]
async fn a_failback_from_the_primary_leads_with_the_true_blocker() {
    let stage = Stage::post(115);
    let args = kdsha::cli::args::FailbackArgs { dry_run: true, ..stage.back() };
    stage.expect(stage.failback(&args).await, Exit::Blocked);
    let said = stage.stdout.text();
    let first = said.lines().find(|line| line.contains("FAIL")).expect("a failed check");
    assert!(first.contains("active region"), "{said}");
    assert!(said.contains("Preflight: 1 failed"), "advice that would harm a sound primary: {said}");
    let refused = stage.failback(&stage.back()).await.expect_err("the primary is active");
    assert!(refused.message.contains("this failback: active_region"), "{}", refused.message);
    assert!(refused.hints[0].contains("nothing to do"), "{:?}", refused.hints);
}

fn emergency(stage: &Stage) -> kdsha::cli::args::FailoverArgs {
    kdsha::cli::args::FailoverArgs { emergency: true, start_at: Some(StartAt::TrimHorizon), ..stage.over() }
}

/// No run can begin without its mark: an emergency says so at once, instead of waiting for it.
#[tokio::test(start_paused = true)]
async fn an_emergency_to_a_silent_standby_does_not_begin() {
    let stage = Stage::post(116);
    stage.sandbox.with_world(|world| world.strike(&region("us-east-2"), Outage::Silent));
    let began = stage.sandbox.now();
    let refused = stage.failover(&emergency(&stage)).await.expect_err("the standby is silent");
    assert_eq!(refused.exit, Exit::Blocked, "{}", refused.message);
    assert!(refused.message.contains("region_answers"), "{}", refused.message);
    let took = stage.sandbox.now().duration_since(began);
    assert!(took.as_secs() < 30, "{took:?}");
    assert!(stage.mutations().is_empty());
}

/// Tags that make no mark: waiting mends nothing, so every command says at once how to take them away.
#[tokio::test(start_paused = true)]
async fn a_mark_that_cannot_be_read_is_said_with_the_way_out() {
    let stage = Stage::post(117);
    let half = json!({"StreamName": "KDS-HA-Stream", "Tags": {"kdsha:run": "20260302-050000-failover-beef"}});
    stage.call(Service::Kinesis, "us-east-2", "AddTagsToStream", half.clone());
    let began = stage.sandbox.now();
    for (result, exit) in [
        (stage.failover(&emergency(&stage)).await, Exit::Blocked),
        (stage.failover(&stage.over()).await, Exit::Blocked),
        (stage.resume().await, Exit::Locked),
    ] {
        let refused = result.expect_err("whose run it is cannot be read");
        assert_eq!(refused.exit, exit, "{}", refused.message);
        let way = "aws kinesis remove-tags-from-stream --region us-east-2 --stream-name KDS-HA-Stream \
                   --tag-keys kdsha:run kdsha:intent";
        assert!(refused.hints.iter().any(|hint| hint.contains(way)), "{:?}", refused.hints);
    }
    let remove = json!({"StreamName": "KDS-HA-Stream", "TagKeys": ["kdsha:run"]});
    stage.call(Service::Kinesis, "us-east-2", "RemoveTagsFromStream", remove);
    // It may come to be while the run stands at its first question.
    let sandbox = stage.sandbox.clone();
    let call = kdsha::sandbox::call::ApiCall {
        service: Service::Kinesis,
        region: region("us-east-2"),
        account: "123456789012".parse().expect("an account"),
        operation: "AddTagsToStream".to_owned(),
        input: half,
    };
    let tag = move || drop(sandbox.with_world(|world| world.call(&call)));
    let session = at_the_keyboard(&stage, Script::default().after(tag, "y")).await;
    let args = kdsha::cli::args::FailoverArgs { yes: false, ..stage.over() };
    let exit = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Locked);
    let said = stage.stderr.text();
    assert!(said.contains("remove-tags-from-stream"), "{said}");
    let took = stage.sandbox.now().duration_since(began);
    assert!(took.as_secs() < 2 * 60, "{took:?}");
}

fn journals(stage: &Stage) -> Vec<std::path::PathBuf> {
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    state.runs().expect("the runs").into_iter().map(|one| one.path).collect()
}

/// The journal of a run that is over by its mark stops nothing; that of one that may be under way does.
#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_trusted_stops_only_what_may_be_its_own() {
    let stage = Stage::post(118);
    stage.must_fail_over().await;
    let path = journals(&stage).remove(0);
    std::fs::write(&path, "not a journal\n").expect("a file");
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    let said = stage.stderr.text().split_whitespace().collect::<Vec<_>>().join("");
    assert!(said.contains("leftaside") && said.contains(path.to_str().expect("a path")), "{said}");
    std::fs::remove_file(&path).expect("it is there");

    let args = kdsha::cli::args::FailoverArgs { timeout: Some(Duration::from_secs(30)), ..stage.over() };
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let path = journals(&stage).pop().expect("a journal");
    std::fs::write(&path, "not a journal\n").expect("a file");
    for result in [stage.failover(&stage.over()).await, stage.resume().await] {
        let refused = result.expect_err("its run is under way");
        assert_eq!(refused.exit, Exit::Locked);
        assert!(refused.message.contains("cannot be trusted"), "{}", refused.message);
    }
}
