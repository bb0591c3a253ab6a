//! Turning a mapping on or off, which keeps its checkpoint, and deleting it, which drops it.

use super::Hand;
use super::lookup::the_one;
use super::send::{after_refusal, lambda_once};
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    AwsFailure, FailureKind, FunctionName, Mapping, MappingId, MappingSource, MappingState, Performed, Sent,
};

const UPDATE: &str = "lambda:UpdateEventSourceMapping";
const DELETE: &str = "lambda:DeleteEventSourceMapping";
/// Sends while Lambda answers that another operation is under way.
const MOST_SENDS: u32 = 2;

impl Hand<'_> {
    pub(super) async fn set_mapping_enabled(
        &self,
        function: &FunctionName,
        source: &MappingSource,
        enabled: bool,
    ) -> Result<Performed, AwsFailure> {
        let resource = format!("{source} -> {function}");
        let asked = Asked::mutation(UPDATE, &resource, &self.at.region);
        let found = self.find_mappings(function, source).await?;
        let Some(mut mapping) =
            the_one(found).map_err(|text| asked.failed(FailureKind::Refused, text, Sent::No))?
        else {
            let text = "there is no mapping of this function on this source";
            return Err(asked.failed(FailureKind::NotFound, text, Sent::No));
        };
        for send_number in 1.. {
            if is_already(&mapping.state, enabled) {
                return Ok(Performed::AlreadySo(format!("mapping {} is {}", mapping.id, mapping.state)));
            }
            mapping = self.at_rest(&asked, mapping).await?;
            if is_already(&mapping.state, enabled) {
                continue;
            }
            let request =
                self.at.lambda().update_event_source_mapping().uuid(mapping.id.as_str()).enabled(enabled);
            let send = || request.clone().customize().config_override(lambda_once()).send();
            match self.write(Family::LambdaControl, UPDATE, &resource, send).await {
                Ok(done) => {
                    let state = done.answer.state().unwrap_or("no state").to_owned();
                    return Ok(done.applied(format!("mapping {}, {state}", mapping.id)));
                }
                Err(failure) if is_busy(&failure) && send_number < MOST_SENDS => {
                    mapping = self.there(&asked, &mapping.id).await.map_err(after_refusal)?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(asked.failed(FailureKind::Conflict, "another operation is under way", Sent::Refused))
    }

    pub(super) async fn delete_mapping(
        &self,
        function: &FunctionName,
        source: &MappingSource,
    ) -> Result<Performed, AwsFailure> {
        let resource = format!("{source} -> {function}");
        let asked = Asked::mutation(DELETE, &resource, &self.at.region);
        let found = self.find_mappings(function, source).await?;
        let Some(mapping) =
            the_one(found).map_err(|text| asked.failed(FailureKind::Refused, text, Sent::No))?
        else {
            return Ok(Performed::AlreadySo("there is no such mapping, or it is being deleted".to_owned()));
        };
        let id = mapping.id;
        for send_number in 1.. {
            let now = self.settled_mapping(&asked, &id).await;
            match if send_number == 1 { now? } else { now.map_err(after_refusal)? } {
                Some(mapping) if mapping.state != MappingState::Deleting => {}
                _ => return Ok(gone(&id)),
            }
            let request = self.at.lambda().delete_event_source_mapping().uuid(id.as_str());
            let send = || request.clone().customize().config_override(lambda_once()).send();
            match self.write(Family::LambdaControl, DELETE, &resource, send).await {
                Ok(done) => {
                    let state = done.answer.state().unwrap_or("no state").to_owned();
                    return Ok(done.applied(format!("mapping {id}, {state}")));
                }
                Err(failure) if failure.kind == FailureKind::NotFound => return Ok(gone(&id)),
                Err(failure) if is_busy(&failure) && send_number < MOST_SENDS => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(asked.failed(FailureKind::Conflict, "another operation is under way", Sent::Refused))
    }

    /// The mapping when it is not on its way from one state to another.
    async fn at_rest(&self, asked: &Asked<'_>, mapping: Mapping) -> Result<Mapping, AwsFailure> {
        match mapping.state.is_in_transition() {
            true => self.there(asked, &mapping.id).await,
            false => Ok(mapping),
        }
    }

    async fn there(&self, asked: &Asked<'_>, id: &MappingId) -> Result<Mapping, AwsFailure> {
        let settled = self.settled_mapping(asked, id).await?;
        settled.ok_or_else(|| {
            asked.failed(FailureKind::NotFound, format!("mapping {id} was deleted meanwhile"), Sent::No)
        })
    }
}

fn gone(id: &MappingId) -> Performed {
    Performed::AlreadySo(format!("mapping {id} is gone"))
}

/// Whether the mapping is in the wanted state, or Lambda is bringing it there.
fn is_already(state: &MappingState, enabled: bool) -> bool {
    match enabled {
        true => matches!(state, MappingState::Enabled | MappingState::Enabling),
        false => matches!(state, MappingState::Disabled | MappingState::Disabling),
    }
}

/// Lambda was busy with the mapping and did nothing.
fn is_busy(failure: &AwsFailure) -> bool {
    failure.kind == FailureKind::Conflict && failure.sent == Sent::Refused
}
