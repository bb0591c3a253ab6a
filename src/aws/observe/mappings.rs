//! Mappings: one unfiltered list of the Region (100 a page), then `GetEventSourceMapping` for those that matter,
//! since the list gives null for encrypted filters.

use super::{Look, SideAnswers};
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::config::Pipeline;
use crate::model::{AwsFailure, FunctionName, Mapping, MappingState, Observed, PipelineName, Side};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// More pages than any account has mappings for; a marker that never ends must not keep us.
const MOST_PAGES: u32 = 200;

/// The consumer's mappings and the replicator's.
pub(super) type Both = (Observed<Vec<Mapping>>, Observed<Vec<Mapping>>);

impl Look<'_> {
    /// All mappings of a Region.
    async fn list(&self, clients: &Clients) -> Result<Vec<Mapping>, AwsFailure> {
        let asked =
            Asked { operation: "lambda:ListEventSourceMappings", resource: "all", region: &clients.region };
        let mut all = Vec::new();
        let mut marker = None;
        for page in 1..=MOST_PAGES {
            clients.control.turn().await;
            let call = clients.lambda.list_event_source_mappings().max_items(100).set_marker(marker.take());
            let output = self.ask(asked, page, call.send()).await?;
            all.extend(output.event_source_mappings().iter().filter_map(convert::listed_mapping));
            match output.next_marker().filter(|m| !m.is_empty()) {
                Some(next) => marker = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
        Err(asked.refused(format!("the list did not end within {MOST_PAGES} pages")))
    }

    /// The mappings of the selected pipelines' readers on a side, with their settings.
    pub(super) async fn mappings(&self, clients: &Clients, side: Side) -> BTreeMap<PipelineName, Both> {
        let all = match self.list(clients).await {
            Ok(all) => all,
            Err(failure) => {
                let unknown = || Observed::from(Err(failure.clone()));
                return self.pipelines().map(|p| (p.name.clone(), (unknown(), unknown()))).collect();
            }
        };
        let wanted = |mapping: &Mapping| self.pipelines().any(|p| is_of(p, side, mapping).is_some());
        let each =
            all.into_iter().filter(wanted).map(async |mapping| self.with_settings(clients, mapping).await);
        let all: Vec<Mapping> = join_all(each).await;
        self.pipelines()
            .map(|pipeline| {
                let of = |role: Role| {
                    all.iter().filter(|m| is_of(pipeline, side, m) == Some(role)).cloned().collect::<Vec<_>>()
                };
                let both = (Observed::Known(of(Role::Consumer)), Observed::Known(of(Role::Replicator)));
                (pipeline.name.clone(), both)
            })
            .collect()
    }

    async fn with_settings(&self, clients: &Clients, mapping: Mapping) -> Mapping {
        if mapping.state == MappingState::Deleting {
            return mapping;
        }
        clients.control.turn().await;
        let asked = Asked {
            operation: "lambda:GetEventSourceMapping",
            resource: mapping.id.as_str(),
            region: &clients.region,
        };
        let call = clients.lambda.get_event_source_mapping().uuid(mapping.id.as_str()).send();
        let settings = match self.ask(asked, 2, call).await {
            Ok(found) => convert::settings(&found),
            Err(failure) => Observed::from(Err(failure)),
        };
        Mapping { settings, ..mapping }
    }

    /// `PolledEventCount` of each reader's one mapping, by its UUID.
    pub(super) async fn polled(&self, clients: &Clients, answers: &mut SideAnswers) {
        let one = |mappings: &Observed<Vec<Mapping>>| match mappings.known().map(Vec::as_slice) {
            Some([mapping]) => Some(mapping.id.clone()),
            _ => None,
        };
        let ids: Vec<_> = answers
            .pipelines
            .values()
            .flat_map(|part| [one(&part.consumer_mappings), one(&part.replicator_mappings)])
            .flatten()
            .collect();
        let mut series = self.polled_series(clients, &ids).await;
        for part in answers.pipelines.values_mut() {
            let (consumer, replicator) = (one(&part.consumer_mappings), one(&part.replicator_mappings));
            if let Some(found) = consumer.and_then(|id| series.remove(&id)) {
                part.metrics.consumer.polled_events = found;
            }
            if let Some(found) = replicator.and_then(|id| series.remove(&id)) {
                part.metrics.replicator.polled_events = found;
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Consumer,
    Replicator,
}

/// Which of a pipeline's readers a mapping belongs to: same function, same stream, directly or by fan-out.
fn is_of(pipeline: &Pipeline, side: Side, mapping: &Mapping) -> Option<Role> {
    if mapping.source.stream() != Some(pipeline.stream.of(side).as_str()) {
        return None;
    }
    let is = |function: &FunctionName| mapping.function == *function;
    match &pipeline.replicator {
        _ if is(pipeline.consumer.function.of(side)) => Some(Role::Consumer),
        Some(replicator) if side == Side::Primary && is(&replicator.function) => Some(Role::Replicator),
        _ => None,
    }
}
