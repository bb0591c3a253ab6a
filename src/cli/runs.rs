//! `kdsha runs`: past runs, or one in full.

use super::failure::Failure;
use crate::config::Regions;
use crate::journal::{RunRecord, StateFolder};
use crate::model::{Exit, RunId, Side};
use crate::ui::Ui;
use serde::Serialize;

/// A run in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Line {
    run: String,
    title: String,
    begun: String,
    /// For the table: nobody reads nanoseconds.
    #[serde(skip)]
    day: String,
    ended: String,
    owner: String,
    owed: Vec<String>,
}

/// `kdsha.runs/1`: the runs of this machine.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Listing {
    /// Oldest first.
    runs: Vec<Line>,
}

/// How a run stands.
fn state(run: &RunRecord) -> String {
    if run.undone {
        return "put back".to_owned();
    }
    match run.ended {
        Some(Exit::Locked) if run.has_only_marked() => "gave way (exit 8)".to_owned(),
        _ if run.undoing => "unfinished (being put back)".to_owned(),
        Some(Exit::Owed) if run.owed().is_empty() => "done (settled)".to_owned(),
        Some(Exit::Owed) => format!("done, {} owed", run.owed().len()),
        Some(Exit::Done) => "done".to_owned(),
        Some(exit) if run.is_unfinished() => format!("unfinished (exit {})", exit.code()),
        None if run.is_unfinished() => "unfinished (cut off)".to_owned(),
        _ => "nothing was changed".to_owned(),
    }
}

/// Lists the runs of this machine, or shows one as it happened.
///
/// # Errors
/// When the state folder cannot be read, or there is no such run.
pub fn run(ui: &Ui, folder: &StateFolder, wanted: Option<&RunId>) -> Result<Exit, Failure> {
    let listed = folder.runs()?;
    if let Some(id) = wanted {
        return show(ui, find(listed, id)?);
    }
    let mut lines = Vec::new();
    for one in listed {
        match one.run {
            Ok(run) => lines.push(Line {
                run: run.header.run.to_string(),
                title: run.intent().to_string(),
                begun: run.began.to_string(),
                day: run.began.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
                ended: state(&run),
                owner: run.header.owner.clone(),
                owed: run.owed_in_words(),
            }),
            Err(error) => ui.note(&error.to_string()),
        }
    }
    let row =
        |l: &Line| vec![l.run.clone(), l.day.clone(), l.owner.clone(), l.ended.clone(), l.title.clone()];
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    ui.table(&["run", "begun", "by", "state", "what"], &rows, "kdsha.runs/1", &Listing { runs: lines });
    Ok(Exit::Done)
}

/// The run with an id.
///
/// # Errors
/// When there is none, or its journal cannot be trusted.
pub fn find(listed: Vec<crate::journal::Listed>, id: &RunId) -> Result<RunRecord, Failure> {
    let is_it = |path: &std::path::Path| {
        path.parent().and_then(|p| p.file_name()).is_some_and(|name| name == id.as_str())
    };
    match listed.into_iter().find(|one| is_it(&one.path)) {
        Some(one) => Ok(one.run?),
        None => Err(Failure::new(Exit::Usage, format!("there is no run {id} on this machine"))
            .hint("`kdsha runs` lists them")),
    }
}

/// Both Regions, as the run saw them; a run that never looked names none.
fn regions(run: &RunRecord) -> Option<Regions> {
    let seen = run.pictures.iter().flat_map(|picture| picture.pipelines.values()).flat_map(|p| &p.sides);
    let of = |side: Side| seen.clone().find(|s| s.side == side).map(|s| s.region.clone());
    Some(Regions { primary: of(Side::Primary)?, standby: of(Side::Standby)? })
}

/// The caller as AWS named it, and who ran it where.
fn who(run: &RunRecord) -> String {
    let caller = run.pictures.iter().rev().find_map(|picture| picture.caller.as_deref());
    let account = run.header.account.iter().map(|account| format!("account {account}"));
    let caller = caller.and_then(|arn| arn.splitn(6, ':').nth(5)).map(|caller| format!("as {caller}"));
    let parts: Vec<String> = account.chain(caller).chain([format!("({})", run.header.owner)]).collect();
    parts.join(" ")
}

fn show(ui: &Ui, run: RunRecord) -> Result<Exit, Failure> {
    ui.set_past(who(&run), regions(&run), run.plan.rto);
    for (at, event) in &run.events {
        ui.event(event, *at);
    }
    Ok(Exit::Done)
}
