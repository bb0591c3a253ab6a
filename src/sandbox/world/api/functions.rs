//! Lambda: functions.

use super::super::functions::{Behaviour, Configuration, FIRST_CODE, FunctionId, Variables};
use super::lambda::{invalid_value, refuse_if_busy, refuse_if_stale};
use super::{At, Input, World, empty, lambda_error, put};
use crate::model::{Arn, FunctionName};
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All variables together, as JSON.
const ENVIRONMENT_MOST: usize = 4_096;
/// An account's concurrent executions in a Region, before anybody asks for more.
const CONCURRENCY: u32 = 1_000;
/// What must stay unreserved.
const UNRESERVED_LEAST: u32 = 100;

/// Variables that the runtime sets (Lambda Developer Guide, configuration-envvars); the two that begin with an
/// underscore are no names that the model lets through. Others of AWS, such as `AWS_LAMBDA_EXEC_WRAPPER`, are settable.
const RESERVED: [&str; 16] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

impl World {
    pub(super) fn create_function_call(&mut self, at: At, input: Input) -> ApiResult {
        let name = input.text("FunctionName").unwrap_or_default();
        let name = super::lambda::NamedFunction::read(name).name;
        if name.parse::<FunctionName>().is_err() {
            return Err(invalid_value(format!("{name} is not a function name.")));
        }
        if self.places[at.place.0].functions.contains_key(&name) {
            let text = format!("Function already exist: {name}");
            return Err(lambda_error(409, "ResourceConflictException", text));
        }
        let base = Configuration {
            variables: Variables::new(),
            runtime: None,
            role: String::new(),
            handler: None,
            description: String::new(),
            timeout_seconds: 3,
            memory_mb: 128,
            kms_key: None,
            code_sha256: FIRST_CODE.to_owned(),
            reads: None,
        };
        let configuration = changed(&base, input)?;
        let id = self.create_function(at.place, &name, configuration);
        self.functions[id.0].tags = input.strings("Tags");
        if input.flag("Publish") == Some(true) {
            self.publish(id, None);
        }
        Ok(ApiReply { status: 201, output: self.functions[id.0].describe(None) })
    }

    pub(super) fn delete_function(&mut self, at: At, input: Input) -> ApiResult {
        let (id, qualifier) = self.function_of(at, input)?;
        let function = &mut self.functions[id.0];
        match qualifier.as_deref() {
            None | Some("$LATEST") => {
                function.gone = true;
                function.until = None;
                let name = function.name.clone();
                self.places[at.place.0].functions.remove(&name);
            }
            Some(version) => function.versions.retain(|v| v.number.to_string() != version),
        }
        Ok(ApiReply { status: 204, output: json!({}) })
    }

    pub(super) fn list_functions(&mut self, at: At, input: Input) -> ApiResult {
        let place = &self.places[at.place.0];
        let after = input.text("Marker").unwrap_or_default();
        let most = input.count("MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let rest: Vec<_> = place.functions.iter().filter(|(name, _)| name.as_str() > after).collect();
        let mut output = Map::new();
        let last = rest.get(most - 1).filter(|_| rest.len() > most);
        put(&mut output, "NextMarker", last.map(|(name, _)| (*name).clone()));
        let shown: Vec<Value> =
            rest.iter().take(most).map(|(_, id)| self.functions[id.0].describe(None)).collect();
        put(&mut output, "Functions", Some(shown));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    pub(super) fn get_function(&mut self, at: At, input: Input) -> ApiResult {
        let (id, qualifier) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        let location = format!(
            "https://awslambda-{region}-tasks.s3.{region}.amazonaws.com/snapshots/{}/{}",
            self.places[at.place.0].account,
            function.name,
            region = self.region(at),
        );
        let mut output = json!({
            "Configuration": function.describe(qualifier.as_deref()),
            "Code": { "RepositoryType": "S3", "Location": location },
        });
        if !function.tags.is_empty() {
            output["Tags"] = json!(function.tags);
        }
        if let Some(reserved) = function.reserved_concurrency {
            output["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
        }
        Ok(ApiReply::ok(output))
    }

    pub(super) fn get_function_configuration(&mut self, at: At, input: Input) -> ApiResult {
        let (id, qualifier) = self.function_of(at, input)?;
        Ok(ApiReply::ok(self.functions[id.0].describe(qualifier.as_deref())))
    }

    pub(super) fn update_function_configuration(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        refuse_if_busy(function)?;
        refuse_if_stale(input, &function.revision)?;
        let configuration = Arc::new(changed(&function.latest, input)?);
        let until = self.now + self.delays.function_update.draw(&mut self.rng);
        let (revision, now) = (self.uuid(), self.now);
        let function = &mut self.functions[id.0];
        if input.within("Environment").get("Variables").is_some() {
            function.unreadable = None; // written anew, with a key that can be used
        }
        function.latest = configuration;
        (function.revision, function.modified, function.until) = (revision, now, Some(until));
        self.due(until);
        Ok(ApiReply::ok(self.functions[id.0].describe(None)))
    }

    pub(super) fn get_account_settings(&mut self, at: At) -> ApiResult {
        let functions = &self.places[at.place.0].functions;
        Ok(ApiReply::ok(json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": CONCURRENCY,
                "UnreservedConcurrentExecutions": self.unreserved(at, None),
            },
            "AccountUsage": { "TotalCodeSize": 1_024 * functions.len(), "FunctionCount": functions.len() },
        })))
    }

    fn unreserved(&self, at: At, but: Option<FunctionId>) -> u32 {
        let functions = self.places[at.place.0].functions.values().filter(|id| Some(**id) != but);
        let reserved: u32 = functions.filter_map(|id| self.functions[id.0].reserved_concurrency).sum();
        CONCURRENCY.saturating_sub(reserved)
    }

    pub(super) fn get_function_concurrency(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let mut output = Map::new();
        put(&mut output, "ReservedConcurrentExecutions", self.functions[id.0].reserved_concurrency);
        Ok(ApiReply::ok(Value::Object(output)))
    }

    pub(super) fn put_function_concurrency(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        let reserved = input.count("ReservedConcurrentExecutions").unwrap_or_default();
        if self.unreserved(at, Some(id)) < reserved + UNRESERVED_LEAST {
            return Err(invalid_value(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_LEAST}]."
            )));
        }
        self.functions[id.0].reserved_concurrency = Some(reserved);
        Ok(ApiReply::ok(json!({ "ReservedConcurrentExecutions": reserved })))
    }

    pub(super) fn delete_function_concurrency(&mut self, at: At, input: Input) -> ApiResult {
        let (id, _) = self.function_of(at, input)?;
        self.functions[id.0].reserved_concurrency = None;
        Ok(ApiReply { status: 204, output: json!({}) })
    }

    pub(super) fn invoke(&mut self, at: At, input: Input) -> ApiResult {
        let (id, qualifier) = self.function_of(at, input)?;
        let function = &self.functions[id.0];
        let Some(configuration) = function.resolve(qualifier.as_deref()) else { return empty() };
        if function.is_barred() {
            let (throttles, now) = (function.series.throttles, self.now);
            self.metrics.record(throttles, now, now, 1.0);
            let mut error = lambda_error(429, "TooManyRequestsException", "Rate Exceeded.");
            error
                .members
                .insert("Reason".to_owned(), json!("ReservedFunctionConcurrentInvocationLimitExceeded"));
            return Err(error);
        }
        match input.text("InvocationType") {
            Some("DryRun") => Ok(ApiReply { status: 204, output: json!({ "StatusCode": 204 }) }),
            kind => {
                let payload = self.run_once(id, &configuration);
                let waited = kind != Some("Event");
                Ok(invocation_answer(payload, waited))
            }
        }
    }

    /// Runs the code once for a client: the payload, or nothing when it ended with an error.
    fn run_once(&mut self, id: FunctionId, configuration: &Configuration) -> Option<Value> {
        let function = &self.functions[id.0];
        let payload = match function.behaviour {
            Behaviour::Producer => {
                let region = configuration.destination().map(|(region, _)| region.to_string());
                self.invoke_producer(id, configuration)
                    .map(|number| json!({ "region": region, "sequenceNumber": number }))
            }
            Behaviour::Failover => self.invoke_failover(id, configuration),
            _ => (!function.fails_with(configuration)).then(|| json!({})),
        };
        match payload {
            Some(_) => self.note_invocation(id, self.now, self.now, 40),
            None => self.note_failed_invocation(id, self.now, 40),
        }
        payload
    }

    fn tagged_function(&self, at: At, input: Input) -> Result<FunctionId, ApiError> {
        let arn = Arn::new(input.text("Resource").unwrap_or_default());
        let named = super::lambda::NamedFunction::read(arn.as_str());
        self.function_named(at, &named, None)
    }

    pub(super) fn tag_function(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.tagged_function(at, input)?;
        refuse_if_busy(&self.functions[id.0])?;
        self.functions[id.0].tags.extend(input.strings("Tags"));
        Ok(ApiReply { status: 204, output: json!({}) })
    }

    pub(super) fn untag_function(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.tagged_function(at, input)?;
        refuse_if_busy(&self.functions[id.0])?;
        for key in input.list("TagKeys").iter().filter_map(Value::as_str) {
            self.functions[id.0].tags.remove(key);
        }
        Ok(ApiReply { status: 204, output: json!({}) })
    }

    pub(super) fn list_function_tags(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.tagged_function(at, input)?;
        Ok(ApiReply::ok(json!({ "Tags": self.functions[id.0].tags })))
    }
}

fn invocation_answer(payload: Option<Value>, waited: bool) -> ApiReply {
    let status = if waited { 200 } else { 202 };
    let mut output = Map::new();
    put(&mut output, "StatusCode", Some(status));
    if waited {
        if payload.is_none() {
            put(&mut output, "FunctionError", Some("Unhandled"));
        }
        let text = payload.unwrap_or_else(|| json!({ "errorMessage": "error", "errorType": "Exception" }));
        put(&mut output, "ExecutedVersion", Some("$LATEST"));
        put(&mut output, "Payload", Some(BASE64.encode(text.to_string())));
    }
    ApiReply { status, output: Value::Object(output) }
}

/// The configuration with the members of a request put in. Environment is replaced whole.
fn changed(base: &Configuration, input: Input) -> Result<Configuration, ApiError> {
    let mut new = base.clone();
    let text = |name: &str| input.text(name).map(str::to_owned);
    new.runtime = text("Runtime").or(new.runtime);
    new.handler = text("Handler").or(new.handler);
    new.role = text("Role").unwrap_or(new.role);
    new.description = text("Description").unwrap_or(new.description);
    if let Some(key) = text("KMSKeyArn") {
        new.kms_key = Some(key).filter(|key| !key.is_empty());
    }
    new.memory_mb = input.count("MemorySize").unwrap_or(new.memory_mb);
    new.timeout_seconds = input.count("Timeout").unwrap_or(new.timeout_seconds);
    if !(1..=900).contains(&new.timeout_seconds) {
        return Err(invalid_value(format!(
            "Value '{}' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
            new.timeout_seconds
        )));
    }
    if input.get("Environment").is_some() {
        new.variables = input.within("Environment").strings("Variables");
        check_environment(&new.variables)?;
    }
    Ok(new)
}

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if let Some(key) = variables.keys().find(|key| RESERVED.contains(&key.as_str())) {
        return Err(invalid_value(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used \
             in this request: {key}"
        )));
    }
    let text = serde_json::to_string(variables).unwrap_or_default();
    match text.len() > ENVIRONMENT_MOST {
        false => Ok(()),
        // AWS really shows all values here.
        true => Err(invalid_value(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {text}"
        ))),
    }
}
