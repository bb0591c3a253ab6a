//! A planned run that is turned into an emergency at a prompt or during a wait; waits that are waited on, stopped or
//! interrupted.

use super::operator::{Script, at_the_keyboard};
use super::stage::{MINUTE, Stage, region};
use kdsha::cli::{failover, session::Session};
use kdsha::model::{Event, Exit};
use kdsha::sandbox::world::Outage;
use kdsha::ui::Format;
use std::time::Duration;

fn operations(stage: &Stage, of: &str) -> Vec<String> {
    let calls = stage.mutations().into_iter().filter(|call| call.region == region(of));
    calls.map(|call| call.operation).collect()
}

/// The reasons that the journal gives for a turn.
fn turns(stage: &Stage) -> Vec<String> {
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    let runs = state.runs().expect("the runs").into_iter().map(|one| one.run.expect("a journal"));
    let events = runs.flat_map(|run| run.events);
    events
        .filter_map(|(_, event)| match event {
            Event::TurnedToEmergency { reason } => Some(reason),
            _ => None,
        })
        .collect()
}

async fn run(stage: &Stage, session: &Session, timeout: Option<Duration>) -> Exit {
    let args = kdsha::cli::args::FailoverArgs { yes: false, timeout, ..stage.over() };
    let result = failover::run(session, &stage.ui(Format::Human), &args).await;
    result
        .unwrap_or_else(|failure| panic!("{} {:?}\n{}", failure.message, failure.hints, stage.stderr.text()))
}

/// At the prompt of the switch the primary falls silent. The prepared mapping started where a drained primary allows
/// it; an emergency starts earlier, so it is deleted and created again.
#[tokio::test(start_paused = true)]
async fn a_planned_run_is_turned_at_a_prompt_and_the_prepared_mapping_is_made_anew() {
    let stage = Stage::post(61);
    stage.pass(10 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let strike = move || sandbox.with_world(|w| w.strike(&region("us-west-2"), Outage::Silent));
    // Mark, prepare, then the switch; afterwards the emergency's own stages.
    let script = Script::typing(&["y", "y"])
        .after(strike, "emergency")
        .then("us-east-2")
        .then("us-west-2 went dark")
        .then("trim-horizon");
    let script = ["y", "y", "y", "y"].iter().fold(script, |script, line| script.then(line));
    let session = at_the_keyboard(&stage, script).await;
    let exit = run(&stage, &session, None).await;
    let said = stage.stderr.text();
    assert_eq!(exit, Exit::Owed, "{said}");
    assert!(said.contains("e[m]ergency"), "{said}");
    assert_eq!(turns(&stage), ["us-west-2 went dark"]);

    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The primary still answers: the emergency's rule gives an earlier position by itself.
#[tokio::test(start_paused = true)]
async fn a_turn_derives_the_position_anew_and_recreates_what_starts_later() {
    let stage = Stage::post(62);
    stage.pass(10 * MINUTE).await;
    let script =
        Script::typing(&["y", "y", "m", "us-east-2", "it will not last", "y", "y", "y", "y", "y", "y"]);
    let session = at_the_keyboard(&stage, script).await;
    let exit = run(&stage, &session, None).await;
    assert!(matches!(exit, Exit::Done | Exit::Owed), "{exit:?}\n{}", stage.stderr.text());
    let east = operations(&stage, "us-east-2");
    let mappings: Vec<&str> =
        east.iter().map(String::as_str).filter(|o| o.contains("EventSourceMapping")).collect();
    assert_eq!(
        mappings,
        ["CreateEventSourceMapping", "DeleteEventSourceMapping", "CreateEventSourceMapping"],
        "{}",
        stage.stderr.text()
    );
    assert_eq!(turns(&stage), ["it will not last"]);
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// What stops a run between its turn and the emergency's first stage is written down, with the way on.
async fn stopped_at_its_turn(stage: &Stage, script: Script) -> kdsha::journal::Listed {
    let session = at_the_keyboard(stage, script).await;
    let args = kdsha::cli::args::FailoverArgs { yes: false, ..stage.over() };
    let stopped =
        failover::run(&session, &stage.ui(Format::Human), &args).await.expect_err("it cannot begin");
    assert_eq!(stopped.exit, Exit::Blocked, "{}", stopped.message);
    assert!(!stopped.message.contains("nothing was changed"), "{}", stopped.message);
    let way = "`kdsha failover --to us-east-2 --emergency` goes on";
    assert!(stopped.hints.iter().any(|hint| hint.contains(way)), "{:?}", stopped.hints);
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    let listed = state.runs().expect("the runs").remove(0);
    let run = listed.run.as_ref().expect("a journal");
    assert_eq!((run.turned, run.ended), (true, Some(Exit::Blocked)));
    listed
}

#[tokio::test(start_paused = true)]
async fn a_turn_without_an_answer_to_its_question_names_the_way_on() {
    let stage = Stage::post(70);
    stage.pass(10 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let strike = move || sandbox.with_world(|w| w.strike(&region("us-west-2"), Outage::Silent));
    let script = Script::default().after(strike, "m").then("us-east-2").then("us-west-2 went dark");
    stopped_at_its_turn(&stage, script).await;
    assert!(stage.mutations().is_empty());
}

/// The turn is remembered, although the process was killed before it had the emergency's plan.
#[tokio::test(start_paused = true)]
async fn a_turn_that_was_cut_off_is_not_forgotten() {
    let stage = Stage::post(69);
    stage.pass(10 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let both = ["us-west-2", "us-east-2"];
    let strike =
        move || both.iter().for_each(|name| sandbox.with_world(|w| w.strike(&region(name), Outage::Silent)));
    let script = Script::typing(&["y", "y"]).after(strike, "m");
    let script = script.then("us-east-2").then("us-west-2 went dark");
    let path = stopped_at_its_turn(&stage, script).await.path;
    let text = std::fs::read_to_string(&path).expect("a journal");
    let (kept, _) = text.trim_end().rsplit_once('\n').expect("more than a line");
    std::fs::write(&path, format!("{kept}\n")).expect("a file");
    stage.sandbox.with_world(|world| world.heal(&region("us-east-2")));

    let refused = stage.failover(&stage.over()).await.expect_err("it is an emergency by now");
    assert_eq!(refused.exit, Exit::Locked, "{}", refused.message);
    assert!(refused.message.contains("(emergency)"), "{}", refused.message);
    stage.expect(stage.resume().await, Exit::Owed);
    assert_eq!(turns(&stage), ["us-west-2 went dark"]);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A turn that is taken back leaves the run as it was.
#[tokio::test(start_paused = true)]
async fn a_turn_needs_the_region_and_a_reason() {
    let stage = Stage::post(63);
    let script = Script::typing(&["m", "", "m", "us-east-2", "", "n"]);
    let session = at_the_keyboard(&stage, script).await;
    assert_eq!(run(&stage, &session, None).await, Exit::Declined);
    assert_eq!(stage.stderr.text().matches("The run stays what it is.").count(), 2);
    assert!(turns(&stage).is_empty() && stage.mutations().is_empty());
    // A failback cannot be turned: it is not offered, and not taken.
    stage.must_fail_over().await;
    let session = at_the_keyboard(&stage, Script::typing(&["m", "n"])).await;
    let args = kdsha::cli::args::FailbackArgs { yes: false, ..stage.back() };
    let before = stage.stderr.text().len();
    let exit = kdsha::cli::failback::run(&session, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Declined);
    let said = stage.stderr.text().split_off(before);
    assert!(said.contains("Only a planned failover") && !said.contains("e[m]ergency"), "{said}");
}

/// A wait that ran out of time is waited on, as often as the operator likes.
#[tokio::test(start_paused = true)]
async fn a_wait_out_of_time_is_waited_on() {
    let stage = Stage::post(64);
    let mut script = Script::typing(&["y", "y", "y", "y"]);
    // Eight prompts in all; between them as many waits as it takes.
    for _ in 0..60 {
        script = script.then("w").then("y");
    }
    let session = at_the_keyboard(&stage, script).await;
    let exit = run(&stage, &session, Some(2 * MINUTE)).await;
    let said = stage.stderr.text();
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(said.contains("[w]ait on (2m)") && said.contains("the operator waits on, for 2m more"), "{said}");
    stage.expect(stage.verify().await, Exit::Done);
}

/// During the wait for the drain the primary falls silent; when the time is over the operator turns the run.
#[tokio::test(start_paused = true)]
async fn a_wait_out_of_time_is_turned_into_an_emergency() {
    let stage = Stage::post(65);
    stage.pass(5 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let strike = move || sandbox.with_world(|w| w.strike(&region("us-west-2"), Outage::Silent));
    // Mark, prepare, switch; it falls silent before the stream is proven quiet.
    let script = Script::typing(&["y", "y", "y"])
        .after(strike, "y")
        .then("m")
        .then("us-east-2")
        .then("no answer from us-west-2");
    // Its own stages that have something left to do; the wait for polling takes longer than the short time-out.
    let script = ["y", "y", "y", "w", "w", "w"].iter().fold(script, |script, line| script.then(line));
    let session = at_the_keyboard(&stage, script).await;
    let began = stage.sandbox.now();
    let exit = run(&stage, &session, Some(2 * MINUTE)).await;
    let said = stage.stderr.text();
    assert_eq!(exit, Exit::Owed, "{said}");
    let took = stage.sandbox.now().duration_since(began);
    assert!(took.as_secs() < 15 * 60, "{took:?}");
    assert!(said.contains("The time for this wait is over"), "{said}");
    assert_eq!(turns(&stage), ["no answer from us-west-2"]);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Without anybody to ask, it stops as it always did, with the command that goes on.
#[tokio::test(start_paused = true)]
async fn without_a_terminal_a_wait_out_of_time_stops() {
    let stage = Stage::post(66);
    let mut args = stage.over();
    args.timeout = Some(Duration::from_secs(30));
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let said = stage.stderr.text();
    assert!(said.contains("kdsha failover --to us-east-2") && !said.contains("What now?"), "{said}");
}

/// Raises the interrupt once the run waits for the stream to be quiet.
async fn interrupt_in_the_wait(stage: &Stage, session: &Session) {
    while !stage.mutations().iter().any(|call| call.operation == "UpdateFunctionConfiguration") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(MINUTE).await;
    session.interrupt.raise();
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_a_wait_asks_and_going_on_is_going_on() {
    let stage = Stage::post(67);
    let script = Script::typing(&["y", "y", "y", "y", "w", "y", "y", "y", "y", "y"]);
    let session = at_the_keyboard(&stage, script).await;
    let (exit, ()) = tokio::join!(run(&stage, &session, None), interrupt_in_the_wait(&stage, &session));
    let said = stage.stderr.text();
    assert_eq!(exit, Exit::Done, "{said}");
    assert_eq!(said.matches("Interrupted during a wait").count(), 1, "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_a_wait_stops_where_nobody_can_be_asked() {
    for by_signal_to_end in [false, true] {
        let stage = Stage::post(68);
        // With a terminal SIGTERM asks nothing; without one, neither does Ctrl-C.
        let session = match by_signal_to_end {
            true => at_the_keyboard(&stage, Script::typing(&["y"; 12])).await,
            false => stage.session().await,
        };
        let raise = async {
            interrupt_in_the_wait_by(&stage, &session, by_signal_to_end).await;
        };
        let (exit, ()) = tokio::join!(run(&stage, &session, None), raise);
        let said = stage.stderr.text();
        assert_eq!(exit, Exit::Interrupted, "{said}");
        assert!(!said.contains("Interrupted during a wait"), "{said}");
        assert!(said.contains("kdsha failover --to us-east-2"), "{said}");
        let sent = stage.mutations().len();
        stage.pass(5 * MINUTE).await;
        assert_eq!(stage.mutations().len(), sent, "nothing is sent after an interrupt");
        stage.expect(stage.resume().await, Exit::Done);
        stage.must_have_lost_nothing().await;
    }
}

async fn interrupt_in_the_wait_by(stage: &Stage, session: &Session, to_end: bool) {
    if !to_end {
        return interrupt_in_the_wait(stage, session).await;
    }
    while !stage.mutations().iter().any(|call| call.operation == "UpdateFunctionConfiguration") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(MINUTE).await;
    session.interrupt.terminate();
}
