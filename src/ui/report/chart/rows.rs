//! The stages of the run as bars, one a row, under the curves.

use super::{
    Area, BAD, Drawn, GOOD, INK, LINE, PathElement, ROW, Rectangle, SCALE, SVGBackend, Span, WARN, plane,
    seconds, style,
};
use crate::ui::report::facts::{Facts, StageFact, Standing};
use crate::ui::report::sections::took;
use plotters::drawing::DrawingArea;
use plotters::prelude::{Color, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};

const HEAD: i32 = 30 * SCALE;

/// How high the rows are.
pub(super) fn height(facts: &Facts) -> i32 {
    HEAD + facts.stages.len() as i32 * ROW + 6 * SCALE
}

/// A stage's ends; one that did not end reaches to where its process left it.
pub(super) fn ends(stage: &StageFact, span: Span) -> (f64, f64) {
    let last = stage.steps.iter().map(|step| step.at).max();
    let to = stage.ended.or(stage.left).or(last).map_or(span.to, seconds);
    (seconds(stage.began), to)
}

fn color(stage: &StageFact) -> RGBColor {
    let worst = |standing| stage.steps.iter().any(|step| step.standing == standing);
    match () {
        () if worst(Standing::Bad) => BAD,
        () if worst(Standing::Warn) || stage.ended.is_none() => WARN,
        () => GOOD,
    }
}

/// Title, length, and what is not as it should be.
fn words(stage: &StageFact) -> String {
    let took = took(stage);
    let ill = stage.steps.iter().find(|step| step.standing != Standing::Good);
    let ill = ill.map(|step| format!(", {}", step.outcome)).unwrap_or_default();
    let mark = if stage.is_point_of_no_return { ", no return" } else { "" };
    format!("{}. {} ({took}{mark}{ill})", stage.number, stage.title)
}

pub(super) fn draw(area: &Area<'_>, facts: &Facts, span: Span) -> Drawn {
    let (base, _) = area.get_base_pixel();
    let rows = facts.stages.len() as f64;
    let plane = plane(area, span, (rows.max(1.0), 0.0), HEAD);
    let bold = style(13, INK, HPos::Left, VPos::Center);
    area.draw(&plotters::element::Text::new("Stages".to_owned(), (super::LEFT, HEAD / 2), bold))?;
    let at = |x: f64| plane.map_coordinate(&(x, 0.0)).0 - base;
    let (left, right) = (at(span.from), at(span.to));
    for (index, stage) in facts.stages.iter().enumerate() {
        let y = HEAD + index as i32 * ROW;
        let (from, to) = ends(stage, span);
        let (from, to) = (at(from), at(to).max(at(from) + 3 * SCALE));
        let line = vec![(left, y + ROW), (right, y + ROW)];
        area.draw(&PathElement::new(line, LINE.stroke_width(1)))?;
        let bar = [(from, y + 4 * SCALE), (to, y + ROW - 4 * SCALE)];
        area.draw(&Rectangle::new(bar, color(stage).filled()))?;
        beside(area, &words(stage), (from, to, y + ROW / 2), right)?;
    }
    Ok(())
}

/// The words stand after the bar, or before it where there is more room.
fn beside(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    words: &str,
    (from, to, y): (i32, i32, i32),
    right: i32,
) -> Drawn {
    let wide = words.chars().count() as i32 * 13 * SCALE / 2;
    let (x, side) = match to + wide <= right {
        true => (to + 6 * SCALE, HPos::Left),
        false => (from - 6 * SCALE, HPos::Right),
    };
    let place = style(11, INK, side, VPos::Center);
    area.draw(&plotters::element::Text::new(words.to_owned(), (x, y), place))?;
    Ok(())
}
