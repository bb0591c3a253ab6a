//! One `[[pipeline]]`: its stream, producers, consumer, replicator and sink.

use super::problem::Finding;
use super::section::{Read, Section, Value, Wrong};
use super::sections::RegionsRead;
use super::topology::{
    Consumer, MappingOverrides, PerSide, Pipeline, Producer, Replicator, Sink, StandbyMode,
};
use super::{names, values};
use crate::model::ids::InvalidId;
use crate::model::{FunctionName, PipelineName, Side, StreamName};
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;
use toml::de::DeValue;

/// The post's overlap.
const OVERLAP_BUFFER: Duration = Duration::from_secs(300);

/// A pipeline as far as it could be read: what is sound can be compared with the others even where
/// another part is wrong.
pub(super) struct Draft<'t> {
    /// Its table.
    pub section: Section<'t>,
    /// Its name.
    pub name: Option<PipelineName>,
    /// The stream on each side.
    pub stream: Option<PerSide<StreamName>>,
    /// The producers, each with the place of its function.
    pub producers: Vec<(Producer, Range<usize>)>,
    /// The consumer, with the place of its function.
    pub consumer: Option<(Consumer, Range<usize>)>,
    /// The replicator, with the place of its function.
    pub replicator: Option<(Replicator, Range<usize>)>,
    standby: Option<StandbyMode>,
    overlap_buffer: Option<Duration>,
    sink: Option<Sink>,
}

impl<'t> Draft<'t> {
    /// Reads the table and reports what is wrong inside it.
    pub fn read(section: Section<'t>, regions: &RegionsRead) -> Draft<'t> {
        let modes = [("cold", StandbyMode::Cold), ("warm", StandbyMode::Warm)];
        let consumer = consumer(&section, regions);
        Draft {
            name: section.required("name", "\"ticker-prices\"", values::id),
            standby: section.required(
                "standby",
                "\"cold\", or \"warm\" where the consumer always runs",
                |v| values::word(v, &modes),
            ),
            stream: both_sides(&section, "stream"),
            overlap_buffer: section
                .or("overlap_buffer", OVERLAP_BUFFER, |v| values::length(v, values::from_zero())),
            producers: producers(&section, regions),
            replicator: replicator(&section, consumer.as_ref().map(|(consumer, _)| consumer)),
            consumer,
            sink: sink(&section),
            section,
        }
    }

    /// The pipeline; `None` where something was reported.
    pub fn finish(self) -> Option<Pipeline> {
        Some(Pipeline {
            name: self.name?,
            standby: self.standby?,
            stream: self.stream?,
            overlap_buffer: self.overlap_buffer?,
            producers: self.producers.into_iter().map(|(producer, _)| producer).collect(),
            consumer: self.consumer?.0,
            replicator: self.replicator.map(|(replicator, _)| replicator),
            sink: self.sink,
        })
    }
}

/// A name that is the same on both sides, or `{ primary = "...", standby = "..." }`.
fn both_sides<T>(section: &Section<'_>, key: &str) -> Option<PerSide<T>>
where
    T: FromStr<Err = InvalidId> + Clone,
{
    if let Some(value) = section.get(key)
        && let DeValue::Table(table) = value.get_ref()
    {
        let label = format!("`{key}`");
        let sides = Section::open(&label, &["primary", "standby"], value.span(), table, section.findings());
        let (primary, standby) = (
            sides.required("primary", "\"...\"", values::id),
            sides.required("standby", "\"...\"", values::id),
        );
        return Some(PerSide { primary: primary?, standby: standby? });
    }
    let both = |value: &Value<'_>| -> Read<T> {
        let example = format!("or {{ primary = \"...\", standby = \"...\" }} where {key} names differ");
        values::id(value).map_err(|wrong: Wrong| match value.get_ref() {
            DeValue::String(_) => wrong,
            _ => Wrong { expected: wrong.expected, hint: wrong.hint.or(Some(example)) },
        })
    };
    let name = section.required(key, "\"...\"", both)?;
    Some(PerSide { primary: name.clone(), standby: name })
}

fn producers(section: &Section<'_>, regions: &RegionsRead) -> Vec<(Producer, Range<usize>)> {
    let Some(sections) = section.tables("producer", "[[pipeline.producer]]") else { return Vec::new() };
    if sections.is_empty() {
        let message = format!("{} has no [[pipeline.producer]]", section.label);
        let hint = "without a producer there is nothing to switch to the other Region";
        section.missing("producer", message, hint);
    }
    sections.iter().filter_map(|s| Some((producer(s, regions)?, s.place("function")))).collect()
}

fn producer(section: &Section<'_>, regions: &RegionsRead) -> Option<Producer> {
    let function = section.required("function", "\"...\"", values::id::<FunctionName>);
    let side = section.or("region", Side::Primary, |value| side(value, regions));
    let alias = section.optional("alias", names::alias);
    let region_variable = section.required("region_variable", "\"PRODUCING_TO_REGION\"", names::variable);
    let stream_variable = section.optional("stream_variable", names::variable);
    if let (Some(one), Some(Some(other))) = (&region_variable, &stream_variable)
        && one == other
    {
        let message = format!("`stream_variable` is `region_variable`, {one}: one variable cannot hold both");
        section.report(Finding::at(section.place("stream_variable"), message));
    }
    Some(Producer {
        function: function?,
        side: side?,
        alias: alias?,
        region_variable: region_variable?,
        stream_variable: stream_variable?,
    })
}

/// A role. A Region's own name is understood well enough to say which role it has.
fn side(value: &Value<'_>, regions: &RegionsRead) -> Read<Side> {
    let roles = [("primary", Side::Primary), ("standby", Side::Standby)];
    values::word(value, &roles).map_err(|wrong: Wrong| {
        let given = value.get_ref().as_str();
        let is = |region: &Option<crate::model::Region>| {
            region.as_ref().is_some_and(|r| given == Some(r.as_str()))
        };
        let role = match (is(&regions.primary), is(&regions.standby)) {
            (true, _) => Some("primary"),
            (_, true) => Some("standby"),
            _ => None,
        };
        wrong.hint(role.map(|role| format!("write \"{role}\": the roles of the Regions are in [regions]")))
    })
}

fn consumer(section: &Section<'_>, regions: &RegionsRead) -> Option<(Consumer, Range<usize>)> {
    let inner = section.table("consumer", "[pipeline.consumer]");
    if section.get("consumer").is_none() {
        let message = format!("{} has no [pipeline.consumer]", section.label);
        section.missing(
            "consumer",
            message,
            "it names the function that processes the stream: function = \"...\"",
        );
    }
    let inner = inner?;
    let function = both_sides::<FunctionName>(&inner, "function");
    let stream_consumer = inner.optional("stream_consumer", values::id::<StreamName>);
    let overrides = overrides(&inner, regions);
    let consumer = Consumer { function: function?, stream_consumer: stream_consumer?, overrides: overrides? };
    Some((consumer, inner.place("function")))
}

/// Ranges from the Lambda API reference, CreateEventSourceMapping.
fn overrides(section: &Section<'_>, regions: &RegionsRead) -> Option<MappingOverrides> {
    let batch_size = section.optional("batch_size", |v| values::whole(v, 1..=10_000));
    let window = section.optional("batching_window", |v| values::whole_seconds(v, 300));
    let factor = section.optional("parallelization_factor", |v| values::whole(v, 1..=10));
    let on_failure = section.optional("on_failure", |v| names::destination(v, regions.standby.as_ref()));
    Some(MappingOverrides {
        batch_size: batch_size?,
        batching_window_seconds: window?,
        parallelization_factor: factor?,
        on_failure: on_failure?,
    })
}

fn replicator(section: &Section<'_>, consumer: Option<&Consumer>) -> Option<(Replicator, Range<usize>)> {
    let inner = section.table("replicator", "[pipeline.replicator]")?;
    let function = inner.required("function", "\"...\"", values::id::<FunctionName>);
    let stream_consumer = inner.optional("stream_consumer", values::id::<StreamName>);
    if let Some(Some(name)) = &stream_consumer
        && consumer.and_then(|consumer| consumer.stream_consumer.as_ref()) == Some(name)
    {
        let message =
            format!("`stream_consumer` is the consumer's, {name}: two mappings cannot read through one");
        let hint = "each takes the subscription from the other: register one for each";
        inner.report(Finding::at(inner.place("stream_consumer"), message).hint(hint));
    }
    let replicator = Replicator { function: function?, stream_consumer: stream_consumer? };
    Some((replicator, inner.place("function")))
}

fn sink(section: &Section<'_>) -> Option<Sink> {
    let inner = section.table("sink", "[pipeline.sink]")?;
    let table = inner.required("table", "\"ticker-prices\"", names::table);
    let region_attribute = inner.required("region_attribute", "\"last_updated_region\"", names::attribute);
    Some(Sink { table: table?, region_attribute: region_attribute? })
}
