//! The lag of both Regions over the stages of the run, as SVG. Colours are fixed ones that the page's style turns
//! into those of its theme; lines differ in their dashes too.

mod axis;
mod rows;

use super::document::{Block, Text, right, tight};
use super::facts::{Facts, Lag};
use crate::model::{Region, Timestamp};
use crate::ui::text;
use axis::{Axis, tick_times, ticks_of_lag};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Twice the size that is shown: the backend draws at whole pixels.
const SCALE: i32 = 2;
const WIDTH: i32 = 1_120 * SCALE;
const LEFT: i32 = 62 * SCALE;
const RIGHT: i32 = 16 * SCALE;
const PANEL: i32 = 168 * SCALE;
/// Columns for a word beside a line.
const WORD: i32 = 66 * SCALE;
const PANEL_HEAD: i32 = 30 * SCALE;
const AXIS: i32 = 26 * SCALE;
const ROW: i32 = 21 * SCALE;

const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
const SOFT: RGBColor = RGBColor(0x59, 0x63, 0x6e);
const BAND: RGBColor = RGBColor(0xf1, 0xf3, 0xf6);
const LINE: RGBColor = RGBColor(0xdf, 0xe2, 0xe6);
const GOOD: RGBColor = RGBColor(0x14, 0x6c, 0x3a);
const WARN: RGBColor = RGBColor(0x8a, 0x53, 0x00);
const BAD: RGBColor = RGBColor(0xb3, 0x20, 0x1d);
const SERIES: [RGBColor; 6] = [
    RGBColor(0x0b, 0x5f, 0xc1),
    RGBColor(0xb4, 0x54, 0x0a),
    RGBColor(0x6b, 0x3f, 0xb8),
    RGBColor(0x0b, 0x7a, 0x75),
    RGBColor(0xa5, 0x1d, 0x5d),
    RGBColor(0x4d, 0x6b, 0x00),
];

/// What the drawing of a part answers.
type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Text of a size, a colour, and a place relative to its point.
fn style(size: i32, color: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    // The backend divides the size that it is given.
    let font = ("sans-serif", f64::from(size * SCALE) * 1.24).into_font();
    font.color(&color).pos(Pos::new(h, v))
}

/// The part of time that is drawn.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: f64,
    to: f64,
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

/// From a while before the run until a while after it, as far as there is something to see.
fn span(facts: &Facts) -> Span {
    let last = facts.log.last().map_or(facts.began, |line| line.at);
    let ended = facts.ended.unwrap_or(last).max(last);
    let length = text::between(facts.began, ended).max(Duration::from_secs(120));
    let before = (length / 3).clamp(Duration::from_secs(300), Duration::from_secs(900));
    let (from, to) = (facts.began - before, ended + length / 20);
    Span { from: seconds(from), to: seconds(to) }
}

/// Draws it, with words for whoever cannot see it.
pub(super) fn draw(facts: &Facts) -> String {
    let regions = regions(facts);
    let alt = alt(facts, &regions);
    let height = regions.len() as i32 * PANEL + rows::height(facts) + AXIS;
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        draw_all(&root, facts, &regions).and_then(|()| Ok(root.present()?))
    };
    match drawn {
        Ok(()) => framed(&svg, height, &alt),
        // A page without its picture is still a page.
        Err(error) => {
            format!("<p>The chart could not be drawn: {}</p>\n", super::html::escape(&error.to_string()))
        }
    }
}

/// The backend's element with its frame replaced: scalable, named, and valid inside of HTML.
fn framed(svg: &str, height: i32, alt: &str) -> String {
    let inner = svg.split_once('>').map_or("", |(_, inner)| inner);
    let alt = super::html::escape(alt);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{alt}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
         <title>{alt}</title>{inner}"
    )
}

/// The Regions that have something to show, the primary first.
fn regions(facts: &Facts) -> Vec<(Region, String)> {
    let mut seen = Vec::new();
    for lag in &facts.lags {
        let one = (lag.region.clone(), lag.side.clone());
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen.sort_by_key(|(_, side)| side != "primary");
    seen
}

fn alt(facts: &Facts, regions: &[(Region, String)]) -> String {
    let most = |region: &Region| {
        let span = span(facts);
        let points = facts.lags.iter().filter(|lag| lag.region == *region).flat_map(|lag| &lag.points);
        let points = points.filter(|(at, _)| (span.from..=span.to).contains(&seconds(*at)));
        points
            .map(|(_, lag)| *lag)
            .fold(None, |most: Option<f64>, lag| Some(most.map_or(lag, |m| m.max(lag))))
    };
    let words = regions.iter().map(|(region, side)| match most(region) {
        Some(lag) => format!("in {region} ({side}) it was at most {}", text::exact(axis::length(lag))),
        None => format!("in {region} ({side}) there is no data point"),
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "The stages of the run over time; no lag was recorded".to_owned(),
        false => format!("Lag and stages over time: {}", words.join("; ")),
    }
}

fn draw_all(root: &Area<'_>, facts: &Facts, regions: &[(Region, String)]) -> Drawn {
    let span = span(facts);
    let mut rest = root.clone();
    for (region, side) in regions {
        let (panel, below) = rest.split_vertically(PANEL);
        draw_panel(&panel, facts, region, side, span)?;
        rest = below;
    }
    let (stages, axis) = rest.split_vertically(rows::height(facts));
    rows::draw(&stages, facts, span)?;
    draw_axis(&axis, span)
}

/// A plane in seconds and in whatever the caller counts upwards, between the margins.
fn plane<'a>(area: &Area<'a>, span: Span, y: (f64, f64), top: i32) -> Plane<'a> {
    let (width, height) = area.dim_in_pixel();
    let (x0, y0) = area.get_base_pixel();
    let pixels = (x0 + LEFT..x0 + width as i32 - RIGHT, y0 + height as i32 - 4 * SCALE..y0 + top);
    area.apply_coord_spec(Cartesian2d::new(span.from..span.to, y.0..y.1, pixels))
}

fn draw_panel(area: &Area<'_>, facts: &Facts, region: &Region, side: &str, span: Span) -> Drawn {
    let lags: Vec<&Lag> = facts.lags.iter().filter(|lag| lag.region == *region).collect();
    let inside = |at: &Timestamp| (span.from..=span.to).contains(&seconds(*at));
    let points = lags.iter().flat_map(|lag| &lag.points).filter(|(at, _)| inside(at));
    let most = points.map(|(_, lag)| *lag).fold(0.0, f64::max);
    let axis = Axis::up_to(most);
    let plane = plane(area, span, (0.0, axis.top), PANEL_HEAD);
    for stage in facts.stages.iter().filter(|stage| stage.number % 2 == 1) {
        let (from, to) = rows::ends(stage, span);
        plane.draw(&Rectangle::new([(from, 0.0), (to, axis.top)], BAND.filled()))?;
    }
    for lag in ticks_of_lag(&axis) {
        plane.draw(&PathElement::new(vec![(span.from, lag), (span.to, lag)], LINE.stroke_width(2)))?;
        let words = axis::label(lag);
        let place = style(11, SOFT, HPos::Right, VPos::Center);
        let (x, y) = plane.map_coordinate(&(span.from, lag));
        let (x0, y0) = area.get_base_pixel();
        area.draw(&plotters::element::Text::new(words, (x - x0 - 8 * SCALE, y - y0), place))?;
    }
    marks(area, &plane, facts, axis.top)?;
    let title = format!("Lag in {region} ({side})");
    let bold = style(13, INK, HPos::Left, VPos::Center);
    area.draw(&plotters::element::Text::new(title, (LEFT, PANEL_HEAD / 2), bold))?;
    legend(area, facts, &lags)?;
    for lag in lags {
        curve(&plane, facts, lag, span)?;
    }
    Ok(())
}

/// A reader's colour and dashes: by its place among the pipelines and by its role.
fn pen(facts: &Facts, lag: &Lag) -> (RGBColor, bool) {
    let place = facts.pipelines.iter().position(|name| *name == lag.pipeline).unwrap_or(0);
    let is_copy = lag.role == "replicator";
    (SERIES[(2 * place + usize::from(is_copy)) % SERIES.len()], is_copy)
}

fn name(facts: &Facts, lag: &Lag) -> String {
    match facts.pipelines.len() {
        0 | 1 => lag.role.clone(),
        _ => format!("{} {}", lag.pipeline, lag.role),
    }
}

fn legend(area: &Area<'_>, facts: &Facts, lags: &[&Lag]) -> Drawn {
    let mut right = WIDTH - RIGHT;
    for lag in lags.iter().rev() {
        let (color, dashed) = pen(facts, lag);
        let mut words = name(facts, lag);
        if lag.points.is_empty() {
            words += " (no data)";
        }
        let y = PANEL_HEAD / 2;
        let place = style(11, INK, HPos::Right, VPos::Center);
        area.draw(&plotters::element::Text::new(words.clone(), (right, y), place))?;
        // Letters of this size are about six and a half wide.
        right -= words.chars().count() as i32 * 13 * SCALE / 2 + 8 * SCALE;
        stroke(area, vec![(right - 26 * SCALE, y), (right, y)], color, dashed)?;
        right -= 42 * SCALE;
    }
    Ok(())
}

fn stroke(area: &Area<'_>, points: Vec<(i32, i32)>, color: RGBColor, dashed: bool) -> Drawn {
    match dashed {
        true => area.draw(&DashedPathElement::new(points, 5 * SCALE, 3 * SCALE, color.stroke_width(4)))?,
        false => area.draw(&PathElement::new(points, color.stroke_width(4)))?,
    }
    Ok(())
}

/// Neighbouring points are joined; where a period is missing the line is broken, and a point alone is a dot.
fn curve(plane: &Plane<'_>, facts: &Facts, lag: &Lag, span: Span) -> Drawn {
    let (color, dashed) = pen(facts, lag);
    let reach = f64::from(lag.period_seconds) * 1.5;
    let inside = |(at, _): &&(Timestamp, f64)| (span.from..=span.to).contains(&seconds(*at));
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    for (at, value) in lag.points.iter().filter(inside) {
        let point = (seconds(*at), *value);
        match parts.last_mut().filter(|part| part.last().is_some_and(|last| point.0 - last.0 <= reach)) {
            Some(part) => part.push(point),
            None => parts.push(vec![point]),
        }
    }
    for part in parts {
        match part.as_slice() {
            [one] => plane.draw(&Circle::new(*one, 3 * SCALE, color.filled()))?,
            _ if dashed => {
                plane.draw(&DashedPathElement::new(part, 5 * SCALE, 3 * SCALE, color.stroke_width(4)))?;
            }
            _ => plane.draw(&PathElement::new(part, color.stroke_width(4)))?,
        }
    }
    Ok(())
}

/// The moments of the switch and of recovery, each with its word beside it: the earlier one before its line, the
/// later one after it, as far as there is room.
fn marks(area: &Area<'_>, plane: &Plane<'_>, facts: &Facts, top: f64) -> Drawn {
    let recovered = facts.recovery.map(|took| facts.began + took);
    let both = [(facts.switched, "switched", BAD), (recovered, "recovered", GOOD)];
    let mut both: Vec<_> =
        both.into_iter().filter_map(|(at, word, color)| Some((at?, word, color))).collect();
    both.sort_by_key(|(at, ..)| *at);
    let (x0, y0) = area.get_base_pixel();
    for (place, (at, word, color)) in both.iter().enumerate() {
        let at = seconds(*at);
        let path = vec![(at, 0.0), (at, top)];
        plane.draw(&DashedPathElement::new(path, 2 * SCALE, 3 * SCALE, color.stroke_width(3)))?;
        let (x, y) = plane.map_coordinate(&(at, top));
        let x = x - x0;
        let has_room = x + WORD < WIDTH - RIGHT;
        let (x, side, line) = match (place, has_room) {
            (0, _) if both.len() > 1 => (x - 5 * SCALE, HPos::Right, 0),
            (_, true) => (x + 5 * SCALE, HPos::Left, 0),
            // Below the other one's word, which stands on the same side.
            (_, false) => (x - 5 * SCALE, HPos::Right, 14 * SCALE),
        };
        let place = style(11, *color, side, VPos::Top);
        area.draw(&plotters::element::Text::new((*word).to_owned(), (x, y - y0 + 2 * SCALE + line), place))?;
    }
    Ok(())
}

fn draw_axis(area: &Area<'_>, span: Span) -> Drawn {
    let plane = plane(area, span, (0.0, 1.0), 0);
    for at in tick_times(span.from, span.to) {
        let (x, _) = plane.map_coordinate(&(at, 1.0));
        let x = x - area.get_base_pixel().0;
        area.draw(&PathElement::new(vec![(x, 0), (x, 4 * SCALE)], SOFT.stroke_width(2)))?;
        let words = Timestamp::from_second(at as i64).map(|at| at.strftime("%H:%M").to_string());
        let place = style(11, SOFT, HPos::Center, VPos::Top);
        area.draw(&plotters::element::Text::new(words.unwrap_or_default(), (x, 7 * SCALE), place))?;
    }
    Ok(())
}

/// The same points as a table of at most twenty-odd rows: each reader's largest lag in a stretch of time.
pub(super) fn table(facts: &Facts) -> Block {
    const ROWS: f64 = 24.0;
    let span = span(facts);
    let stretch = axis::stretch((span.to - span.from) / ROWS);
    let mut rows: BTreeMap<i64, BTreeMap<usize, f64>> = BTreeMap::new();
    let mut slots = BTreeSet::new();
    for (index, lag) in facts.lags.iter().enumerate() {
        for (at, value) in lag.points.iter().filter(|(at, _)| (span.from..=span.to).contains(&seconds(*at))) {
            let slot = (seconds(*at) / stretch) as i64;
            slots.insert(slot);
            let largest = rows.entry(slot).or_default().entry(index).or_insert(*value);
            *largest = largest.max(*value);
        }
    }
    let head = |lag: &Lag| right(format!("{} in {}", name(facts, lag), lag.region));
    let columns = std::iter::once(tight("largest lag from")).chain(facts.lags.iter().map(head)).collect();
    let mut table = Vec::new();
    let (first, last) = (slots.first().copied().unwrap_or(0), slots.last().copied().unwrap_or(-1));
    for slot in first..=last {
        let at = Timestamp::from_second((slot as f64 * stretch) as i64).unwrap_or(facts.began);
        let mut row: Vec<Text> = vec![at.strftime("%H:%MZ").to_string().into()];
        let of = rows.get(&slot);
        row.extend((0..facts.lags.len()).map(|index| match of.and_then(|of| of.get(&index)) {
            Some(value) => text::exact(axis::length(*value)).into(),
            None => "no data".into(),
        }));
        table.push(row);
    }
    match facts.lags.is_empty() {
        true => Block::Paragraph("No lag was recorded.".into()),
        false => Block::Table { columns, rows: table },
    }
}
