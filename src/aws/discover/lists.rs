//! Lists of a Region, each read to its end. One page that fails makes the whole list unknown: a part of it would
//! hide something.

use crate::aws::clients::RegionClients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, Environment, FailureKind, FunctionName, Mapping, Sent, StreamName};
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionConfiguration};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MAPPINGS: &str = "lambda:ListEventSourceMappings";
pub(super) const FUNCTIONS: &str = "lambda:ListFunctions";
pub(super) const ALIASES: &str = "lambda:ListAliases";
pub(super) const STREAMS: &str = "kinesis:ListStreams";
pub(super) const TABLES: &str = "dynamodb:ListTables";

const ALL: &str = "all of them";
/// More pages than any account fills; a server that never ends is stopped here.
const MOST_PAGES: usize = 1_000;

/// Tells the end of a list from one that does not move on.
fn next_page(
    at: &RegionClients,
    operation: &'static str,
    before: Option<&String>,
    next: Option<String>,
    page: usize,
) -> Result<Option<String>, AwsFailure> {
    match next.filter(|next| !next.is_empty()) {
        Some(next) if before == Some(&next) || page == MOST_PAGES => {
            Err(unreadable(at, operation, "the list does not end"))
        }
        next => Ok(next),
    }
}

fn unreadable(at: &RegionClients, operation: &'static str, text: impl Into<String>) -> AwsFailure {
    Asked::read(operation, ALL, &at.region).failed(FailureKind::Unreadable, text, Sent::No)
}

/// Every mapping on a Kinesis stream, whatever its state.
pub(super) async fn mappings(at: &RegionClients) -> Result<Vec<Mapping>, AwsFailure> {
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    for page in 1.. {
        let request = at.lambda().list_event_source_mappings().max_items(100).set_marker(marker.clone());
        let answer = at.read(Family::LambdaControl, MAPPINGS, ALL, request.send()).await?;
        for listed in answer.event_source_mappings().iter().filter(|listed| is_kinesis(listed)) {
            found.push(convert::mapping(listed).map_err(|text| unreadable(at, MAPPINGS, text))?);
        }
        marker = next_page(at, MAPPINGS, marker.as_ref(), answer.next_marker, page)?;
        if marker.is_none() {
            break;
        }
    }
    Ok(found)
}

fn is_kinesis(listed: &EventSourceMappingConfiguration) -> bool {
    listed.event_source_arn.as_deref().is_some_and(|arn| arn.split(':').nth(2) == Some("kinesis"))
}

/// Every function with the environment of its `$LATEST`.
pub(super) async fn functions(at: &RegionClients) -> Result<BTreeMap<FunctionName, Environment>, AwsFailure> {
    let (mut found, mut marker) = (BTreeMap::new(), None::<String>);
    for page in 1.. {
        let request = at.lambda().list_functions().max_items(50).set_marker(marker.clone());
        let answer = at.read(Family::LambdaControl, FUNCTIONS, ALL, request.send()).await?;
        for listed in answer.functions() {
            let (name, environment) = function(listed).map_err(|text| unreadable(at, FUNCTIONS, text))?;
            found.insert(name, environment);
        }
        marker = next_page(at, FUNCTIONS, marker.as_ref(), answer.next_marker, page)?;
        if marker.is_none() {
            break;
        }
    }
    Ok(found)
}

fn function(listed: &FunctionConfiguration) -> Result<(FunctionName, Environment), String> {
    let name = listed.function_name.as_deref().ok_or("a function without FunctionName was listed")?;
    let name = name.parse().map_err(|error| format!("{error}"))?;
    Ok((name, convert::environment(listed.environment.as_ref())))
}

/// Every stream. Its quota is that of the tag calls, 5 a second (API reference, ListStreams), and so is its lane.
pub(super) async fn streams(at: &RegionClients) -> Result<BTreeSet<StreamName>, AwsFailure> {
    let (mut found, mut after) = (BTreeSet::new(), None::<String>);
    for page in 1.. {
        let request = at.kinesis().list_streams().limit(100).set_exclusive_start_stream_name(after.clone());
        let answer = at.read(Family::StreamTags, STREAMS, ALL, request.send()).await?;
        let last = answer.stream_names.last().cloned();
        for name in answer.stream_names {
            found.insert(name.parse().map_err(|error| unreadable(at, STREAMS, format!("{error}")))?);
        }
        after = next_page(at, STREAMS, after.as_ref(), last.filter(|_| answer.has_more_streams), page)?;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Every table.
pub(super) async fn tables(at: &RegionClients) -> Result<BTreeSet<String>, AwsFailure> {
    let (mut found, mut after) = (BTreeSet::new(), None::<String>);
    for page in 1.. {
        let request = at.dynamodb().list_tables().limit(100).set_exclusive_start_table_name(after.clone());
        let answer = at.read(Family::Roomy, TABLES, ALL, request.send()).await?;
        found.extend(answer.table_names.unwrap_or_default());
        after = next_page(at, TABLES, after.as_ref(), answer.last_evaluated_table_name, page)?;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// The aliases of a function.
pub(super) async fn aliases(at: &RegionClients, function: &FunctionName) -> Result<Vec<String>, AwsFailure> {
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    for page in 1.. {
        let request = at.lambda().list_aliases().function_name(function.as_str()).set_marker(marker.clone());
        let answer = at.read(Family::LambdaControl, ALIASES, function.as_str(), request.send()).await?;
        found.extend(answer.aliases.into_iter().flatten().filter_map(|alias| alias.name));
        marker = next_page(at, ALIASES, marker.as_ref(), answer.next_marker, page)?;
        if marker.is_none() {
            break;
        }
    }
    Ok(found)
}
