//! The live view as a pure function of what is known, the moment and the size.

use super::cell::{Cell, Cells, Tone};
use super::panel::{Size, panel, silence};
use super::state::{Next, PipelineFacts, RegionFacts, WatchState};
use crate::model::{Region, Timestamp, duration};
use crate::ui::harmless::harmless;
use crate::ui::look::{Ground, Look};
use crate::ui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use std::time::Duration;

/// Columns of the labels.
pub(super) const LABEL: usize = 12;
/// Without a look for so long, everything on the screen is old.
const STALE: Duration = Duration::from_secs(30);
/// From this width on, two pipelines stand side by side.
const TWO_ABREAST: usize = 160;
/// Lines that are kept for what needs attention.
const ATTENTION: usize = 4;
/// Rows of a curve at most.
const TALLEST: usize = 16;
/// The keys, in words.
const KEYS: &str = "q quit   p pause   r look now   Tab/arrows next pipeline";

/// One line: pieces one after the other.
pub(super) type Line = Vec<Cell>;

/// How the view looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    pub(super) color: bool,
    pub(super) utf8: bool,
}

impl Canvas {
    /// Old is dimmed, and says `OLD`; the terminal's own colours only.
    fn style(self, tone: Tone) -> Style {
        let style = Style::default();
        let color = |color: Color| if self.color { style.fg(color) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Old => style.add_modifier(Modifier::DIM),
            Tone::Good => color(Color::Green),
            Tone::Warn => color(Color::Magenta),
            Tone::Bad => color(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    pub(super) fn rule(self, width: usize) -> Line {
        vec![Cell::plain(if self.utf8 { "─" } else { "-" }.repeat(width))]
    }

    pub(super) fn cut(self, text: &str, width: usize) -> String {
        let text = harmless(text, false).replace(['\n', '\t'], " ");
        console::truncate_str(&text, width, if self.utf8 { "…" } else { "..." }).into_owned()
    }

    /// The cell cut to the columns, and filled up to them.
    pub(super) fn column(self, cell: Cell, columns: usize) -> Vec<Cell> {
        let text = self.cut(&cell.text, columns.saturating_sub(2));
        let fill = columns.saturating_sub(console::measure_text_width(&text));
        vec![Cell::new(cell.tone, text), Cell::plain(" ".repeat(fill))]
    }
}

/// Draws everything into the buffer.
pub(super) fn draw(state: &WatchState, now: Timestamp, canvas: Canvas, area: Rect, buffer: &mut Buffer) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    for (row, line) in page(state, now, canvas, width, height).into_iter().take(height).enumerate() {
        let mut x = area.x;
        for cell in line {
            let left = usize::from(area.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(
                x,
                area.y + row as u16,
                canvas.cut(&cell.text, left),
                left,
                canvas.style(cell.tone),
            );
        }
    }
}

/// The page: header, pipelines as many as fit, what needs attention, the keys in the last line.
fn page(state: &WatchState, now: Timestamp, canvas: Canvas, width: usize, height: usize) -> Vec<Line> {
    let mut lines = header(state, now, canvas, width);
    let attention = attention(state, now);
    // What needs attention gets a few lines on a small screen, and up to a third of a large one.
    let columns = width.saturating_sub(2).max(20);
    let wanted: usize = attention.iter().map(|item| wrapped(item, canvas, columns).len()).sum();
    let kept = wanted.min(ATTENTION.max(height / 3)) + 1;
    let room = height.saturating_sub(lines.len() + kept + 1);
    lines.extend(panels(state, now, canvas, width, room));
    lines.push(canvas.rule(width));
    let left = height.saturating_sub(lines.len() + 1);
    lines.extend(listed(&attention, canvas, width, left));
    lines.resize(height.saturating_sub(1).max(lines.len()), Vec::new());
    lines.truncate(height.saturating_sub(1));
    lines.push(vec![Cell::new(Tone::Old, KEYS)]);
    lines
}

/// What needs attention, wrapped to the width; where that is too much, a line each; the last one says how many are left
/// out.
fn listed(items: &[Cell], canvas: Canvas, width: usize, room: usize) -> Vec<Line> {
    let columns = width.saturating_sub(2).max(20);
    let mut lines: Vec<Line> = items.iter().flat_map(|item| wrapped(item, canvas, columns)).collect();
    if lines.len() > room {
        let line = |item: &Cell| vec![Cell::new(item.tone, canvas.cut(&item.text, columns))];
        lines = items.iter().map(line).collect();
    }
    if lines.len() > room && room > 0 {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(vec![Cell::new(
            Tone::Bad,
            format!("and {more} more: enlarge the window, or `kdsha status`"),
        )]);
    }
    lines
}

fn wrapped(item: &Cell, canvas: Canvas, columns: usize) -> Vec<Line> {
    let text = harmless(&item.text, false);
    let lines = text::wrap(&text, columns).into_iter().enumerate().map(|(index, line)| {
        let (tone, indent) = if index == 0 { (item.tone, "") } else { (Tone::Plain, "  ") };
        vec![Cell::new(tone, format!("{indent}{}", canvas.cut(&line, columns)))]
    });
    lines.collect()
}

/// Whether the last look is so long ago that nothing here can be taken for the present.
fn is_stale(state: &WatchState, now: Timestamp) -> bool {
    state.last_look.is_some_and(|at| text::between(at, now) > STALE)
}

fn header(state: &WatchState, now: Timestamp, canvas: Canvas, width: usize) -> Vec<Line> {
    let plain = Look { width, color: false, utf8: canvas.utf8, verbose: 0, ground: Ground::Aws };
    let verdict = match &state.verdict {
        None => Cell::plain("looking for the first time"),
        Some(_) if is_stale(state, now) => Cell::new(Tone::Bad, "NOT CURRENT: see when the last look was"),
        Some((true, words)) => Cell::new(Tone::Good, words.clone()),
        Some((false, words)) => Cell::new(Tone::Bad, words.clone()),
    };
    let field = |label: &str, cell: Cell| vec![Cell::plain(format!("{label:<LABEL$}")), cell];
    let mut lines =
        vec![vec![Cell::new(Tone::Strong, format!("Status at {}: ", text::time(now, now))), verdict]];
    if let Some(who) = &state.context.who {
        lines.push(field("who", Cell::plain(who.clone())));
    }
    if let Some(place) = state.context.place(plain) {
        lines.push(field("where", Cell::plain(place)));
    }
    lines.push(field("look", looking(state, now, width.saturating_sub(LABEL))));
    if state.pipelines.len() > 1 {
        lines.push(names(state, now));
    }
    lines
}

/// When the last look was, when the next one is, how far this machine's clock is off, and what the look cost, as far
/// as there is room for it.
fn looking(state: &WatchState, now: Timestamp, room: usize) -> Cell {
    let last = match state.last_look {
        Some(at) => format!("{}, {} ago", text::time(at, now), text::whole(text::between(at, now))),
        None => "none yet".to_owned(),
    };
    let next = match state.next {
        Next::Looking(since) => format!("looking for {}", text::whole(text::between(since, now))),
        Next::At(at) => format!("next in {}", text::whole(text::between(now, at))),
        Next::Paused => "PAUSED (p goes on)".to_owned(),
    };
    let tone = match (state.next, is_stale(state, now)) {
        (_, true) => Tone::Bad,
        (Next::Paused, false) => Tone::Warn,
        _ => Tone::Plain,
    };
    let objectives = &state.topology.objectives;
    let (rto, rpo) = (duration::show(objectives.rto), duration::show(objectives.rpo));
    let clock = state.context.clock(&format!("last {last}; {next}; RTO {rto}, RPO {rpo}"));
    let cost =
        format!("; {} requests, {} in all", text::count(state.last_requests), text::count(state.requests));
    let is_room = console::measure_text_width(&clock) + cost.len() <= room;
    Cell::new(tone, if is_room { clock + &cost } else { clock })
}

/// All pipelines by name, the first one shown in brackets, those that need a look with a mark.
fn names(state: &WatchState, now: Timestamp) -> Line {
    let mut line = vec![Cell::plain(format!("{:<LABEL$}", "pipelines"))];
    let count = state.pipelines.len();
    // The selected one first, so that it is on the screen however many there are.
    for step in 0..count {
        let index = (state.selected + step) % count;
        let facts = &state.pipelines[index];
        let mark = if cells(state, facts, now).needs_attention() { "!" } else { "" };
        let name = format!("{}{mark}", facts.config.name);
        let (tone, name) = match index == state.selected {
            true => (Tone::Strong, format!("[{name}]")),
            false => (Tone::Plain, name),
        };
        line.extend([Cell::new(tone, name), Cell::plain("  ")]);
    }
    line
}

fn cells<'a>(state: &'a WatchState, facts: &'a PipelineFacts, now: Timestamp) -> Cells<'a> {
    Cells { facts, topology: &state.topology, now }
}

/// The pipelines from the selected one on, as many as fit.
fn panels(state: &WatchState, now: Timestamp, canvas: Canvas, width: usize, room: usize) -> Vec<Line> {
    let count = state.pipelines.len();
    let abreast = if width >= TWO_ABREAST && count > 1 { 2 } else { 1 };
    let columns = width / abreast;
    let inner = if abreast == 2 { columns - 2 } else { columns };
    let facts = |step: usize| &state.pipelines[(state.selected + step) % count];
    let draw =
        |step: usize, curve: usize| panel(state, facts(step), now, canvas, Size { columns: inner, curve });
    // What the lean panels leave of the screen goes to the curves: two in each row of panels.
    let (lean, deep) = ((0..count).step_by(abreast).map(|step| draw(step, 1).len()), count.div_ceil(abreast));
    let spare = room.saturating_sub(lean.sum());
    let curve = (1 + spare / (2 * deep).max(1)).min(TALLEST);
    let mut lines: Vec<Line> = Vec::new();
    for first in (0..count).step_by(abreast) {
        let mut left = draw(first, curve);
        if abreast == 2 && first + 1 < count {
            left = side_by_side(left, draw(first + 1, curve), columns);
        }
        if !lines.is_empty() && lines.len() + left.len() > room {
            break;
        }
        lines.extend(left);
    }
    lines
}

fn side_by_side(left: Vec<Line>, right: Vec<Line>, columns: usize) -> Vec<Line> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let mut row = || {
        let (mut line, other) = (left.next().unwrap_or_default(), right.next().unwrap_or_default());
        let wide: usize = line.iter().map(|cell| console::measure_text_width(&cell.text)).sum();
        line.push(Cell::plain(" ".repeat(columns.saturating_sub(wide))));
        line.extend(other);
        line
    };
    (0..rows).map(|_| row()).collect()
}

/// What needs attention, the worst first.
fn attention(state: &WatchState, now: Timestamp) -> Vec<Cell> {
    let mut texts = Vec::new();
    texts.extend(
        state.trouble.iter().map(|why| format!("LOOK FAILED  {why}; what is shown is from the look before")),
    );
    for (region, facts) in &state.regions {
        let why = facts.why.as_deref().unwrap_or_default();
        if facts.is_silent() {
            let silence = silence(facts, now);
            texts.push(format!("{region}  {silence}, what is shown of it is OLD: {why}"));
        } else if facts.answered.0 < facts.answered.1 {
            texts.push(format!("{region}  {why}"));
        }
    }
    let is_silent = |region: &Option<Region>| {
        region.as_ref().and_then(|region| state.regions.get(region)).is_some_and(RegionFacts::is_silent)
    };
    let (unseen, seen): (Vec<_>, Vec<_>) = state.attention.iter().partition(|one| is_silent(&one.unseen));
    texts.extend(seen.into_iter().map(|one| one.text.clone()));
    if !unseen.is_empty() {
        let checks = text::plural(unseen.len(), "check");
        texts.push(format!("unknown  {checks} of what is silent; `kdsha status` lists them"));
    }
    if texts.is_empty() {
        let calm = if state.has_seen() {
            "Nothing needs attention: nothing is unfinished, nothing is owed."
        } else {
            ""
        };
        return vec![Cell::plain(calm)];
    }
    let tone = |text: &str| match text.starts_with("warn") || text.starts_with("unknown") {
        true => Tone::Warn,
        false => Tone::Bad,
    };
    texts.into_iter().map(|text| Cell::new(tone(&text), text)).collect()
}
