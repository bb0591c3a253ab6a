//! The lists of both Regions, all of them read to their end, and the pairs of streams in them.

use super::{LeftOut, Open, Wishes};
use crate::config::{PerSide, Regions};
use crate::model::{
    Environment, FunctionName, Mapping, MappingState, Observed, Reason, Region, RegionSurvey, Side,
    StreamName, Survey,
};
use std::collections::{BTreeMap, BTreeSet};

/// One Region's lists.
pub(super) struct Half<'a> {
    pub(super) region: &'a Region,
    pub(super) mappings: &'a Vec<Mapping>,
    pub(super) functions: &'a BTreeMap<FunctionName, Environment>,
    pub(super) streams: &'a BTreeSet<StreamName>,
    /// Tables are not needed for a pipeline.
    pub(super) tables: Option<&'a BTreeSet<String>>,
}

/// Both.
pub(super) struct Lists<'a> {
    pub(super) regions: &'a Regions,
    primary: Half<'a>,
    standby: Half<'a>,
}

/// A function that reads a stream.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) function: FunctionName,
    /// The fan-out consumer that it reads through.
    pub(super) fan_out: Option<StreamName>,
    /// Whether a mapping of it is on.
    pub(super) is_on: bool,
}

impl<'a> Lists<'a> {
    /// All lists, or why some of them were not read.
    pub(super) fn of(regions: &'a Regions, survey: &'a Survey) -> Result<Lists<'a>, Open> {
        let mut unread = Vec::new();
        let halves = (half(&survey.primary, &mut unread), half(&survey.standby, &mut unread));
        match halves {
            (Some(primary), Some(standby)) => Ok(Lists { regions, primary, standby }),
            _ => Err(Open::Unread(unread)),
        }
    }

    pub(super) fn of_side(&self, side: Side) -> &Half<'a> {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }

    /// The pairs that are asked for; without any, every stream that somebody reads and that has a twin.
    pub(super) fn pairs(&self, wishes: &Wishes, left_out: &mut Vec<LeftOut>) -> Vec<PerSide<StreamName>> {
        if !wishes.streams.is_empty() {
            let (there, missing): (Vec<_>, Vec<_>) =
                wishes.streams.iter().cloned().partition(|pair| self.missing(pair).is_none());
            left_out.extend(missing.iter().filter_map(|pair| self.missing(pair)));
            return there;
        }
        let mut pairs = Vec::new();
        for stream in self.primary.streams {
            let is_read =
                !self.primary.readers(stream).is_empty() || !self.standby.readers(stream).is_empty();
            match self.twin(stream) {
                Some(standby) if is_read => pairs.push(PerSide { primary: stream.clone(), standby }),
                None if is_read => left_out.push(LeftOut {
                    what: format!("stream {stream}"),
                    why: format!("{} has no stream of this name", self.standby.region),
                }),
                _ => {}
            }
        }
        pairs
    }

    /// What is missing of a pair.
    fn missing(&self, pair: &PerSide<StreamName>) -> Option<LeftOut> {
        [Side::Primary, Side::Standby].into_iter().find_map(|side| {
            let (half, stream) = (self.of_side(side), pair.of(side));
            (!half.streams.contains(stream)).then(|| LeftOut {
                what: format!("stream {stream}"),
                why: format!("{} has no stream of this name", half.region),
            })
        })
    }

    /// The stream of the same name; else the one that a reader's variable names, where that is only one.
    fn twin(&self, stream: &StreamName) -> Option<StreamName> {
        if self.standby.streams.contains(stream) {
            return Some(stream.clone());
        }
        let mut named = BTreeSet::new();
        for reader in self.primary.readers(stream) {
            let variables = self.primary.variables(&reader.function);
            let is_standby = variables.iter().any(|(_, value)| *value == self.standby.region.as_str());
            if is_standby {
                let of_standby = |value: &str| self.standby.streams.iter().find(|s| s.as_str() == value);
                named.extend(variables.iter().filter_map(|(_, value)| of_standby(value)).cloned());
            }
        }
        if named.len() == 1 { named.pop_first() } else { None }
    }
}

fn half<'a>(survey: &'a RegionSurvey, unread: &mut Vec<String>) -> Option<Half<'a>> {
    let mappings = read(&survey.mappings, unread);
    let functions = read(&survey.functions, unread);
    let streams = read(&survey.streams, unread);
    Some(Half {
        region: &survey.region,
        mappings: mappings?,
        functions: functions?,
        streams: streams?,
        tables: survey.tables.known(),
    })
}

fn read<'a, T>(part: &'a Observed<T>, unread: &mut Vec<String>) -> Option<&'a T> {
    let note = |Reason { text, .. }: &Reason| unread.push(text.clone());
    part.as_result().map_err(note).ok()
}

impl Half<'_> {
    /// Every function that reads a stream, directly or through a fan-out consumer, by name.
    pub(super) fn readers(&self, stream: &StreamName) -> Vec<Reader> {
        let mut found: BTreeMap<&FunctionName, Reader> = BTreeMap::new();
        let of_stream = |mapping: &&Mapping| {
            mapping.source.stream() == Some(stream.as_str()) && mapping.state != MappingState::Deleting
        };
        for mapping in self.mappings.iter().filter(of_stream) {
            let fan_out = mapping.source.stream_consumer().and_then(|name| name.parse().ok());
            let is_on = mapping.state.is_on();
            let reader = Reader { function: mapping.function.clone(), fan_out, is_on };
            let known = found.entry(&mapping.function).or_insert_with(|| reader.clone());
            // A mapping that is on says how the function reads.
            if is_on && !known.is_on {
                *known = reader;
            }
        }
        found.into_values().collect()
    }

    /// The variables of a function; none where they cannot be read.
    pub(super) fn variables(&self, function: &FunctionName) -> Vec<(&str, &str)> {
        match self.functions.get(function) {
            Some(Environment::Readable(variables)) => {
                variables.iter().map(|(key, value)| (key.as_str(), value.expose())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A variable of a function that holds a value.
    pub(super) fn variable_holding(&self, function: &FunctionName, value: &str) -> Option<&str> {
        self.variables(function).into_iter().find(|(_, held)| *held == value).map(|(key, _)| key)
    }
}
