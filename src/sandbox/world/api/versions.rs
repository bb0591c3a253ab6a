//! Lambda: published versions and aliases.

use super::super::functions::{Alias, FunctionId, Version};
use super::lambda::{refuse_if_busy, refuse_if_stale};
use super::{At, Input, World, lambda_error, put};
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

impl World {
    pub(super) fn publish_version(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        refuse_if_busy(function)?;
        refuse_if_stale(input, &function.revision)?;
        let description = input.text("Description").map(str::to_owned);
        let number = self.publish(id, description);
        let output = self.functions[id.0].describe(Some(&number.to_string()));
        Ok(ApiReply { status: 201, output })
    }

    /// Publishes $LATEST, unless the newest version is the same; says the version's number. $LATEST gets a new
    /// revision with it.
    pub(super) fn publish(&mut self, id: FunctionId, description: Option<String>) -> u32 {
        let (revision, latest, now) = (self.uuid(), self.uuid(), self.now);
        let function = &mut self.functions[id.0];
        if let Some(newest) = function.versions.last()
            && *newest.configuration == *function.latest
        {
            return newest.number;
        }
        let number = function.versions.last().map_or(1, |v| v.number + 1);
        function.versions.push(Version {
            number,
            configuration: Arc::clone(&function.latest),
            revision,
            published: now,
            description,
        });
        function.revision = latest;
        number
    }

    pub(super) fn list_versions(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        let mut versions = vec![function.describe(None)];
        versions[0]["FunctionArn"] = json!(format!("{}:$LATEST", function.arn));
        versions.extend(function.versions.iter().map(|v| Value::Object(function.describe_version(v))));
        Ok(page(input, versions, "Versions"))
    }

    pub(super) fn create_alias(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let name = input.text("Name").unwrap_or_default();
        let version = input.text("FunctionVersion").unwrap_or_default();
        self.version_of(id, version)?;
        let revision = self.uuid();
        let function = &mut self.functions[id.0];
        if function.aliases.contains_key(name) {
            let text = format!("Alias already exists: {}:{name}", function.arn);
            return Err(lambda_error(409, "ResourceConflictException", text));
        }
        let alias = Alias {
            version: version.to_owned(),
            description: input.text("Description").unwrap_or_default().to_owned(),
            revision,
            weights: weights(input).unwrap_or_default(),
        };
        let output = function.describe_alias(name, &alias);
        function.aliases.insert(name.to_owned(), alias);
        Ok(ApiReply { status: 201, output })
    }

    fn version_of(&self, id: FunctionId, version: &str) -> Result<(), ApiError> {
        let function = &self.functions[id.0];
        let there = version == "$LATEST" || function.versions.iter().any(|v| v.number.to_string() == version);
        match there {
            true => Ok(()),
            false => {
                let text = format!("Function not found: {}:{version}", function.arn);
                Err(lambda_error(404, "ResourceNotFoundException", text))
            }
        }
    }

    fn alias_of(&self, at: At, input: Input) -> Result<(FunctionId, Alias), ApiError> {
        let (id, _) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        let name = input.text("Name").unwrap_or_default();
        function.aliases.get(name).map(|alias| (id, alias.clone())).ok_or_else(|| {
            let text = format!("Cannot find alias arn: {}:{name}", function.arn);
            lambda_error(404, "ResourceNotFoundException", text)
        })
    }

    pub(super) fn get_alias(&mut self, at: At, input: Input) -> ApiResult {
        let (id, alias) = self.alias_of(at, input)?;
        let name = input.text("Name").unwrap_or_default();
        Ok(ApiReply::ok(self.functions[id.0].describe_alias(name, &alias)))
    }

    pub(super) fn update_alias(&mut self, at: At, input: Input) -> ApiResult {
        let (id, mut alias) = self.alias_of(at, input)?;
        refuse_if_stale(input, &alias.revision)?;
        if let Some(version) = input.text("FunctionVersion") {
            self.version_of(id, version)?;
            version.clone_into(&mut alias.version);
        }
        if let Some(description) = input.text("Description") {
            description.clone_into(&mut alias.description);
        }
        alias.weights = weights(input).unwrap_or(alias.weights);
        alias.revision = self.uuid();
        let name = input.text("Name").unwrap_or_default();
        let function = &mut self.functions[id.0];
        let output = function.describe_alias(name, &alias);
        function.aliases.insert(name.to_owned(), alias);
        Ok(ApiReply::ok(output))
    }

    pub(super) fn delete_alias(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        self.functions[id.0].aliases.remove(input.text("Name").unwrap_or_default());
        Ok(ApiReply { status: 204, output: json!({}) })
    }

    pub(super) fn list_aliases(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        let wanted = input.text("FunctionVersion");
        let aliases = function
            .aliases
            .iter()
            .filter(|(_, alias)| wanted.is_none_or(|version| alias.version == version))
            .map(|(name, alias)| function.describe_alias(name, alias))
            .collect();
        Ok(page(input, aliases, "Aliases"))
    }
}

fn weights(input: Input) -> Option<BTreeMap<String, f64>> {
    input.get("RoutingConfig")?;
    let weights = input.within("RoutingConfig").map("AdditionalVersionWeights")?;
    Some(weights.iter().filter_map(|(k, v)| Some((k.clone(), v.as_f64()?))).collect())
}

/// A page of at most 50, from the place that Marker says.
pub(super) fn page(input: Input, all: Vec<Value>, name: &str) -> ApiReply {
    let skip: usize = input.text("Marker").and_then(|m| m.parse().ok()).unwrap_or_default();
    let most = input.count("MaxItems").unwrap_or(50).clamp(1, 50) as usize;
    let mut output = Map::new();
    put(&mut output, "NextMarker", (all.len() > skip + most).then(|| (skip + most).to_string()));
    let shown: Vec<Value> = all.into_iter().skip(skip).take(most).collect();
    put(&mut output, name, Some(shown));
    ApiReply::ok(Value::Object(output))
}
