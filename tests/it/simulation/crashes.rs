//! Killed before and after every call, with and without its journal: the same command ends in the same world.

use super::stage::{Fingerprint, MINUTE, Stage};
use kdsha::model::Exit;
use kdsha::sandbox::faults::{Fault, Rule};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Over,
    Back,
}

#[derive(Debug, Clone, Copy)]
enum Journal {
    Kept,
    Lost,
}

async fn run(stage: &Stage, way: Way) -> Result<Exit, kdsha::cli::failure::Failure> {
    match way {
        Way::Over => stage.failover(&stage.over()).await,
        Way::Back => stage.failback(&stage.back()).await,
    }
}

/// Lets a run go on until a call has met the fault, and drops it there: nothing after that instant happens.
async fn kill(stage: &Stage, way: Way, nth: u32, fault: &Fault) -> bool {
    let before = stage.sandbox.calls().1;
    let rule = Rule {
        only_mutating: true,
        skip: nth,
        times: Some(1),
        fault: Some(fault.clone()),
        ..Rule::default()
    };
    stage.sandbox.inject(rule);
    let met = async {
        let seen = || stage.sandbox.calls().1;
        while seen() < before + nth as usize + 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let killed = tokio::select! {
        exit = run(stage, way) => {
            stage.expect(exit, Exit::Done);
            false
        }
        () = met => true,
    };
    stage.sandbox.mend();
    killed
}

async fn prepared(way: Way) -> Stage {
    let stage = Stage::post(7);
    if way == Way::Back {
        stage.must_fail_over().await;
        stage.pass(10 * MINUTE).await;
    }
    stage
}

async fn undisturbed(way: Way) -> (Fingerprint, usize) {
    let stage = prepared(way).await;
    let before = stage.mutations().len();
    let exit = run(&stage, way).await;
    stage.expect(exit, Exit::Done);
    (stage.fingerprint(), stage.mutations().len() - before)
}

async fn every_call(way: Way, journal: Journal) {
    let (expected, calls) = undisturbed(way).await;
    assert!(calls >= 6, "{calls} calls");
    for nth in 0..calls as u32 {
        for fault in [Fault::Hang, Fault::ApplyThenHang] {
            let stage = prepared(way).await;
            assert!(kill(&stage, way, nth, &fault).await, "call {nth} of {calls} was not met");
            if matches!(journal, Journal::Lost) {
                stage.lose_the_journal();
            }
            let exit = run(&stage, way).await;
            match exit {
                // Without a journal, a run that was cut off after its last call looks like what it is: done.
                Err(failure) if matches!(journal, Journal::Lost) && nth as usize == calls - 1 => {
                    assert!(failure.message.contains("active_region"), "{}", failure.message);
                }
                exit => stage.expect(exit, Exit::Done),
            }
            assert_eq!(stage.fingerprint(), expected, "{way:?}, call {nth}, {fault:?}");
            stage.expect(stage.verify().await, Exit::Done);
            if way == Way::Back {
                stage.must_have_lost_nothing().await;
            } else {
                let ledger = stage.account().await;
                assert_eq!(
                    (ledger.lost, ledger.pending),
                    (0, 0),
                    "{way:?}, call {nth}, {fault:?}: {ledger:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failover_killed_at_any_call_ends_in_the_same_world() {
    every_call(Way::Over, Journal::Kept).await;
}

#[tokio::test(start_paused = true)]
async fn a_failover_killed_at_any_call_ends_in_the_same_world_without_its_journal() {
    every_call(Way::Over, Journal::Lost).await;
}

#[tokio::test(start_paused = true)]
async fn a_failback_killed_at_any_call_ends_in_the_same_world() {
    every_call(Way::Back, Journal::Kept).await;
}

#[tokio::test(start_paused = true)]
async fn a_failback_killed_at_any_call_ends_in_the_same_world_without_its_journal() {
    every_call(Way::Back, Journal::Lost).await;
}

/// An answer that is lost is not an effect that is lost: the run looks, and goes on.
#[tokio::test(start_paused = true)]
async fn lost_answers_and_passing_errors_do_not_end_a_run() {
    let error = Fault::Error { status: 500, code: "ServiceException".to_owned() };
    for fault in
        [Fault::ApplyThenDrop, Fault::Drop, Fault::Throttle, error, Fault::Hang, Fault::ApplyThenHang]
    {
        let (expected, calls) = undisturbed(Way::Over).await;
        for nth in 0..calls as u32 {
            let stage = prepared(Way::Over).await;
            let fault = Some(fault.clone());
            stage.sandbox.inject(Rule {
                only_mutating: true,
                skip: nth,
                times: Some(1),
                fault,
                ..Rule::default()
            });
            let exit = run(&stage, Way::Over).await;
            stage.expect(exit, Exit::Done);
            assert_eq!(stage.fingerprint(), expected, "call {nth}");
        }
    }
}

/// Another operator is told whose run it is, and `resume` goes on with it when its owner cannot.
#[tokio::test(start_paused = true)]
async fn a_run_that_another_operator_left_is_gone_on_with_by_resume() {
    let (expected, _) = undisturbed(Way::Over).await;
    let mut stage = prepared(Way::Over).await;
    assert!(kill(&stage, Way::Over, 2, &Fault::ApplyThenHang).await);
    stage.lose_the_journal();
    stage.owner = "maria@desk".to_owned();
    let refused = stage.failover(&stage.over()).await.expect_err("it is another operator's run");
    assert_eq!(refused.exit, Exit::Locked, "{}", refused.message);
    assert!(refused.hints.iter().any(|hint| hint.contains("kdsha resume")), "{:?}", refused.hints);
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(stage.fingerprint(), expected);
    stage.expect(stage.verify().await, Exit::Done);
    let ledger = stage.account().await;
    assert_eq!((ledger.lost, ledger.pending), (0, 0), "{ledger:?}");
}
