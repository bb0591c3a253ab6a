//! Questions and answers, and the same calls by hand.

use super::human;
use super::sample_run as run;
use super::samples::{self, account, at, id};
use crate::model::{Effect, Event, MappingSettings, MappingSource, Region};
use crate::ui::{Answer, Prompter, Settings, StagePrompt, Stuck, Ui, WaitAnswer, WaitPrompt, aws_cli};
use snapbox::{assert_data_eq, file};
use std::time::Duration;

fn ask(typed: &'static str, stage: usize) -> (Answer, String) {
    let plan = run::plan();
    let prompt = StagePrompt::of_plan(&plan, stage, Some(&account()), at("10:45:31")).expect("a stage");
    let mut answer = None;
    let (_, err) = human(80, |ui| {
        answer = Prompter::with_reader(ui, Box::new(typed.as_bytes())).ask(&prompt).ok();
    });
    (answer.expect("an answer"), err)
}

#[test]
fn only_a_yes_is_a_yes() {
    for (typed, answer) in [
        ("y\n", Answer::Yes),
        ("YES\n", Answer::Yes),
        ("n\n", Answer::No),
        ("\n", Answer::No),
        ("", Answer::No),
        ("yy\nwhat\n", Answer::No),
        ("s\n", Answer::No),
    ] {
        assert_eq!(ask(typed, 3).0, answer, "{typed:?}");
    }
}

#[test]
fn a_skip_is_offered_where_it_is_legal_and_needs_a_reason() {
    let (answer, err) = ask("s\n\ns\n  the stream is deleted \n", 4);
    assert_eq!(answer, Answer::Skip { reason: "the stream is deleted".to_owned() });
    assert!(err.contains("A skip needs a reason.") && err.contains("records that arrive late"), "{err}");
    let (_, err) = ask("s\n", 3);
    assert!(err.contains("cannot be skipped") && !err.contains("[s]kip"), "{err}");
}

#[test]
fn a_question_says_what_where_why_and_what_undoes_it() {
    let (_, err) = ask("e\nn\n", 3);
    assert_data_eq!(err, file!["snapshots/prompt_switch_80.txt"].raw());
    let (_, err) = ask("e\nn\n", 2);
    assert_data_eq!(err, file!["snapshots/prompt_create_80.txt"].raw());
}

#[test]
fn a_stage_that_was_announced_is_not_titled_twice() {
    let plan = run::plan();
    let prompt = StagePrompt::of_plan(&plan, 3, None, at("10:45:31")).expect("a stage");
    let (_, err) = human(80, |ui| {
        let started = Event::StageStarted {
            number: 3,
            of: 8,
            title: prompt.title.clone(),
            is_point_of_no_return: true,
        };
        ui.event(&started, at("10:45:31"));
        assert_eq!(Prompter::with_reader(ui, Box::new(&b"y\n"[..])).ask(&prompt).ok(), Some(Answer::Yes));
    });
    assert_eq!(err.matches("[3/8]").count(), 1, "{err}");
}

#[test]
fn an_emergency_needs_the_name_of_the_region() {
    let region: Region = samples::east();
    for (typed, answer) in [
        ("us-east-2\n", true),
        ("us-west-2\nus-east-2\n", true),
        ("y\ny\ny\nus-east-2\n", false),
        ("\n", false),
        ("", false),
    ] {
        let mut given = None;
        human(80, |ui| {
            given = Prompter::with_reader(ui, Box::new(typed.as_bytes())).type_region(&region).ok()
        });
        assert_eq!(given, Some(answer), "{typed:?}");
    }
    assert_eq!(Prompter::AssumeYes.type_region(&region).ok(), Some(true));
}

/// On a real terminal: what is typed early is no answer, Ctrl-C is heard, Ctrl-D is no, and the cursor stays visible.
///
/// The test is its own child: run again on the pseudo-terminal, it asks, and says what it was told.
#[test]
fn a_terminal_is_heard_only_while_a_question_is_open() -> Result<(), rexpect::error::Error> {
    if std::env::var_os("KDSHA_ASK").is_some() {
        ask_on_this_terminal();
        return Ok(());
    }
    let this = "ui::tests::questions::a_terminal_is_heard_only_while_a_question_is_open";
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(["--exact", this, "--nocapture"]).env("KDSHA_ASK", "1").env("TERM", "xterm");
    let mut terminal = rexpect::session::spawn_command(command, Some(20_000))?;
    terminal.exp_string("running 1 test")?;
    terminal.send_line("y")?;
    let mut seen = terminal.exp_string("(default: no) > ")?;
    terminal.send_line("n")?;
    seen += &terminal.exp_string("stage 2: Ok(No)")?;
    terminal.exp_string("(default: no) > ")?;
    terminal.send_control('c')?;
    seen += &terminal.exp_string("stage 3: Err(Kind(Interrupted))")?;
    terminal.exp_string("(default: no) > ")?;
    terminal.send_control('d')?;
    seen += &terminal.exp_string("stage 4: Ok(No)")?;
    terminal.exp_string("(empty: stop here) > ")?;
    terminal.send_line("us-east-2")?;
    seen += &terminal.exp_string("typed: Ok(true)")?;
    assert!(!seen.contains("\u{1b}[?25l"), "the cursor was hidden");
    terminal.exp_eof()?;
    Ok(())
}

fn ask_on_this_terminal() {
    let ui = Ui::new(Settings::default());
    let plan = run::plan();
    let mut prompter = Prompter::terminal(&ui);
    for stage in 2..=4 {
        // What is typed in here is typed before the question.
        std::thread::sleep(Duration::from_millis(700));
        let prompt = StagePrompt::of_plan(&plan, stage, Some(&account()), at("10:45:31")).expect("a stage");
        ui.note(&format!("stage {stage}: {:?}", prompter.ask(&prompt)));
    }
    ui.note(&format!("typed: {:?}", prompter.type_region(&samples::east())));
}

#[test]
fn a_wait_that_was_interrupted_has_not_run_out_of_time() {
    let asked = |is_interrupt| {
        human(80, |ui| {
            let _ = Prompter::with_reader(ui, Box::new("n\n".as_bytes())).wait(&stuck(is_interrupt));
        })
        .1
    };
    assert!(asked(true).contains("  waiting ") && !asked(true).contains("TIMEOUT"), "{}", asked(true));
    assert!(asked(false).contains("  TIMEOUT "), "{}", asked(false));
}

/// A wait for the drain that does not end.
pub(super) fn stuck(is_interrupt: bool) -> WaitPrompt {
    WaitPrompt {
        stuck: vec![Stuck {
            pipeline: id("ticker-prices"),
            summary: "Wait until the lag of the consumer KDS-HA-ConsumerLambda in us-west-2 is proven zero"
                .to_owned(),
            because: "no data point for 9m".to_owned(),
        }],
        is_interrupt,
        longer: std::time::Duration::from_secs(1_800),
        emergency: Some(samples::east()),
    }
}

#[test]
fn a_wait_out_of_time_can_be_waited_on_stopped_or_turned() {
    let emergency = || WaitAnswer::Emergency { reason: "no answer".to_owned() };
    for (typed, answer) in [
        ("w\n", WaitAnswer::On),
        ("what\nW\n", WaitAnswer::On),
        ("n\n", WaitAnswer::Stop),
        ("\n", WaitAnswer::Stop),
        ("", WaitAnswer::Stop),
        ("y\n", WaitAnswer::Stop),
        ("m\nus-east-2\nno answer\n", emergency()),
        ("emergency\nus-west-2\nus-east-2\nno answer\n", emergency()),
        // Neither without the Region nor without a reason.
        ("m\n\nw\n", WaitAnswer::On),
        ("m\nus-east-2\n\nn\n", WaitAnswer::Stop),
    ] {
        let mut given = None;
        human(80, |ui| {
            given = Prompter::with_reader(ui, Box::new(typed.as_bytes())).wait(&stuck(false)).ok();
        });
        assert_eq!(given, Some(answer), "{typed:?}");
    }
    assert_eq!(Prompter::AssumeYes.wait(&stuck(false)).ok(), Some(WaitAnswer::Stop));
    // Where it is not legal it is neither offered nor taken.
    let (_, err) = human(80, |ui| {
        let prompt = WaitPrompt { emergency: None, ..stuck(true) };
        let mut prompter = Prompter::with_reader(ui, Box::new(&b"m\nn\n"[..]));
        assert_eq!(prompter.wait(&prompt).ok(), Some(WaitAnswer::Stop));
    });
    assert!(err.contains("Only a planned failover") && !err.contains("e[m]ergency"), "{err}");
}

#[test]
fn a_stage_is_turned_into_an_emergency_with_the_region_and_a_reason() {
    let (answer, err) = ask("emergency\nus-east-2\n us-west-2 went dark \n", 3);
    assert_eq!(answer, Answer::Emergency { reason: "us-west-2 went dark".to_owned() });
    assert!(err.contains("e[m]ergency"), "{err}");
    assert_eq!(ask("m\nno\nno\nno\ny\n", 3).0, Answer::Yes, "three tries, and it stays what it is");
}

/// On a real terminal: the Ctrl-C that opens the question about a wait is no answer to it, the next one is.
#[test]
fn an_interrupt_opens_one_question_about_a_wait() -> Result<(), rexpect::error::Error> {
    if std::env::var_os("KDSHA_WAIT").is_some() {
        wait_on_this_terminal();
        return Ok(());
    }
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command
        .args([
            "--exact",
            "ui::tests::questions::an_interrupt_opens_one_question_about_a_wait",
            "--nocapture",
        ])
        .env("KDSHA_WAIT", "1")
        .env("TERM", "xterm");
    let mut terminal = rexpect::session::spawn_command(command, Some(20_000))?;
    // The second round hears interrupts in two places: in the engine's, and in the keyboard's since the first question.
    for (round, typed, answer) in [(1, "w", "Ok(On)"), (2, "w", "Ok(On)"), (3, "n", "Ok(Stop)")] {
        terminal.exp_string(&format!("round {round} waits"))?;
        terminal.send_control('c')?;
        terminal.exp_string("(default: stop) > ")?;
        terminal.send_line(typed)?;
        terminal.exp_string(&format!("round {round}: {answer}"))?;
    }
    terminal.exp_string("round 4 waits")?;
    terminal.send_control('c')?;
    terminal.exp_string("(default: stop) > ")?;
    terminal.send_control('c')?;
    terminal.exp_string("round 4: Err(Kind(Interrupted))")?;
    terminal.exp_string("to the end: false")?;
    terminal.exp_eof()?;
    Ok(())
}

fn wait_on_this_terminal() {
    let ui = Ui::new(Settings::default());
    let mut prompter = Prompter::terminal(&ui);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let interrupt = crate::engine::Interrupt::on_signals().expect("signals");
        for round in 1..=4 {
            ui.note(&format!("round {round} waits"));
            interrupt.raised().await;
            interrupt.lower();
            let answer = prompter.wait(&stuck(true));
            ui.note(&format!("round {round}: {answer:?}"));
        }
        interrupt.raised().await;
        ui.note(&format!("to the end: {}", interrupt.is_final()));
    });
}

fn one_of_each() -> Vec<Effect> {
    let region = samples::east;
    let function = || id("KDS-HA-ConsumerLambda");
    let fan_out = MappingSource::StreamConsumer { stream: id("KDS-HA-Stream"), consumer: id("KDS-HA-EFO") };
    let plan = run::plan();
    let mut effects: Vec<Effect> = run::effects(&plan).into_iter().take(3).map(|e| e.effect).collect();
    let set = run::switch().set;
    effects.extend([
        Effect::CreateMapping {
            region: region(),
            function: function(),
            source: fan_out.clone(),
            start: crate::model::StartAt::TrimHorizon,
            enabled: true,
            settings: MappingSettings {
                bisect_on_error: true,
                maximum_record_age_seconds: Some(3600),
                maximum_retry_attempts: Some(5),
                on_failure: Some("arn:aws:sqs:us-east-2:123456789012:it's".to_owned()),
                response_types: vec!["ReportBatchItemFailures".to_owned()],
                tumbling_window_seconds: 30,
                filters: vec![r#"{"data":{"a":[1]}}"#.to_owned()],
                kms_key: Some("arn:aws:kms:us-east-2:123456789012:key/1".to_owned()),
                count_events: true,
                ..MappingSettings::default()
            },
        },
        Effect::SetMappingEnabled { region: region(), function: function(), source: fan_out, enabled: false },
        Effect::DeleteMapping {
            region: region(),
            function: function(),
            source: MappingSource::Stream(id("KDS-HA-Stream")),
        },
        Effect::PublishVersion { region: region(), function: function() },
        Effect::MoveAlias {
            region: region(),
            function: function(),
            alias: "live".to_owned(),
            expect: set,
            beside: std::collections::BTreeMap::new(),
        },
    ]);
    effects
}

#[test]
fn every_call_can_be_made_by_hand() {
    let mut text = String::new();
    for (index, effect) in one_of_each().iter().enumerate() {
        let account = account();
        let lines = aws_cli::lines(effect, (index != 5).then_some(&account));
        text += &format!("# {}: {effect}\n{}\n\n", effect.operation(), lines.join("\n"));
    }
    assert_data_eq!(text, file!["snapshots/aws_cli.sh"].raw());
}
