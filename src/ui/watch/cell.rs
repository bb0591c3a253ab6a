//! The cells of the live view: a word or a figure with its tone. Old is always said in words; the tone only adds to it.

use super::super::cells::{failing, shares};
use super::kept::{Kept, Worth};
use super::state::{LagSeen, Mappings, PipelineFacts, ReaderFacts, SideFacts};
use crate::config::{StandbyMode, Topology};
use crate::model::{Region, Series, Side, Timestamp, duration};
use crate::plan::assess::{Active, Health};
use crate::ui::text;
use std::time::Duration;

/// A bar is full at the largest lag of the window, but never below this one (ms): an ordinary second is no tower.
const FULL_BAR: f64 = 10_000.0;

/// What a cell is, for its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Strong,
    /// From an earlier look.
    Old,
}

/// One piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

impl Cell {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), tone }
    }
    pub(super) fn plain(text: impl Into<String>) -> Cell {
        Cell::new(Tone::Plain, text)
    }
    /// Nothing belongs here.
    pub(super) fn nothing() -> Cell {
        Cell::plain("-")
    }
}

/// A kept value as a cell: `show` says how it reads when it is current.
fn kept<T>(value: &Kept<T>, now: Timestamp, show: impl FnOnce(&T) -> Cell) -> Cell {
    match value.worth() {
        Worth::Current(value) => show(value),
        Worth::Old(value, at, _) => {
            let age = text::whole(text::between(at, now));
            Cell::new(Tone::Old, format!("OLD {age}: {}", show(value).text))
        }
        Worth::Never(Some(_)) => Cell::new(Tone::Warn, "unknown"),
        Worth::Never(None) => Cell::plain("not seen yet"),
    }
}

/// A sample that was kept: its own age counts, not that of the look.
fn old_sample(text: &str, ended: Timestamp, now: Timestamp) -> Cell {
    Cell::new(Tone::Old, format!("OLD {}: {text}", text::whole(text::between(ended, now))))
}

/// Makes the cells of one pipeline at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) facts: &'a PipelineFacts,
    pub(super) topology: &'a Topology,
    pub(super) now: Timestamp,
}

impl Cells<'_> {
    fn side(&self, side: Side) -> &SideFacts {
        self.facts.side(side)
    }

    /// Where the producers write, for the headline.
    pub(super) fn active(&self) -> Cell {
        let role = |region: &Region| match self.topology.regions.side_of(region) {
            Some(side) => format!("active in {region} ({side})"),
            None => format!("active in {region}, which is not one of the two"),
        };
        kept(&self.facts.active, self.now, |active| match active {
            Active::Region(region) => Cell::new(Tone::Strong, role(region)),
            Active::Mixed(places) => {
                let places: Vec<&str> = places.iter().map(String::as_str).collect();
                Cell::new(Tone::Bad, format!("PRODUCERS DISAGREE: {}", places.join(", ")))
            }
            Active::Unknown(_) => Cell::new(Tone::Warn, "active Region unknown"),
        })
    }

    /// Whether a side is the active one, by the last look alone.
    pub(super) fn is_active(&self, side: Side) -> bool {
        let here = self.topology.regions.of(side);
        matches!(self.facts.active.worth(), Worth::Current(Active::Region(region)) if region == here)
    }

    pub(super) fn stream(&self, side: Side) -> Cell {
        kept(&self.side(side).stream, self.now, |text| {
            let tone = if text.starts_with("ACTIVE") || text.starts_with("UPDATING") {
                Tone::Plain
            } else {
                Tone::Bad
            };
            Cell::new(tone, text.clone())
        })
    }

    /// The producers that write to a side. One whose target is not known is shown on the side where it lives.
    pub(super) fn producers(&self, side: Side) -> Cell {
        let here = self.topology.regions.of(side).as_str();
        let (mut texts, mut tone) = (Vec::new(), Tone::Plain);
        for ((name, target), config) in self.facts.producers.iter().zip(&self.facts.config.producers) {
            let cell = kept(target, self.now, |target| Cell::plain(target.clone()));
            let is_here = match target.worth() {
                Worth::Current(target) | Worth::Old(target, ..) => target == here,
                Worth::Never(_) => config.side == side,
            };
            if !is_here {
                continue;
            }
            match cell.tone {
                Tone::Plain if !matches!(target.worth(), Worth::Never(_)) => texts.push(name.clone()),
                Tone::Old => texts.push(cell.text.replace(here, name)),
                _ => texts.push(format!("{name}: target {}", cell.text)),
            }
            tone = if cell.tone == Tone::Plain { tone } else { cell.tone };
        }
        if texts.is_empty() { Cell::nothing() } else { Cell::new(tone, texts.join(", ")) }
    }

    pub(super) fn mapping(&self, side: Side, reader: &ReaderFacts) -> Cell {
        let cold = side == Side::Standby && self.facts.config.standby == StandbyMode::Cold;
        kept(&reader.mapping, self.now, |mappings| match mappings {
            Mappings::None if cold => Cell::plain("no mapping (cold)"),
            Mappings::None => Cell::new(Tone::Bad, "NO MAPPING"),
            Mappings::Many(n) => Cell::new(Tone::Bad, format!("TWO OR MORE mappings: {n}")),
            Mappings::One { state, problem: None } => Cell::plain(format!("mapping {state}")),
            Mappings::One { state, problem: Some(problem) } => {
                Cell::new(Tone::Bad, format!("mapping {state}, {problem}"))
            }
        })
    }

    pub(super) fn lag(&self, reader: &ReaderFacts) -> Cell {
        if let Worth::Old(LagSeen::Lag { lag, ended }, ..) = reader.lag.worth() {
            return old_sample(&text::exact(*lag), *ended, self.now);
        }
        kept(&reader.lag, self.now, |lag| match lag {
            LagSeen::NoReader => Cell::nothing(),
            LagSeen::NoData => Cell::new(Tone::Warn, "no data point (not zero)"),
            LagSeen::Lag { lag, ended } => {
                let age = text::between(*ended, self.now);
                let rpo = self.topology.objectives.rpo;
                let mut parts = vec![text::exact(*lag)];
                let (mut tone, mut stale) = (Tone::Plain, "");
                if age > self.topology.timing.fresh {
                    tone = Tone::Warn;
                    stale = ", STALE";
                }
                if *lag > rpo {
                    (tone, _) = (Tone::Bad, parts.push(format!("OVER THE RPO of {}", duration::show(rpo))));
                }
                Cell::new(tone, format!("{} (sample {} old{stale})", parts.join(", "), text::whole(age)))
            }
        })
    }

    /// The lag of the last minutes as rows of bars, one column a period, a period without a point as a gap.
    pub(super) fn history(
        &self,
        reader: &ReaderFacts,
        (columns, rows): (usize, usize),
        utf8: bool,
    ) -> Vec<Cell> {
        let only = |cell: Cell| {
            let below = std::iter::repeat_n(Cell::plain(""), rows.saturating_sub(1));
            std::iter::once(cell).chain(below).collect()
        };
        let (series, tone) = match reader.history.worth() {
            Worth::Current(series) => (series, Tone::Plain),
            Worth::Old(series, ..) => (series, Tone::Old),
            Worth::Never(_) => return only(Cell::nothing()),
        };
        if matches!(reader.lag.worth(), Worth::Current(LagSeen::NoReader)) {
            return only(Cell::nothing());
        }
        let slots = columns.saturating_sub(19).clamp(5, 60);
        let points = slotted(series, self.now, slots);
        let Some(most) = points.iter().flatten().copied().reduce(f64::max) else {
            return only(Cell::new(tone, "no point in the window"));
        };
        let (full, length) =
            (most.max(FULL_BAR), |ms: f64| text::exact(Duration::from_millis(ms.max(0.0) as u64)));
        let lines = bars(&points, full, rows.max(1), utf8).into_iter().enumerate();
        let cell = |(index, line): (usize, String)| match index {
            // The words stand where the curve is; what a whole column means, at its top.
            _ if index + 1 == rows.max(1) => Cell::new(tone, format!("{line} max {}", length(most))),
            0 => Cell::new(tone, format!("{line} full bar {}", length(full))),
            // One column is one period.
            1 => Cell::new(tone, format!("{line} {} to now", text::whole(series.period * slots as u32))),
            _ => Cell::new(tone, line),
        };
        lines.map(cell).collect()
    }

    pub(super) fn arrivals(&self, side: Side) -> Cell {
        if let Worth::Old(Some(rate), ..) = self.side(side).arrivals.worth() {
            return old_sample(&format!("{} records/s", number(rate.per_second)), rate.ended, self.now);
        }
        kept(&self.side(side).arrivals, self.now, |rate| match rate {
            Some(rate) => {
                let age = text::whole(text::between(rate.ended, self.now));
                Cell::plain(format!("{} records/s ({age} ago)", number(rate.per_second)))
            }
            None => Cell::new(Tone::Warn, "no data point (not zero)"),
        })
    }

    pub(super) fn health(&self, side: Side) -> Cell {
        let limit = text::percent(self.topology.objectives.error_rate);
        kept(&self.side(side).health, self.now, |health| match health {
            Health::Healthy(rates) => Cell::plain(format!("healthy, {}", shares(*rates, &limit))),
            Health::Degraded(rates) => Cell::new(Tone::Bad, format!("DEGRADED, {}", failing(*rates))),
            Health::Unknown(why) => Cell::new(Tone::Warn, format!("unknown: {why}")),
        })
    }

    pub(super) fn mark(&self) -> Cell {
        kept(&self.facts.mark, self.now, |mark| {
            let tone = if mark.starts_with("OPEN") { Tone::Warn } else { Tone::Plain };
            Cell::new(tone, mark.clone())
        })
    }

    /// Whether something about the pipeline needs a look, for the list of names.
    pub(super) fn needs_attention(&self) -> bool {
        let of_side = |side: Side| {
            let facts = self.side(side);
            let readers = [Some(&facts.consumer), facts.replicator.as_ref()];
            let lags = readers.into_iter().flatten().map(|reader| self.lag(reader).tone);
            let bad = |tone: Tone| matches!(tone, Tone::Bad | Tone::Old);
            bad(self.health(side).tone) || bad(self.stream(side).tone) || lags.into_iter().any(bad)
        };
        self.active().tone != Tone::Strong || of_side(Side::Primary) || of_side(Side::Standby)
    }
}

/// `20`, `3.5`.
fn number(rate: f64) -> String {
    if rate > 0.0 && rate < 10.0 { format!("{rate:.1}") } else { text::count_f64(rate) }
}

/// One slot a period, the newest last: the newest complete period at `now`.
fn slotted(series: &Series, now: Timestamp, slots: usize) -> Vec<Option<f64>> {
    let period = series.period.as_secs().max(1) as i64;
    let newest = now.as_second().div_euclid(period) - 1;
    let mut out = vec![None; slots];
    for point in &series.points {
        let back = newest - point.at.as_second().div_euclid(period);
        if let Ok(back) = usize::try_from(back)
            && back < slots
        {
            let slot: &mut Option<f64> = &mut out[slots - 1 - back];
            *slot = Some(slot.unwrap_or(0.0).max(point.value));
        }
    }
    out
}

/// A bar a slot, scaled to the largest, over so many rows, the top one first. A missing point is a dot in the lowest row,
/// never a low bar; a bar is at least one step high.
fn bars(points: &[Option<f64>], most: f64, rows: usize, utf8: bool) -> Vec<String> {
    const STEPS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 9] = [' ', '1', '2', '3', '4', '5', '6', '7', '8'];
    let (steps, missing) = if utf8 { (STEPS, '·') } else { (ASCII, '.') };
    let most = if most > 0.0 { most } else { 1.0 };
    let height = |value: f64| ((value / most * (rows * 8) as f64).round() as usize).clamp(1, rows * 8);
    let row = |below: usize| {
        let at = |point: &Option<f64>| match point {
            Some(value) => steps[height(*value).saturating_sub(below * 8).min(8)],
            None if below == 0 => missing,
            None => ' ',
        };
        points.iter().map(at).collect::<String>()
    };
    (0..rows).rev().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    #[test]
    fn a_missing_point_is_a_gap_and_never_a_low_bar() {
        let now: Timestamp = "2026-11-22T10:45:30Z".parse().expect("an instant");
        let minute = |n: u64| {
            "2026-11-22T10:40:00Z".parse::<Timestamp>().expect("an instant") + Duration::from_secs(60 * n)
        };
        let points = [(0, 0.0), (1, 500.0), (3, 1000.0)].map(|(n, value)| Point { at: minute(n), value });
        let series = Series { period: Duration::from_secs(60), points: points.to_vec() };
        let slots = slotted(&series, now, 6);
        assert_eq!(slots, [None, Some(0.0), Some(500.0), None, Some(1000.0), None]);
        assert_eq!(bars(&slots, 1000.0, 1, true), ["·▁▄·█·"]);
        assert_eq!(bars(&slots, 1000.0, 1, false), [".14.8."]);
        assert_eq!(bars(&slots, 1000.0, 2, true), ["    █ ", "·▁█·█·"]);
        assert_eq!(bars(&[Some(0.0)], 0.0, 1, true), ["▁"], "nothing to scale to");
    }
}
