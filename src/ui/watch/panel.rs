//! One pipeline of the live view: both Regions side by side, the curves of their lag as tall as the screen allows.

use super::cell::{Cell, Cells, Tone};
use super::draw::{Canvas, LABEL, Line};
use super::state::{PipelineFacts, ReaderFacts, RegionFacts, WatchState};
use crate::config::StandbyMode;
use crate::model::{Side, Timestamp};
use crate::ui::text;

/// The columns of a panel, and the rows of each of its curves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) curve: usize,
}

/// The lines of a pipeline.
pub(super) fn panel(
    state: &WatchState,
    facts: &PipelineFacts,
    now: Timestamp,
    canvas: Canvas,
    size: Size,
) -> Vec<Line> {
    let cells = Cells { facts, topology: &state.topology, now };
    let column = size.columns.saturating_sub(LABEL) / 2;
    let row = |label: &str, cell: &dyn Fn(Side) -> Cell| {
        pair(label, cell(Side::Primary), cell(Side::Standby), column, canvas)
    };
    let mode = match facts.config.standby {
        StandbyMode::Cold => "cold standby",
        StandbyMode::Warm => "warm standby",
    };
    let name = Cell::new(Tone::Strong, format!("{} ({mode}): ", facts.config.name));
    let mut lines = vec![vec![name, cells.active()]];
    lines.push(row("", &|side| title(state, &cells, side, now)));
    lines.push(canvas.rule(LABEL + 2 * column));
    lines.push(row("stream", &|side| cells.stream(side)));
    lines.push(row("producers", &|side| cells.producers(side)));
    let consumer = |side: Side| Some(&facts.side(side).consumer);
    let replicator = |side: Side| facts.side(side).replicator.as_ref();
    lines.extend(reader("consumer", &cells, &consumer, column, canvas, size.curve));
    if facts.config.replicator.is_some() {
        lines.extend(reader("replicator", &cells, &replicator, column, canvas, size.curve));
    }
    lines.push(row("arrivals", &|side| cells.arrivals(side)));
    lines.push(row("health", &|side| cells.health(side)));
    let mark = cells.mark();
    let mark = Cell::new(mark.tone, canvas.cut(&mark.text, size.columns.saturating_sub(LABEL + 2)));
    lines.push(vec![Cell::plain(format!("{:<LABEL$}", "run mark")), mark]);
    lines
}

/// A label and a cell for each Region.
fn pair(label: &str, primary: Cell, standby: Cell, column: usize, canvas: Canvas) -> Line {
    let mut line = vec![Cell::plain(format!("{label:<LABEL$}"))];
    line.extend(canvas.column(primary, column));
    line.extend(canvas.column(standby, column));
    line
}

/// A consumer or a replicator: its mapping, its lag, the curve of its lag.
fn reader<'f>(
    label: &str,
    cells: &Cells<'_>,
    of: &dyn Fn(Side) -> Option<&'f ReaderFacts>,
    column: usize,
    canvas: Canvas,
    curve: usize,
) -> Vec<Line> {
    let row = |label: &str, cell: &dyn Fn(Side, &ReaderFacts) -> Cell| {
        let cell = |side: Side| of(side).map_or_else(Cell::nothing, |reader| cell(side, reader));
        pair(label, cell(Side::Primary), cell(Side::Standby), column, canvas)
    };
    let mut lines = vec![
        row(label, &|side, reader| cells.mapping(side, reader)),
        row("  lag", &|_, reader| cells.lag(reader)),
    ];
    let history = |side: Side| match of(side) {
        Some(reader) => cells.history(reader, (column, curve), canvas.utf8),
        None => vec![Cell::nothing()],
    };
    let (mut primary, mut standby) = (history(Side::Primary).into_iter(), history(Side::Standby).into_iter());
    let blank = || Cell::plain("");
    for index in 0..curve {
        let label = if index == 0 { "  history" } else { "" };
        let (left, right) = (primary.next().unwrap_or_else(blank), standby.next().unwrap_or_else(blank));
        lines.push(pair(label, left, right, column, canvas));
    }
    lines
}

/// A Region over its column: its role, whether it is active, whether it answers.
fn title(state: &WatchState, cells: &Cells<'_>, side: Side, now: Timestamp) -> Cell {
    let region = state.topology.regions.of(side);
    let name = format!("{region} {side}");
    let active = if cells.is_active(side) { "  <- ACTIVE" } else { "" };
    match state.regions.get(region) {
        Some(facts) if facts.is_silent() => Cell::new(Tone::Bad, format!("{name}  {}", silence(facts, now))),
        Some(facts) if facts.answered.0 < facts.answered.1 => Cell::new(
            Tone::Warn,
            format!("{name}{active}  {} of {} APIs answer", facts.answered.0, facts.answered.1),
        ),
        _ => Cell::new(Tone::Strong, format!("{name}{active}")),
    }
}

/// `SILENT 2m`.
pub(super) fn silence(facts: &RegionFacts, now: Timestamp) -> String {
    match facts.heard {
        Some(at) => format!("SILENT {}", text::whole(text::between(at, now))),
        None => "SILENT since the first look".to_owned(),
    }
}
