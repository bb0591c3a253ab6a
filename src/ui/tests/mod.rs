//! Pages: what people and programs read, as snapshots at two widths. `SNAPSHOTS=overwrite cargo test` writes them anew.

use samples::{account, at};
mod ends;
mod questions;
mod sample_run;
pub(crate) mod samples;

use super::*;
use crate::model::{FailureKind, Observed, Reason, Verdict};
use crate::plan::{Intent, Mode};
use snapbox::{assert_data_eq, file};

fn capture(settings: Settings, width: usize, show: impl FnOnce(&Ui)) -> (String, String) {
    let (out, err) = (Buffer::default(), Buffer::default());
    let ui = Ui::with_writers(settings, Box::new(out.clone()), Box::new(err.clone()), width);
    show(&ui);
    (out.text(), err.text())
}

fn human(width: usize, show: impl FnOnce(&Ui)) -> (String, String) {
    capture(Settings::default(), width, show)
}

fn json(show: impl FnOnce(&Ui)) -> (String, String) {
    capture(Settings { format: Format::Json, ..Settings::default() }, 80, show)
}

/// No line is wider than the screen, but for words that must not be cut.
fn fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(console::measure_text_width(line) <= width, "wider than {width}: {line}");
    }
}

/// Every line is a document with the schema.
fn documents(text: &str, schema: &str) -> Vec<serde_json::Value> {
    let read = |line: &str| {
        let document: serde_json::Value = serde_json::from_str(line).expect(line);
        assert_eq!(document["schema"], schema, "{line}");
        document
    };
    text.lines().map(read).collect()
}

fn show_run(ui: &Ui) {
    ui.set_context(&samples::topology(), Some(&samples::identity()));
    for (event, at) in sample_run::events() {
        ui.event(&event, at);
    }
}

#[test]
fn a_run_reads_well_at_both_widths() {
    let (out, err) = human(80, show_run);
    assert_eq!(out, "", "progress is not data");
    fits(&err, 80);
    assert_data_eq!(err, file!["snapshots/run_80.txt"].raw());
    let (_, err) = human(120, show_run);
    assert_data_eq!(err, file!["snapshots/run_120.txt"].raw());
}

#[test]
fn a_run_as_json_is_one_document_an_event() {
    let (out, err) = json(show_run);
    assert_eq!(err, "");
    let documents = documents(&out, "kdsha.event/1");
    assert_eq!(documents.len(), sample_run::events().len());
    assert_eq!(documents[0]["event"], "run_started");
    assert_eq!(documents[0]["at"], "2026-11-22T10:45:01Z");
    let waits: Vec<_> = documents.iter().filter(|document| document["event"] == "waiting").collect();
    let keys = ["lag_seconds", "sample_age_seconds", "arrivals_per_second", "left_seconds"];
    let is_whole = |wait: &&&serde_json::Value| keys.iter().all(|key| wait["progress"][key].is_number());
    assert!(waits.iter().filter(is_whole).count() >= 2, "{waits:?}");
    assert!(waits.iter().all(|wait| wait["waited_seconds"].is_number() && wait["deadline"].is_string()));
    assert_data_eq!(out, file!["snapshots/run.jsonl"].raw());
}

#[test]
fn quiet_keeps_what_needs_attention() {
    let (out, err) = capture(Settings { quiet: true, ..Settings::default() }, 80, show_run);
    assert_eq!(out, "");
    assert!(!err.contains("[1/8]") && !err.contains("waiting"), "{err}");
    assert!(err.contains("FAILED") && err.contains("OWED") && err.contains("kdsha resume"), "{err}");
}

#[test]
fn a_plain_wait_speaks_when_the_reason_changes_or_fifteen_seconds_have_passed() {
    let (_, err) = human(120, show_run);
    let waits = err.lines().filter(|line| line.contains("  waiting ")).count();
    assert_eq!(waits, 3, "10:46:00 (first), 10:46:15 (time), 10:46:20 (reason)\n{err}");
}

#[test]
fn the_status_shows_both_regions() {
    let (topology, snapshot) = (samples::topology(), samples::calm());
    let input =
        StatusInput { topology: &topology, snapshot: &snapshot, unfinished: &[], owed: &[], reports: &[] };
    for width in [80, 120] {
        let (out, err) = human(width, |ui| ui.status(&input));
        assert_eq!(err, "");
        fits(&out, width);
        match width {
            80 => assert_data_eq!(out, file!["snapshots/status_calm_80.txt"].raw()),
            _ => assert_data_eq!(out, file!["snapshots/status_calm_120.txt"].raw()),
        }
    }
}

#[test]
fn the_status_of_an_outage_names_every_unknown() {
    let (topology, snapshot) = (samples::topology(), samples::outage());
    let unfinished = ["20261122-104501-failover-us-east-2-3f9a, cut off in stage 4: kdsha resume".to_owned()];
    let owed = ["us-west-2: stop the replicator KDS-HA-ReplicationAgentLambda: kdsha resume".to_owned()];
    let reports = samples::reports();
    let input = StatusInput {
        topology: &topology,
        snapshot: &snapshot,
        unfinished: &unfinished,
        owed: &owed,
        reports: &reports,
    };
    let (out, _) = human(80, |ui| ui.status(&input));
    fits(&out, 80);
    assert_data_eq!(out, file!["snapshots/status_outage_80.txt"].raw());
    let (out, _) = json(|ui| ui.status(&input));
    let document = &documents(&out, "kdsha.status/1")[0];
    let pretty = serde_json::to_string_pretty(document).expect("JSON");
    assert_data_eq!(pretty, file!["snapshots/status_outage.json"].raw());
    assert_eq!(document["ok"], false);
    assert_eq!(document["deviations"].as_array().map(Vec::len), Some(3));
    assert!(!out.contains("hunter2"), "an environment value was printed");
}

#[test]
fn verbose_status_says_what_the_look_cost() {
    let (topology, snapshot) = (samples::topology(), samples::calm());
    let input =
        StatusInput { topology: &topology, snapshot: &snapshot, unfinished: &[], owed: &[], reports: &[] };
    let (out, _) = capture(Settings { verbose: 1, ..Settings::default() }, 80, |ui| ui.status(&input));
    assert!(out.contains("41 requests, the longest chain 3 calls"), "{out}");
}

#[test]
fn a_plan_shows_positions_calls_and_the_point_of_no_return() {
    let plan = sample_run::plan();
    let effects = sample_run::effects(&plan);
    let show = |ui: &Ui| {
        ui.set_context(&samples::topology(), Some(&samples::identity()));
        ui.plan(&plan, &effects);
    };
    let (out, _) = human(80, show);
    fits(&out, 80);
    for effect in &effects {
        assert!(out.contains(effect.effect.operation()), "{} is missing", effect.effect.operation());
    }
    assert_data_eq!(out, file!["snapshots/plan_80.txt"].raw());
    let (out, _) = human(120, show);
    assert_data_eq!(out, file!["snapshots/plan_120.txt"].raw());
}

#[test]
fn a_plan_as_json_is_one_document() {
    let plan = sample_run::plan();
    let effects = sample_run::effects(&plan);
    let (out, _) = json(|ui| ui.plan(&plan, &effects));
    let documents = documents(&out, "kdsha.plan/1");
    assert_eq!(documents.len(), 1);
    let pretty = serde_json::to_string_pretty(&documents[0]).expect("JSON");
    assert_data_eq!(pretty, file!["snapshots/plan.json"].raw());
    for key in ["intent", "run", "stages", "checks", "positions", "blockers", "effects"] {
        assert!(!documents[0][key].is_null(), "{key}");
    }
    assert_eq!(documents[0]["effects"].as_array().map(Vec::len), Some(effects.len()));
}

#[test]
fn a_call_that_no_step_claims_is_not_hidden() {
    let mut plan = sample_run::plan();
    let effects = sample_run::effects(&plan);
    plan.stages[2].steps.clear();
    let (out, _) = human(80, |ui| ui.plan(&plan, &effects));
    assert!(out.contains("also sent, by no step above"), "{out}");
    assert!(out.contains("lambda:UpdateFunctionConfiguration"), "{out}");
}

#[test]
fn several_pipelines_are_told_apart() {
    let two = vec![samples::id("ticker-prices"), samples::id("orders")];
    let (_, err) = human(80, |ui| {
        for (mut event, at) in sample_run::events() {
            if let Event::RunStarted { pipelines, .. } = &mut event {
                pipelines.clone_from(&two);
            }
            ui.event(&event, at);
        }
    });
    for text in [
        "send    us-west-2: ticker-prices: set",
        "ok      us-west-2: ticker-prices: replicator lag",
        "waiting ticker-prices: for",
    ] {
        assert!(err.contains(text), "{text}\n{err}");
    }
}

#[test]
fn a_blocked_plan_lists_every_blocker() {
    let mut plan = sample_run::plan();
    plan.checks = samples::reports();
    let (out, _) = human(80, |ui| ui.plan(&plan, &[]));
    assert!(out.contains("This plan is blocked by 2 checks."), "{out}");
    plan.intent = Intent::Failover { to: samples::east(), mode: Mode::Emergency };
    let (out, _) = human(80, |ui| ui.plan(&plan, &[]));
    assert!(out.contains("This plan is blocked by 1 check."), "{out}");
}

#[test]
fn the_summary_before_a_run_is_on_stderr_with_the_prompts() {
    let plan = sample_run::plan();
    let (out, err) = human(80, |ui| ui.plan_summary(&plan, &sample_run::effects(&plan)));
    assert_eq!(out, "");
    assert!(err.contains("POINT OF NO RETURN"));
}

/// Whoever is asked gets the whole plan, in JSON and with `--quiet` too; where nobody is asked, `--quiet` leaves what
/// needs attention, and JSON has the events.
#[test]
fn nobody_is_asked_without_having_been_shown_all_steps() {
    let mut plan = sample_run::plan();
    plan.checks = samples::reports();
    let effects = sample_run::effects(&plan);
    let quiet = Settings { quiet: true, ..Settings::default() };
    let json = Settings { format: Format::Json, ..Settings::default() };
    for (settings, asks, whole) in [
        (quiet.clone(), false, false),
        (quiet, true, true),
        (json.clone(), false, false),
        (json.clone(), true, true),
    ] {
        let (out, err) = capture(settings.clone(), 80, |ui| {
            let _prompter = asks.then(|| Prompter::with_reader(ui, Box::new(&b""[..])));
            ui.plan_summary(&plan, &effects);
        });
        assert_eq!(out, "", "stdout is for data");
        let titles = plan.stages.iter().filter(|stage| err.contains(&stage.title)).count();
        assert_eq!(titles, if whole { plan.stages.len() } else { 0 }, "{settings:?}, asks: {asks}\n{err}");
        assert_eq!(err.contains("other automation"), settings != json || asks, "{settings:?}\n{err}");
    }
}

#[test]
fn checks_are_grouped_and_what_is_well_is_a_count() {
    let (out, _) = human(80, |ui| ui.checks(&samples::reports(), "Verify"));
    fits(&out, 80);
    assert_data_eq!(out, file!["snapshots/checks_80.txt"].raw());
    let (out, _) = capture(Settings { verbose: 1, ..Settings::default() }, 80, |ui| {
        ui.checks(&samples::reports(), "Verify")
    });
    assert!(out.contains("account 123456789012, as configured"), "{out}");
    let (out, _) = json(|ui| ui.checks(&samples::reports(), "Verify"));
    assert_eq!(documents(&out, "kdsha.verify/1")[0]["ok"], false);
}

#[test]
fn control_characters_of_others_reach_no_output() {
    let nasty = "stack\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}8m\rok\u{202e}";
    let is_harmless = |text: &str| text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}'));
    let mut reports = samples::reports();
    reports[2].evidence = nasty.to_owned();
    let mut snapshot = samples::calm();
    snapshot.identity = Observed::Unknown(Reason::new(FailureKind::Service, nasty));
    let topology = samples::topology();
    let owed = [nasty.to_owned()];
    let input = StatusInput {
        topology: &topology,
        snapshot: &snapshot,
        unfinished: &owed,
        owed: &owed,
        reports: &reports,
    };
    for settings in [Settings::default(), Settings { format: Format::Json, ..Settings::default() }] {
        let (out, err) = capture(settings, 80, |ui| {
            ui.set_scene(&topology, &snapshot);
            ui.status(&input);
            ui.checks(&reports, nasty);
            ui.event(&Event::Note { text: nasty.to_owned() }, at("10:45:01"));
            ui.failure(Exit::StepFailed, &owed, &owed);
            ui.note(nasty);
            ui.table(&["a", "b"], &[vec![nasty.to_owned(), nasty.to_owned()]], "kdsha.runs/1", &owed);
        });
        assert!(is_harmless(&out) && is_harmless(&err), "{out:?}\n{err:?}");
        assert!(out.contains("owned") && err.contains("owned"));
    }
}

#[test]
fn unknown_is_not_ok() {
    let unknown: Vec<_> = samples::reports().into_iter().filter(|r| r.verdict == Verdict::Unknown).collect();
    let (out, _) = json(|ui| ui.checks(&unknown, "Verify"));
    assert_eq!(documents(&out, "kdsha.verify/1")[0]["ok"], false);
}

#[test]
fn a_failure_names_cause_exit_and_way_out() {
    let chain = ["the switch of KDS-HA-ProducerLambda failed".to_owned(), "lambda:UpdateFunctionConfiguration for KDS-HA-ProducerLambda in us-west-2: 412: somebody else changed the function".to_owned()];
    let hints = ["kdsha resume".to_owned()];
    let (out, err) = human(80, |ui| ui.failure(Exit::StepFailed, &chain, &hints));
    assert_eq!(out, "");
    assert_data_eq!(err, file!["snapshots/failure_80.txt"].raw());
    let (out, err) = json(|ui| ui.failure(Exit::StepFailed, &chain, &hints));
    assert_eq!(documents(&out, "kdsha.error/1")[0]["exit"], 5);
    assert!(err.starts_with("error: "));
}

#[test]
fn a_rehearsal_ends_with_its_ledger() {
    let result = serde_json::json!({
        "schema": "kdsha.rehearsal/1", "scenario": "planned", "put": 120_000, "processed": 120_000, "lost": 0,
        "duplicates": 43_212, "pending": 0, "recovery_seconds": 431.0, "rto_seconds": 900.0,
    });
    let (out, _) = human(80, |ui| ui.rehearsal(&result));
    assert_data_eq!(out, file!["snapshots/rehearsal_80.txt"].raw());
    let (out, _) = json(|ui| ui.rehearsal(&result));
    assert_eq!(documents(&out, "kdsha.rehearsal/1")[0]["put"], 120_000);
    let (out, _) = human(80, |ui| ui.rehearsal(&serde_json::json!({ "put": 5 })));
    assert!(out.contains("Whether records were lost is unknown."), "{out}");
}

#[test]
fn colours_change_nothing_that_can_be_read() {
    let colored = Settings { color: Color::Always, ..Settings::default() };
    let (_, with) = capture(colored, 80, show_run);
    let (_, without) = human(80, show_run);
    assert!(with.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&with), without);
}

#[test]
fn a_closed_pipe_is_remembered_and_stops_nothing() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let err = Buffer::default();
    let ui = Ui::with_writers(Settings::default(), Box::new(Closed), Box::new(err.clone()), 80);
    ui.raw("data");
    ui.note("still here");
    assert_eq!(ui.write_error(), Some(io::ErrorKind::BrokenPipe));
    assert_eq!(err.text(), "still here\n");
}

/// No page is wider than its terminal. `KDSHA_LOOK=DIR` also writes them there, in colour, to look at.
#[test]
fn no_page_is_wider_than_its_terminal() {
    let folder = std::env::var_os("KDSHA_LOOK").map(std::path::PathBuf::from);
    let plan = sample_run::plan();
    let (topology, snapshot) = (samples::topology(), samples::outage());
    let reports = samples::reports();
    let owed = ["us-west-2: stop the replicator: kdsha resume".to_owned()];
    let input = StatusInput {
        topology: &topology,
        snapshot: &snapshot,
        unfinished: &owed,
        owed: &owed,
        reports: &reports,
    };
    for width in [80, 120] {
        let settings = Settings { color: Color::Always, ..Settings::default() };
        let (out, err) = capture(settings, width, |ui| {
            ui.set_context(&topology, Some(&samples::identity()));
            ui.status(&input);
            ui.plan(&plan, &sample_run::effects(&plan));
            ui.checks(&reports, "Verify");
            show_run(ui);
            let prompt = StagePrompt::of_plan(&plan, 3, Some(&account()), at("10:45:31")).expect("a stage");
            let answer = Prompter::with_reader(ui, Box::new(&b"y\n"[..])).ask(&prompt);
            assert_eq!(answer.ok(), Some(Answer::Yes));
        });
        for line in out.lines().chain(err.lines()) {
            // An id is never broken, and a command line is one line, to be copied.
            let columns = console::measure_text_width(line);
            assert!(columns <= width, "{columns} columns at a width of {width}: {line}");
        }
        if let Some(folder) = &folder {
            std::fs::write(folder.join(format!("data_{width}.txt")), &out).expect("a folder to write to");
            std::fs::write(folder.join(format!("rest_{width}.txt")), &err).expect("a folder to write to");
        }
    }
}
