//! `kdsha report`: a page for the post-mortem of a run, as HTML, as Markdown, or as JSON.

mod ask;
mod gather;
mod lags;
mod log;
mod risk;
mod twice;
mod work;

pub use ask::{ask, may};

use super::args::{ReportArgs, ReportFormat};
use super::failure::Failure;
use super::runs;
use crate::journal::{Header, RunRecord, StateFolder};
use crate::model::{Event, Exit, RunId, Snapshot, Timestamp};
use crate::plan::Plan;
use crate::ui::report::{Facts, Form, page};
use crate::ui::{Format, Ui};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// `kdsha.report/1`: a run's journal, and what the page says of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    /// Who ran what.
    header: &'a Header,
    /// The plan that was confirmed.
    plan: &'a Plan,
    /// What happened, in order.
    events: Vec<Happening>,
    /// What is still owed, in words.
    owed: Vec<String>,
    /// The page's facts.
    report: &'a Facts,
}

/// One happening.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Happening {
    /// When.
    at: Timestamp,
    /// What.
    what: Event,
}

/// What CloudWatch said when the report was made.
pub enum Asked {
    /// It answered.
    Answered(Box<Snapshot>),
    /// It did not, or was not asked: why.
    No(Option<String>),
}

/// The run of a report: the newest one, or the one that is named.
///
/// # Errors
/// When there is no such run, or its journal cannot be trusted.
pub fn find(folder: &StateFolder, wanted: Option<&RunId>) -> Result<RunRecord, Failure> {
    let mut listed = folder.runs()?;
    if let Some(id) = wanted {
        return runs::find(listed, id);
    }
    match listed.pop() {
        Some(newest) => Ok(newest.run?),
        None => Err(Failure::new(Exit::Usage, "there is no run on this machine yet")
            .hint("`kdsha rehearse --keep DIR` plays one and keeps its journals")),
    }
}

/// Writes the page of a run, with what CloudWatch says of its time where somebody asked it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(ui: &Ui, args: &ReportArgs, run: &RunRecord, asked: &Asked) -> Result<Exit, Failure> {
    let looked = match asked {
        Asked::Answered(snapshot) => Some(&**snapshot),
        Asked::No(_) => None,
    };
    let mut facts = gather::facts(run, looked);
    if let Asked::No(Some(why)) = asked {
        facts.missing.push(format!("What CloudWatch says of the time after the run's last look: {why}."));
    }
    if ui.settings().format == Format::Json {
        let happening = |(at, what): &'_ (Timestamp, Event)| Happening { at: *at, what: what.clone() };
        ui.document(
            "kdsha.report/1",
            &Document {
                header: &run.header,
                plan: &run.plan,
                events: run.events.iter().map(happening).collect(),
                owed: run.owed_in_words(),
                report: &facts,
            },
        );
        return Ok(Exit::Done);
    }
    let text = page(&facts, form(args));
    match &args.out {
        None => ui.raw(&text),
        Some(path) => {
            save(path, &text)?;
            ui.note(&format!("wrote {} ({} KiB)", path.display(), text.len().div_ceil(1024)));
        }
    }
    Ok(Exit::Done)
}

/// As asked for; else as the file's name says; else Markdown, which can be read in a terminal.
fn form(args: &ReportArgs) -> Form {
    let extension = args.out.as_deref().and_then(Path::extension).and_then(|e| e.to_str());
    match (args.format, extension) {
        (Some(ReportFormat::Html), _) | (None, Some("html" | "htm")) => Form::Html,
        _ => Form::Markdown,
    }
}

/// Writes a file beside its place first: a page that is there stays whole if the disk is full.
fn save(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::new(Exit::Usage, format!("{} cannot be written: {e}", path.display()))
            .hint("give --out a folder that exists and that you may write to")
    };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        // What was begun is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}
