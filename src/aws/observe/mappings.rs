//! Event source mappings: all of the Region's, a hundred a page, because one filtered call for each pipeline
//! would eat the control plane's quota; then the settings of those that matter.

use super::look::{Look, Read};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    AwsFailure, FailureKind, FunctionName, Mapping, MappingId, MappingSettings, Observed, Sent, StreamName,
    Timestamp,
};
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Key of settings that were read before: the mapping and its last change.
pub(in crate::aws) type SettingsKey = (String, Timestamp);

const LIST: &str = "lambda:ListEventSourceMappings";
const GET: &str = "lambda:GetEventSourceMapping";
/// AWS gives at most 100 mappings a page whatever is asked (Lambda API reference).
const PAGE: i32 = 100;
/// More pages than any account's quota of mappings fills; a server that never ends is stopped here.
const MOST_PAGES: u32 = 500;
/// Up to this many mappings of a Region are each read with `GetEventSourceMapping`. A larger fleet reads those
/// alone whose filter List did not show, since each read takes a tenth of a second of the quota.
const READ_ALL: usize = 24;

/// The functions and streams whose mappings matter.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// Functions that read.
    pub(super) functions: BTreeSet<FunctionName>,
    /// Streams that are read.
    pub(super) streams: BTreeSet<StreamName>,
}

impl Readers {
    /// The most `GetEventSourceMapping` calls that a usual look makes: a mapping for each function.
    pub(super) fn reads(&self) -> usize {
        self.functions.len().min(READ_ALL)
    }

    /// Whether it reads one of the streams, with whatever function: every reader matters to a drain.
    fn concerns(&self, mapping: &Mapping) -> bool {
        mapping.source.stream().is_some_and(|name| self.streams.iter().any(|s| s.as_str() == name))
    }

    /// Whether it is one of the functions, whatever it reads: its metrics are of all its sources.
    fn is_of_ours(&self, mapping: &Mapping) -> bool {
        self.functions.contains(&mapping.function)
    }
}

/// A relevant mapping and whether its filter may be missing from the list.
#[derive(Debug)]
pub(super) struct Listed {
    mapping: Mapping,
    is_encrypted: bool,
    /// Whether one of our functions reads one of our streams: the settings of others are not asked for.
    is_ours: bool,
}

impl Listed {
    /// The mapping's id.
    pub(super) fn id(&self) -> &MappingId {
        &self.mapping.id
    }
    /// Whether the mapping emits `PolledEventCount`.
    pub(super) fn counts_events(&self) -> bool {
        self.is_ours && self.mapping.settings.known().is_some_and(|settings| settings.count_events)
    }
}

/// Every mapping of the readers, from all pages. One page that fails makes the whole list unknown: a part of
/// it would hide mappings. Also says how many calls it took one after the other.
pub(super) async fn list(look: &Look<'_>, readers: &Readers) -> (Result<Vec<Listed>, AwsFailure>, u32) {
    let (mut found, mut marker, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        pages += 1;
        let request =
            look.at.lambda().list_event_source_mappings().max_items(PAGE).set_marker(marker.clone());
        let page = match look
            .ask(Read::needed(pages, Family::LambdaControl, LIST, "all mappings"), request.send())
            .await
        {
            Ok(page) => page,
            Err(failure) => return (Err(failure), pages),
        };
        if let Err(text) = keep(page.event_source_mappings(), readers, &mut found) {
            return (Err(unreadable(look, LIST, text)), pages);
        }
        let next = page.next_marker.filter(|next| !next.is_empty());
        if next.is_none() {
            return (Ok(found), pages);
        }
        if next == marker || pages == MOST_PAGES {
            return (Err(unreadable(look, LIST, "the list does not end".to_owned())), pages);
        }
        marker = next;
    }
}

fn keep(
    page: &[EventSourceMappingConfiguration],
    readers: &Readers,
    found: &mut Vec<Listed>,
) -> Result<(), String> {
    // Mappings without a source ARN are self-managed Kafka's.
    for listed in page.iter().filter(|listed| listed.event_source_arn.is_some()) {
        let mapping = match convert::mapping(listed) {
            Ok(mapping) => mapping,
            Err(text) if is_kinesis(listed) => return Err(text),
            Err(_) => continue,
        };
        // A table's stream or a queue counts where it invokes one of our functions, whose metrics are of both.
        let (concerns, is_of_ours) = (readers.concerns(&mapping), readers.is_of_ours(&mapping));
        if concerns || is_of_ours {
            let is_encrypted = listed.kms_key_arn.is_some() || listed.filter_criteria_error.is_some();
            let is_ours = concerns && is_of_ours;
            found.push(Listed { mapping, is_encrypted, is_ours });
        }
    }
    Ok(())
}

fn is_kinesis(listed: &EventSourceMappingConfiguration) -> bool {
    listed.event_source_arn.as_deref().is_some_and(|arn| arn.split(':').nth(2) == Some("kinesis"))
}

fn unreadable(look: &Look<'_>, operation: &'static str, text: String) -> AwsFailure {
    Asked::read(operation, "all mappings", &look.at.region).failed(FailureKind::Unreadable, text, Sent::No)
}

/// The mappings with settings from `GetEventSourceMapping`, since List gives null for encrypted filters.
/// Settings that were read before and have not changed since are not read again.
pub(super) async fn with_settings(
    look: &Look<'_>,
    listed: Vec<Listed>,
    depth: u32,
    known: &Mutex<BTreeMap<SettingsKey, MappingSettings>>,
) -> Vec<Mapping> {
    let read_all = listed.iter().filter(|listed| listed.is_ours).count() <= READ_ALL;
    let one = |mut listed: Listed| async move {
        if listed.is_ours && (read_all || listed.is_encrypted) {
            listed.mapping.settings = settings(look, &listed.mapping, depth, known).await;
        }
        listed.mapping
    };
    join_all(listed.into_iter().map(one)).await
}

async fn settings(
    look: &Look<'_>,
    mapping: &Mapping,
    depth: u32,
    known: &Mutex<BTreeMap<SettingsKey, MappingSettings>>,
) -> Observed<MappingSettings> {
    let key = mapping.last_modified.map(|at| (mapping.id.to_string(), at));
    let read_before = || known.lock().unwrap_or_else(PoisonError::into_inner).get(key.as_ref()?).cloned();
    if let Some(settings) = read_before() {
        return Observed::Known(settings);
    }
    let request = look.at.lambda().get_event_source_mapping().uuid(mapping.id.as_str());
    let got =
        look.ask(Read::needed(depth, Family::LambdaControl, GET, mapping.id.as_str()), request.send()).await;
    let settings = match got {
        Ok(got) => convert::settings(&convert::as_listed(&got)),
        Err(failure) => return Observed::from(Err(failure)),
    };
    if let (Some(key), Observed::Known(settings)) = (key, &settings) {
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, settings.clone());
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_invokes_one_of_our_functions_is_kept_and_nothing_else() {
        let listed = |source: &str, function: &str| {
            EventSourceMappingConfiguration::builder()
                .uuid("c7a0e4a4-0001")
                .function_arn(format!("arn:aws:lambda:us-west-2:123456789012:function:{function}"))
                .event_source_arn(format!("arn:aws:{source}"))
                .state("Enabled")
                .build()
        };
        let ours = "kinesis:us-west-2:123456789012:stream/S";
        let table = "dynamodb:us-west-2:123456789012:table/T/stream/L";
        let page = [listed(ours, "F"), listed(ours, "G"), listed(table, "F"), listed(table, "G")];
        let readers = Readers {
            functions: BTreeSet::from(["F".parse().expect("a name")]),
            streams: BTreeSet::from(["S".parse().expect("a name")]),
        };
        let mut found = Vec::new();
        keep(&page, &readers, &mut found).expect("readable");
        let kept =
            found.iter().map(|one| (one.mapping.source.source_name(), one.mapping.function.to_string()));
        let kept: Vec<(String, String)> = kept.collect();
        let pair = |source: &str, function: &str| (source.to_owned(), function.to_owned());
        assert_eq!(kept, [pair("S", "F"), pair("S", "G"), pair("T (dynamodb)", "F")]);
        // What is no stream's and cannot be read hides nothing of ours.
        let odd =
            EventSourceMappingConfiguration::builder().event_source_arn(format!("arn:aws:{table}")).build();
        keep(&[odd], &readers, &mut found).expect("left out");
        let odd =
            EventSourceMappingConfiguration::builder().event_source_arn(format!("arn:aws:{ours}")).build();
        assert!(keep(&[odd], &readers, &mut found).is_err());
    }
}
