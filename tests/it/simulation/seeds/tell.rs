//! A scenario in words: what is printed with every failure.

use super::draw::{ApiFault, Cut, Deed, Event, Fate, Mishap, Person, Phase, Scenario, Shape, When};
use kdsha::model::duration::show;
use kdsha::sandbox::world::{Copying, MetricTrouble, Outage};
use std::fmt;

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Seed {}. The operator acts after {}.", self.seed, show(self.lead))?;
        for (number, shape) in (1..).zip(&self.pipelines) {
            writeln!(f, "  pipeline {number}: {shape}")?;
        }
        writeln!(
            f,
            "  looks every {}; delays: metrics {}, mappings {} to {}, polling starts within {}, stops within {}, updates within {}",
            show(self.poll),
            show(self.delays.metric),
            show(self.delays.mapping.least),
            show(self.delays.mapping.most),
            show(self.delays.polling_starts.most),
            show(self.delays.polling_stops.most),
            show(self.delays.function_update.most),
        )?;
        for (at, event) in &self.events {
            writeln!(f, "  at {}: {event}", show(*at))?;
        }
        for (at, event) in &self.back_events {
            writeln!(f, "  {} into the failback: {event}", show(*at))?;
        }
        if self.retention_hours < 24 {
            writeln!(f, "  the streams keep records for {} h", self.retention_hours)?;
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))?;
        self.people.iter().try_for_each(|person| writeln!(f, "  {person}"))?;
        self.mishaps.iter().try_for_each(|mishap| writeln!(f, "  {mishap}"))?;
        let haste = if self.hasty { "prefers the emergency" } else { "tries the planned way first" };
        let from = if self.from_horizon { "the trim horizon" } else { "a quarter of an hour before it" };
        writeln!(f, "  the operator {haste}; asked for a position, answers {from}")?;
        let dry = if self.dry_run { "looks at dry runs, " } else { "" };
        let back = if self.goes_back { "goes back" } else { "stays" };
        write!(f, "  {dry}stays for {}, then {back}", show(self.stay))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standby = if self.warm { "warm" } else { "cold" };
        let copying = match self.copying {
            Copying::None => "no replicator",
            Copying::Standard => "standard replicator",
            Copying::FanOut => "fan-out replicator",
        };
        write!(
            f,
            "{standby}, {} shards, {} records/s by {} producers, {copying}, batches of {}, time-outs {} s and of producers {} s",
            self.shards, self.rate, self.producers, self.batch_size, self.timeout, self.producer_timeout
        )?;
        let parts = [
            (self.fan_out_consumers, ", fan-out consumers"),
            (self.alias, ", by alias"),
            (!self.sink, ", no sink"),
            (self.count_events, ", event counts"),
            (self.bisect, ", failing batches halved"),
        ];
        parts.iter().filter(|(is, _)| *is).try_for_each(|(_, text)| f.write_str(text))?;
        match self.slow_share {
            0.0 => Ok(()),
            share => write!(f, ", {share} of the invocations slow"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Strike(side, Outage::DataPlaneDegraded { failure_share }) => {
                write!(f, "the {side}'s data plane fails at {failure_share}")
            }
            Event::Strike(side, Outage::ControlPlane) => write!(f, "the {side}'s control plane fails"),
            Event::Strike(side, Outage::Silent) => write!(f, "the {side} falls silent"),
            Event::Heal(side) => write!(f, "the {side} heals"),
            Event::Metrics(side, Some(MetricTrouble::Late(by))) => {
                write!(f, "metrics of the {side} come {} late", show(*by))
            }
            Event::Metrics(side, Some(MetricTrouble::Absent)) => write!(f, "metrics of the {side} are lost"),
            Event::Metrics(side, None) => write!(f, "metrics of the {side} are well again"),
            Event::Traffic(factor) => write!(f, "traffic times {factor}"),
            Event::Poison(Some(share)) => write!(f, "{share} of the new records are poison"),
            Event::Poison(None) => f.write_str("the code is mended: there is no poison any more"),
            Event::Throttled(true) => f.write_str("the primary's consumers are throttled"),
            Event::Throttled(false) => f.write_str("the primary's consumers are throttled no more"),
            Event::Hung(true) => f.write_str("the primary's consumers hang"),
            Event::Hung(false) => f.write_str("the primary's consumers hang no more"),
            Event::Reshard { pipeline, side, shards } => {
                write!(f, "the {side}'s stream of pipeline {pipeline} is resharded to {shards}")
            }
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Over => "failover",
            Phase::Back => "failback",
        })
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::After(time) => write!(f, "{} into the", show(*time)),
            When::AtCall(nth) => write!(f, "at changing call {nth} of the"),
            When::Overtaking => f.write_str("just before the run does something like it, in the"),
        }
    }
}

impl fmt::Display for ApiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = self.side.map_or_else(|| "both Regions".to_owned(), |side| format!("the {side}"));
        let service = self.service.map_or_else(|| "all services".to_owned(), |s| format!("{s:?}"));
        let calls = if self.only_mutating { "changing calls" } else { "calls" };
        let times = self.times.map_or_else(String::new, |n| format!(", {n} times"));
        write!(
            f,
            "{} into the {}, for {}: one in {} {calls} to {service} in {side}{times}: {:?}",
            show(self.from),
            self.phase,
            show(self.lasts),
            self.every,
            self.fault
        )
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deed = match self.deed {
            Deed::SecondOperator => "another operator runs the same command",
            Deed::Deploy => "a deploy writes the template's environment",
            Deed::OtherVariable => "a colleague changes another variable",
            Deed::Mapping { enabled: true } => {
                "a colleague creates the standby's mapping, enabled, at LATEST"
            }
            Deed::Mapping { enabled: false } => {
                "a colleague creates the standby's mapping, disabled, at LATEST"
            }
        };
        write!(f, "{} {}: {deed} (pipeline {})", self.when, self.phase, self.pipeline)
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cut {
            Cut::Killed(after) => write!(f, "a {} is killed after {after:?}", self.phase)?,
            Cut::AtCall { nth, applied: true } => {
                write!(f, "a {} is killed after its changing call {nth}", self.phase)?;
            }
            Cut::AtCall { nth, applied: false } => {
                write!(f, "a {} is killed before its changing call {nth}", self.phase)?;
            }
            Cut::DiskFull { records } => {
                write!(f, "the disk has room for {records} records of a {}'s journal", self.phase)?;
            }
            Cut::Interrupted(after) => write!(f, "a {} is interrupted after {after:?}", self.phase)?,
        }
        match self.fate {
            Fate::Kept => Ok(()),
            Fate::Torn(bytes) => write!(f, ", {bytes} bytes of its journal's last line are missing"),
            Fate::Lost => f.write_str(", its journal is lost"),
        }
    }
}
