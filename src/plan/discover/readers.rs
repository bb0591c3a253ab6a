//! Who reads a pair of streams: the replicator, the consumer, and the table that the consumer writes to.

use super::lists::{Lists, Reader};
use super::{Candidate, Choice, Evidence, Open, Question, Wishes, pick};
use crate::config::{PerSide, Regions, StandbyMode};
use crate::model::{FunctionName, Side, StreamName};

/// The replicator and how it is known.
pub(super) struct FoundReplicator {
    pub(super) function: FunctionName,
    pub(super) fan_out: Option<StreamName>,
    because: String,
}

impl FoundReplicator {
    pub(super) fn evidence(&self) -> Evidence {
        let through = through(self.fan_out.as_ref());
        Evidence {
            part: "replicator",
            name: self.function.to_string(),
            because: format!("{}{through}", self.because),
        }
    }
}

/// The consumer and how it is known.
pub(super) struct FoundConsumer {
    pub(super) function: PerSide<FunctionName>,
    pub(super) fan_out: Option<StreamName>,
    because: String,
    runs: PerSide<bool>,
}

impl FoundConsumer {
    pub(super) fn evidence(&self) -> Evidence {
        let (name, other) = (&self.function.primary, &self.function.standby);
        let name = if name == other { name.to_string() } else { format!("{name}, {other}") };
        Evidence {
            part: "consumer",
            name,
            because: format!("{}{}", self.because, through(self.fan_out.as_ref())),
        }
    }

    /// Warm where it runs on both sides now; and what to look at.
    pub(super) fn mode(&self, regions: &Regions) -> (StandbyMode, Option<String>) {
        let standby = &regions.standby;
        match (self.runs.primary, self.runs.standby) {
            (true, true) => (StandbyMode::Warm, None),
            (true, false) => (StandbyMode::Cold, None),
            (false, true) => {
                let doubt = format!(
                    "its consumer runs in {standby} alone, as after a failover; taken for a cold standby all the same"
                );
                (StandbyMode::Cold, Some(doubt))
            }
            (false, false) => (StandbyMode::Cold, Some("its consumer runs in neither Region".to_owned())),
        }
    }
}

fn through(fan_out: Option<&StreamName>) -> String {
    fan_out.map(|name| format!(", through the fan-out consumer {name}")).unwrap_or_default()
}

/// The reader in the primary Region whose environment names the other one; where no reader's does, the one that
/// reads through fan-out beside another reader.
pub(super) fn replicator(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
) -> Result<Option<FoundReplicator>, Open> {
    if wishes.no_replicator {
        return Ok(None);
    }
    let readers = lists.of_side(Side::Primary).readers(&pair.primary);
    let mut candidates = by_environment(lists, &readers);
    if candidates.is_empty() {
        candidates = by_fan_out(lists, pair, &readers);
    }
    candidates.retain(|candidate| !wishes.consumers.iter().any(|w| w.primary.as_str() == candidate.name));
    let named: Vec<Candidate> = readers
        .iter()
        .filter(|reader| wishes.replicators.contains(&reader.function))
        .map(|reader| Candidate {
            name: reader.function.to_string(),
            because: format!(
                "reads {} in {}, and --replicator names it",
                pair.primary, lists.regions.primary
            ),
        })
        .collect();
    let choice = Choice {
        question: Question::Replicator(pair.primary.clone()),
        text: format!("Which function copies {} to {}?", pair.primary, lists.regions.standby),
        flag: "--replicator FUNCTION (or --no-replicator)",
        candidates: if named.is_empty() { candidates } else { named },
        may_be_none: true,
    };
    let found = pick(wishes, choice, |_| false)?;
    Ok(found.and_then(|found| {
        let reader = readers.iter().find(|reader| reader.function.as_str() == found.name)?;
        Some(FoundReplicator {
            function: reader.function.clone(),
            fan_out: reader.fan_out.clone(),
            because: found.because,
        })
    }))
}

fn by_environment(lists: &Lists<'_>, readers: &[Reader]) -> Vec<Candidate> {
    let (half, standby) = (lists.of_side(Side::Primary), lists.regions.standby.as_str());
    let names_it = |reader: &Reader| {
        let key = half.variable_holding(&reader.function, standby)?;
        Some(Candidate {
            name: reader.function.to_string(),
            because: format!("reads the stream, and its variable {key} names {standby}"),
        })
    };
    readers.iter().filter_map(names_it).collect()
}

fn by_fan_out(lists: &Lists<'_>, pair: &PerSide<StreamName>, readers: &[Reader]) -> Vec<Candidate> {
    let consumes_there = lists.of_side(Side::Standby).readers(&pair.standby);
    let others = |reader: &Reader| readers.iter().any(|other| other.function != reader.function);
    let fits = |reader: &&Reader| {
        let is_consumer = consumes_there.iter().any(|there| there.function == reader.function);
        reader.fan_out.is_some() && others(reader) && !is_consumer
    };
    let because = format!(
        "reads beside another function, and {} has a stream {}; no variable says so",
        lists.regions.standby, pair.standby
    );
    readers
        .iter()
        .filter(fits)
        .map(|reader| Candidate { name: reader.function.to_string(), because: because.clone() })
        .collect()
}

/// The reader that is not the replicator, in both Regions; the inner error is why there is none.
pub(super) fn consumer(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
    replicator: Option<&FoundReplicator>,
) -> Result<Result<FoundConsumer, String>, Open> {
    let is_copying = |reader: &Reader| replicator.is_some_and(|r| r.function == reader.function);
    let of = |side: Side| -> Vec<Reader> {
        let all = lists.of_side(side).readers(pair.of(side));
        all.into_iter().filter(|reader| !is_copying(reader)).collect()
    };
    let (here, there) = (of(Side::Primary), of(Side::Standby));
    // Failed over, the primary's mapping may be gone; then the standby's reader tells.
    let (side, readers) = if here.is_empty() { (Side::Standby, &there) } else { (Side::Primary, &here) };
    let region = lists.regions.of(side);
    let state = |reader: &Reader| if reader.is_on { "on" } else { "off" };
    let candidate = |reader: &Reader| Candidate {
        name: reader.function.to_string(),
        because: format!("reads {} in {region}; its mapping is {}", pair.of(side), state(reader)),
    };
    let choice = Choice {
        question: Question::Consumer(pair.primary.clone()),
        text: format!("Which function processes {}?", pair.primary),
        flag: "--consumer FUNCTION",
        candidates: readers.iter().map(candidate).collect(),
        may_be_none: false,
    };
    let wished = |name: &str| wishes.consumers.iter().any(|w| w.of(side).as_str() == name);
    let Some(found) = pick(wishes, choice, wished)? else {
        return Ok(Err(match replicator {
            Some(replicator) => format!(
                "its only reader, {}, looks like a replicator; where it is the consumer, say --consumer {0}",
                replicator.function
            ),
            None => "nothing reads it".to_owned(),
        }));
    };
    let Some(reader) = readers.iter().find(|reader| reader.function.as_str() == found.name) else {
        return Ok(Err("nothing reads it".to_owned()));
    };
    let function = match in_both(lists, wishes, pair, (side, &reader.function), &there)? {
        Ok(function) => function,
        Err(why) => return Ok(Err(why)),
    };
    let runs_in = |readers: &[Reader], name: &FunctionName| {
        readers.iter().any(|reader| reader.function == *name && reader.is_on)
    };
    let runs =
        PerSide { primary: runs_in(&here, &function.primary), standby: runs_in(&there, &function.standby) };
    Ok(Ok(FoundConsumer { function, fan_out: reader.fan_out.clone(), because: found.because, runs }))
}

/// The function's name on both sides: the same; else the one that was named; else the standby's reader.
fn in_both(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
    (side, name): (Side, &FunctionName),
    there: &[Reader],
) -> Result<Result<PerSide<FunctionName>, String>, Open> {
    if let Some(wished) = wishes.consumers.iter().find(|w| w.of(side) == name && w.primary != w.standby) {
        return Ok(Ok(wished.clone()));
    }
    let other = lists.of_side(side.other());
    if other.functions.contains_key(name) {
        return Ok(Ok(PerSide { primary: name.clone(), standby: name.clone() }));
    }
    let missing = format!(
        "{} has no function {name}; where it has another name there, say --consumer PRIMARY=STANDBY",
        other.region
    );
    if side == Side::Standby {
        return Ok(Err(missing));
    }
    let candidate = |reader: &Reader| Candidate {
        name: reader.function.to_string(),
        because: format!("reads {} in {}", pair.standby, lists.regions.standby),
    };
    let choice = Choice {
        question: Question::StandbyConsumer(pair.primary.clone()),
        text: format!("Which function is {name} in {}?", lists.regions.standby),
        flag: "--consumer PRIMARY=STANDBY",
        candidates: there.iter().map(candidate).collect(),
        may_be_none: false,
    };
    let found = pick(wishes, choice, |_| false)?;
    let standby = found.and_then(|found| there.iter().find(|r| r.function.as_str() == found.name));
    Ok(standby
        .map(|reader| PerSide { primary: name.clone(), standby: reader.function.clone() })
        .ok_or(missing))
}

/// The table of both Regions that the consumer's environment names.
pub(super) fn table(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
    consumer: &FoundConsumer,
) -> Result<Option<Candidate>, Open> {
    let (here, there) = (lists.of_side(Side::Primary), lists.of_side(Side::Standby));
    let (Some(tables), Some(others)) = (here.tables, there.tables) else { return Ok(None) };
    let function = &consumer.function.primary;
    let mut candidates: Vec<Candidate> = Vec::new();
    for (key, value) in here.variables(function) {
        if tables.contains(value) && others.contains(value) && !candidates.iter().any(|c| c.name == value) {
            let because = format!("is in both Regions, and variable {key} of {function} names it");
            candidates.push(Candidate { name: value.to_owned(), because });
        }
    }
    let choice = Choice {
        question: Question::Table(pair.primary.clone()),
        text: format!("In which table does {function} put its results?"),
        flag: "--table NAME",
        candidates,
        may_be_none: true,
    };
    pick(wishes, choice, |name| wishes.tables.iter().any(|table| table == name))
}
