//! What contradicts what between pipelines: a name, a producer or a mapping that two of them claim.

use super::pipeline::Draft;
use super::problem::Finding;
use super::section::Section;
use super::topology::{PerSide, Producer};
use crate::model::{FunctionName, PipelineName, Side, StreamName};
use std::ops::Range;

/// Reports every contradiction. What could not be read is left out: it was reported before.
pub(super) fn check(drafts: &[Draft<'_>], file: &Section<'_>) {
    let found = names(drafts).chain(streams(drafts)).chain(producers(drafts)).chain(readers(drafts));
    found.for_each(|finding| file.report(finding));
}

/// Every pair of an item with an earlier one that it clashes with; the later one is at fault.
fn clashes<'a, T>(items: &'a [T], clash: impl Fn(&T, &T) -> bool) -> Vec<(&'a T, &'a T)> {
    let earlier = |(at, later): (usize, &'a T)| {
        items[..at].iter().find(|earlier| clash(earlier, later)).map(|earlier| (earlier, later))
    };
    items.iter().enumerate().filter_map(earlier).collect()
}

fn names<'a>(drafts: &'a [Draft<'_>]) -> impl Iterator<Item = Finding> {
    let named: Vec<(&'a PipelineName, Range<usize>)> =
        drafts.iter().filter_map(|d| Some((d.name.as_ref()?, d.section.place("name")))).collect();
    let found: Vec<Finding> = clashes(&named, |a, b| a.0 == b.0)
        .into_iter()
        .map(|(_, (name, place))| Finding::at(place.clone(), format!("two pipelines are named `{name}`")))
        .collect();
    found.into_iter()
}

/// The run mark is on the standby's stream, with one position, and the primary's tells how far one consumer has come: two
/// pipelines on a stream would go by each other's.
fn streams(drafts: &[Draft<'_>]) -> impl Iterator<Item = Finding> {
    let on: Vec<_> =
        drafts.iter().filter_map(|d| Some((d, d.stream.as_ref()?, d.section.place("stream")))).collect();
    let shared = |a: &PerSide<StreamName>, b: &PerSide<StreamName>| {
        [Side::Primary, Side::Standby].into_iter().find(|side| a.of(*side) == b.of(*side))
    };
    let found: Vec<Finding> = clashes(&on, |a, b| shared(a.1, b.1).is_some())
        .into_iter()
        .filter_map(|(earlier, (_, streams, place))| {
            let side = shared(earlier.1, streams)?;
            let stream = streams.of(side);
            let message =
                format!("`{stream}` in the {side} Region is the stream of {} already", title(earlier.0));
            let hint = "a stream belongs to one pipeline, whose run mark it carries";
            Some(Finding::at(place.clone(), message).hint(hint))
        })
        .collect();
    found.into_iter()
}

/// A producer with its pipeline (by number, since a name may be wrong).
struct Writer<'a> {
    pipeline: usize,
    name: String,
    producer: &'a Producer,
    place: &'a Range<usize>,
}

fn producers(drafts: &[Draft<'_>]) -> impl Iterator<Item = Finding> {
    let mut all = Vec::new();
    for (pipeline, draft) in drafts.iter().enumerate() {
        for (producer, place) in &draft.producers {
            all.push(Writer { pipeline, name: title(draft), producer, place });
        }
    }
    let same_function = |a: &Writer<'_>, b: &Writer<'_>| {
        a.producer.function == b.producer.function && a.producer.side == b.producer.side
    };
    // One function may write to two streams by two sets of variables, but a variable moves with one pipeline only.
    let clash = |a: &Writer<'_>, b: &Writer<'_>| {
        same_function(a, b) && (a.pipeline == b.pipeline || share_a_variable(a.producer, b.producer))
    };
    let found: Vec<Finding> = clashes(&all, clash)
        .into_iter()
        .map(|(earlier, later)| {
            let function = &later.producer.function;
            let side = later.producer.side;
            match earlier.pipeline == later.pipeline {
                true => Finding::at(
                    later.place.clone(),
                    format!("`{function}` in the {side} Region is a producer of {} twice", later.name),
                ),
                false => Finding::at(
                    later.place.clone(),
                    format!("`{function}` in the {side} Region is a producer of {} already", earlier.name),
                )
                .hint("a switch of one pipeline would move the other as well: it has the same variable"),
            }
        })
        .collect();
    found.into_iter()
}

fn share_a_variable(a: &Producer, b: &Producer) -> bool {
    let variables = |p: &Producer| [Some(p.region_variable.clone()), p.stream_variable.clone()];
    let theirs = variables(b);
    variables(a).into_iter().flatten().any(|mine| theirs.contains(&Some(mine)))
}

/// A function that a mapping invokes with records of a stream.
struct Reader<'a> {
    role: &'static str,
    name: String,
    side: Side,
    function: &'a FunctionName,
    stream: &'a StreamName,
    place: &'a Range<usize>,
}

/// A mapping is found by its function and its stream, so no two may have both in common.
fn readers(drafts: &[Draft<'_>]) -> impl Iterator<Item = Finding> {
    let mut all = Vec::new();
    for draft in drafts {
        let Some(stream) = &draft.stream else { continue };
        let reader = |role, side, function, place| Reader {
            role,
            name: title(draft),
            side,
            function,
            stream: stream.of(side),
            place,
        };
        if let Some((consumer, place)) = &draft.consumer {
            all.push(reader("consumer", Side::Primary, &consumer.function.primary, place));
            all.push(reader("consumer", Side::Standby, &consumer.function.standby, place));
        }
        if let Some((replicator, place)) = &draft.replicator {
            all.push(reader("replicator", Side::Primary, &replicator.function, place));
        }
    }
    let clash =
        |a: &Reader<'_>, b: &Reader<'_>| (a.side, a.function, a.stream) == (b.side, b.function, b.stream);
    let mut found: Vec<Finding> = Vec::new();
    for (earlier, later) in clashes(&all, clash) {
        let message = format!(
            "`{}` reads `{}` as the {} of {} already",
            later.function, later.stream, earlier.role, earlier.name
        );
        // A consumer that clashes does so on both sides; once is enough.
        if !found.iter().any(|f| f.span.as_ref() == Some(later.place)) {
            let hint = "one function has one mapping to a stream, and one pipeline to command it";
            found.push(Finding::at(later.place.clone(), message).hint(hint));
        }
    }
    found.into_iter()
}

/// What a message calls a pipeline.
fn title(draft: &Draft<'_>) -> String {
    draft.name.as_ref().map_or_else(|| "another pipeline".to_owned(), |name| format!("pipeline `{name}`"))
}
