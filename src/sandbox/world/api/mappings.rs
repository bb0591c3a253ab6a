//! Lambda: event source mappings.

use super::super::create::NewMapping;
use super::super::functions::FunctionId;
use super::super::mappings::{Extras, Polling, Source, StartingPosition, State, Tuning};
use super::super::streams::Status;
use super::lambda::{NamedFunction, invalid_value};
use super::mapping_answers::settings;
use super::{At, Input, World, lambda_error, put};
use crate::model::Arn;
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Map, Value};

/// Mappings of a page, even if more are asked for.
const PAGE: usize = 100;

impl World {
    pub(super) fn create_mapping_call(&mut self, at: At, input: Input) -> ApiResult {
        let starting = self.starting_position(input)?;
        let (function, qualifier) = self.mapped_function(at, input)?;
        let source = self.source_of(at, input)?;
        let (tuning, extras) = settings(input, (Tuning::default(), Extras::default()))?;
        self.refuse_duplicate(function, qualifier.as_deref(), &source)?;
        let extras = Extras { tags: input.strings("Tags"), ..extras };
        let arn = &self.functions[function.0].arn;
        let new = NewMapping {
            place: at.place,
            function,
            function_arn: qualifier.as_ref().map_or_else(|| arn.clone(), |q| format!("{arn}:{q}")),
            qualifier,
            source,
            starting,
            tuning,
            extras,
            enabled: input.flag("Enabled").unwrap_or(true),
        };
        let index = self.create_mapping(new);
        Ok(ApiReply { status: 202, output: self.describe_mapping(&self.mappings[index]) })
    }

    fn starting_position(&self, input: Input) -> Result<StartingPosition, ApiError> {
        match input.text("StartingPosition") {
            Some("TRIM_HORIZON") => Ok(StartingPosition::TrimHorizon),
            Some("LATEST") => Ok(StartingPosition::Latest),
            Some("AT_TIMESTAMP") => match input.time("StartingPositionTimestamp") {
                None => Err(invalid_value("StartingPositionTimestamp must be specified for AT_TIMESTAMP")),
                Some(when) if when > self.now => {
                    Err(invalid_value("StartingPositionTimestamp cannot be in the future"))
                }
                Some(when) => Ok(StartingPosition::AtTimestamp(when)),
            },
            Some(other) => {
                Err(invalid_value(format!("{other} is not a starting position of a Kinesis stream.")))
            }
            None => Err(invalid_value(
                "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member \
                 must not be null.",
            )),
        }
    }

    fn mapped_function(&self, at: At, input: Input) -> Result<(FunctionId, Option<String>), ApiError> {
        let named = NamedFunction::read(input.text("FunctionName").unwrap_or_default());
        match self.function_named(at, &named, named.qualifier.as_deref()) {
            Ok(id) => Ok((id, named.qualifier)),
            Err(error) if error.message.contains("not reachable") => Err(error),
            Err(_) => Err(invalid_value("Function does not exist")),
        }
    }

    fn source_of(&self, at: At, input: Input) -> Result<Source, ApiError> {
        let text = input.text("EventSourceArn").unwrap_or_default();
        let not_found = || invalid_value(format!("Stream not found: {text}"));
        let (arn, place) = (Arn::new(text), &self.places[at.place.0]);
        if arn.region() != place.region.as_str() || arn.account() != place.account.as_str() {
            return Err(not_found());
        }
        let name = arn.stream().ok_or_else(not_found)?;
        let stream = *place.streams.get(name).ok_or_else(not_found)?;
        let there = &self.streams[stream.0];
        if there.status == Status::Deleting {
            return Err(not_found());
        }
        let consumer = match arn.stream_consumer() {
            None => None,
            Some(_) => Some(there.consumer_by_arn(text).ok_or_else(not_found)?),
        };
        Ok(Source { stream, arn: text.to_owned(), consumer })
    }

    fn refuse_duplicate(
        &self,
        function: FunctionId,
        qualifier: Option<&str>,
        source: &Source,
    ) -> Result<(), ApiError> {
        let same = self.mappings.iter().find(|m| {
            !m.gone
                && m.function == function
                && m.qualifier.as_deref() == qualifier
                && m.source.arn == source.arn
        });
        let Some(same) = same else { return Ok(()) };
        let function = &self.functions[function.0].name;
        let name = qualifier.map_or_else(|| function.clone(), |q| format!("{function}:{q}"));
        Err(lambda_error(
            409,
            "ResourceConflictException",
            format!(
                "The event source arn (\" {} \") and function (\" {name} \") provided mapping already exists. Please \
                 update or delete the existing mapping with UUID {}",
                source.arn, same.uuid
            ),
        ))
    }

    fn mapping_of(&self, at: At, input: Input) -> Result<usize, ApiError> {
        let uuid = input.text("UUID").unwrap_or_default();
        let there = self.mappings.iter().position(|m| !m.gone && m.place == at.place && m.uuid == uuid);
        there.ok_or_else(|| {
            lambda_error(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        })
    }

    pub(super) fn get_mapping(&mut self, at: At, input: Input) -> ApiResult {
        let index = self.mapping_of(at, input)?;
        Ok(ApiReply::ok(self.describe_mapping(&self.mappings[index])))
    }

    pub(super) fn list_mappings(&mut self, at: At, input: Input) -> ApiResult {
        let wanted = input.text("FunctionName").map(NamedFunction::read);
        if let Some(named) = &wanted {
            self.refuse_unreachable(at, named)?;
        }
        let source = input.text("EventSourceArn");
        let matching: Vec<Value> = self
            .mappings
            .iter()
            .filter(|m| !m.gone && m.place == at.place)
            .filter(|m| source.is_none_or(|arn| m.source.arn == arn))
            .filter(|m| {
                wanted.as_ref().is_none_or(|named| self.is_for(m.function, m.qualifier.as_deref(), named))
            })
            .map(|m| listed(self.describe_mapping(m)))
            .collect();
        let skip: usize = input.text("Marker").and_then(|m| m.parse().ok()).unwrap_or_default();
        let most = input.count("MaxItems").map_or(PAGE, |n| (n as usize).clamp(1, PAGE));
        let mut output = Map::new();
        put(&mut output, "NextMarker", (matching.len() > skip + most).then(|| (skip + most).to_string()));
        let page: Vec<Value> = matching.into_iter().skip(skip).take(most).collect();
        put(&mut output, "EventSourceMappings", Some(page));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn refuse_unreachable(&self, at: At, named: &NamedFunction) -> Result<(), ApiError> {
        match self.function_named(at, named, None) {
            Err(error) if error.message.contains("not reachable") => Err(error),
            _ => Ok(()),
        }
    }

    /// By an unqualified name, mappings of aliases and versions are listed, too.
    fn is_for(&self, function: FunctionId, qualifier: Option<&str>, named: &NamedFunction) -> bool {
        self.functions[function.0].name == named.name
            && named.qualifier.as_deref().is_none_or(|wanted| qualifier == Some(wanted))
    }

    pub(super) fn update_mapping(&mut self, at: At, input: Input) -> ApiResult {
        let index = self.mapping_of(at, input)?;
        self.refuse_in_transition(index, "update")?;
        let renamed = match input.get("FunctionName") {
            Some(_) => Some(self.mapped_function(at, input)?),
            None => None,
        };
        let mapping = &self.mappings[index];
        let base = (mapping.tuning, mapping.extras.clone());
        let (tuning, extras) = settings(input, base)?;
        let changed = renamed.is_some() || tuning != mapping.tuning || extras != mapping.extras;
        let on = mapping.state == State::Enabled;
        let wanted = input.flag("Enabled").unwrap_or(on);
        let (state, target) = match (on, wanted) {
            (false, true) => (State::Enabling, State::Enabled),
            (true, false) => (State::Disabling, State::Disabled),
            (true, true) => (State::Updating, State::Enabled),
            (false, false) => (State::Updating, State::Disabled),
        };
        let until = self.now + self.delays.mapping.draw(&mut self.rng);
        let now = self.now;
        let mapping = &mut self.mappings[index];
        (mapping.tuning, mapping.extras) = (tuning, extras);
        if let Some((function, qualifier)) = renamed {
            let arn = &self.functions[function.0].arn;
            mapping.function_arn = qualifier.as_ref().map_or_else(|| arn.clone(), |q| format!("{arn}:{q}"));
            (mapping.function, mapping.qualifier) = (function, qualifier);
        }
        mapping.modified = now;
        if on != wanted || changed {
            mapping.state = state;
            mapping.transition = Some((until, Some(target)));
            self.due(until);
        }
        Ok(ApiReply { status: 202, output: self.describe_mapping(&self.mappings[index]) })
    }

    fn refuse_in_transition(&self, index: usize, verb: &str) -> Result<(), ApiError> {
        match self.mappings[index].is_in_transition() {
            false => Ok(()),
            true => Err(lambda_error(
                400,
                "ResourceInUseException",
                format!("Cannot {verb} the event source mapping because it is in use."),
            )),
        }
    }

    pub(super) fn delete_mapping(&mut self, at: At, input: Input) -> ApiResult {
        let index = self.mapping_of(at, input)?;
        self.refuse_in_transition(index, "delete")?;
        let until = self.now + self.delays.mapping.draw(&mut self.rng);
        let stops = self.now + (until - self.now) / 2;
        let mapping = &mut self.mappings[index];
        mapping.state = State::Deleting;
        mapping.modified = self.now;
        mapping.transition = Some((until, None));
        mapping.polling = match mapping.polling {
            Polling::On | Polling::StopsAt(_) => Polling::StopsAt(stops),
            Polling::Off | Polling::StartsAt(_) => Polling::Off,
        };
        self.due(stops);
        Ok(ApiReply { status: 202, output: self.describe_mapping(&self.mappings[index]) })
    }
}

/// What List shows: filters that are encrypted only come from Get (Lambda API reference, FilterCriteria).
fn listed(mut mapping: Value) -> Value {
    if mapping.get("KMSKeyArn").is_some()
        && let Some(members) = mapping.as_object_mut()
    {
        members.remove("FilterCriteria");
    }
    mapping
}
