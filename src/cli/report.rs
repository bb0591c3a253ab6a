//! `kdsha report`: a page for the post-mortem, in Markdown, or as JSON.

use super::failure::Failure;
use super::runs;
use crate::journal::{RunRecord, StateFolder};
use crate::model::{Event, Exit, RunId, StepOutcome, Timestamp, duration};
use crate::plan::position::Origin;
use crate::ui::{Format, Ui};
use std::fmt::Write;
use std::time::Duration;

/// Writes the page of the newest run, or of the one that is named.
///
/// # Errors
/// When there is no such run, or its journal cannot be trusted.
pub fn run(ui: &Ui, folder: &StateFolder, wanted: Option<&RunId>) -> Result<Exit, Failure> {
    let mut listed = folder.runs()?;
    let run = match wanted {
        Some(id) => runs::find(listed, id)?,
        None => match listed.pop() {
            Some(newest) => newest.run?,
            None => {
                return Err(Failure::new(Exit::Usage, "there is no run on this machine yet")
                    .hint("`kdsha rehearse` plays one"));
            }
        },
    };
    match ui.settings().format {
        Format::Json => {
            let events: Vec<_> =
                run.events.iter().map(|(at, event)| serde_json::json!({"at": at, "what": event})).collect();
            let body = serde_json::json!({"header": run.header, "plan": run.plan, "events": events, "owed": run.owed_in_words()});
            ui.document("kdsha.report/1", &body);
        }
        Format::Human => ui.raw(&page(&run)),
    }
    Ok(Exit::Done)
}

fn page(run: &RunRecord) -> String {
    let mut page = String::new();
    head(&mut page, run);
    positions(&mut page, run);
    timeline(&mut page, run);
    page
}

// Writing to a String cannot fail.
macro_rules! line {
    ($page:expr, $($arg:tt)*) => { { let _ = writeln!($page, $($arg)*); } };
}

fn head(page: &mut String, run: &RunRecord) {
    line!(page, "# {}\n", run.plan.intent);
    line!(page, "| | |\n|---|---|");
    line!(page, "| run | `{}` |", run.header.run);
    line!(page, "| begun | {} by {} |", run.began, run.header.owner);
    line!(
        page,
        "| pipelines | {} |",
        run.plan.pipelines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    );
    let finish = run.events.iter().rev().find_map(|(at, event)| match event {
        Event::RunFinished { exit, summary, recovery, .. } => Some((*at, *exit, summary.clone(), *recovery)),
        _ => None,
    });
    let rto = duration::show(run.plan.rto);
    match finish {
        Some((at, exit, summary, recovery)) => {
            line!(page, "| ended | {at}, exit {}: {summary} |", exit.code());
            let recovery = recovery
                .map_or_else(|| "not known".to_owned(), |r| duration::show(Duration::from_secs(r.as_secs())));
            line!(page, "| time to recover | {recovery}, objective {rto} |");
        }
        None => line!(page, "| ended | not yet: the process was cut off |"),
    }
    for owed in run.owed_in_words() {
        line!(page, "| owed | {owed} |");
    }
}

fn positions(page: &mut String, run: &RunRecord) {
    for (pipeline, position) in &run.plan.positions {
        line!(page, "\n## Start position of {pipeline}\n\n{}\n", position.start);
        if let Origin::Derived { anchors, earliest, .. } = &position.origin {
            line!(page, "| series | points | decisive point | age | position |\n|---|---|---|---|---|");
            for a in anchors {
                let age = duration::show(Duration::from_secs_f64(a.decisive.value.max(0.0) / 1000.0));
                line!(page, "| {} | {} | {} | {age} | {} |", a.series, a.points, a.decisive.at, a.position);
            }
            line!(page, "\nearliest {earliest}, minus {} of buffer", duration::show(position.buffer.total()));
        }
        match position.duplicates {
            Some(count) => line!(page, "\nabout {count} records were processed twice because of it"),
            None => line!(page, "\nhow many records were processed twice because of it is not known"),
        }
    }
}

fn timeline(page: &mut String, run: &RunRecord) {
    line!(page, "\n## Timeline\n\n| time | what |\n|---|---|");
    let row = |at: &Timestamp, text: String| format!("| {} | {text} |", at.strftime("%H:%M:%SZ"));
    for (at, event) in &run.events {
        let text = match event {
            Event::RunStarted { resumed: true, .. } => "the run was gone on with".to_owned(),
            Event::RunStarted { title, .. } => title.clone(),
            Event::StageStarted { number, of, title, .. } => format!("**{number}/{of} {title}**"),
            Event::StageConfirmed { by, .. } => format!("confirmed by {by}"),
            Event::EffectFinished { effect, .. } => format!("{} in {}", effect, effect.region()),
            Event::EffectFailed { effect, failure, .. } => format!("{effect}: failed: {failure}"),
            Event::StepFinished { summary, region, outcome, .. } => {
                format!("{summary} ({region}): {}", words(outcome))
            }
            Event::TurnedToEmergency { reason } => format!("turned into an emergency: {reason}"),
            Event::RunFinished { exit, summary, .. } => format!("exit {}: {summary}", exit.code()),
            Event::UndoStarted => "what the run had changed is put back".to_owned(),
            Event::Undone => "everything that can be put back was".to_owned(),
            Event::Note { text } => text.clone(),
            Event::Checked { .. }
            | Event::EffectStarted { .. }
            | Event::Waiting { .. }
            | Event::StageFinished { .. } => continue,
        };
        line!(page, "{}", row(at, text));
    }
}

fn words(outcome: &StepOutcome) -> String {
    match outcome {
        StepOutcome::Applied { evidence } => evidence.clone(),
        StepOutcome::AlreadyDone { evidence } => format!("already so: {evidence}"),
        StepOutcome::Skipped { reason } => format!("skipped: {reason}"),
        StepOutcome::Owed { reason } => format!("owed: {reason}"),
        StepOutcome::Failed { reason } => format!("failed: {reason}"),
        StepOutcome::TimedOut { reason } => format!("ran out of time: {reason}"),
    }
}
