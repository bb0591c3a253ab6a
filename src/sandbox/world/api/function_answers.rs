//! Lambda: functions, versions and aliases as JSON.

use super::super::UNREADABLE;
use super::super::clock::lambda_date;
use super::super::functions::{Alias, Configuration, Function, FunctionState, Updates, Version};
use crate::model::Arn;
use serde_json::{Map, Value, json};

impl Function {
    /// FunctionConfiguration of $LATEST, of a version, or of the version behind an alias.
    pub(super) fn describe(&self, qualifier: Option<&str>) -> Value {
        let version = match qualifier {
            None | Some("$LATEST") => None,
            Some(name) => {
                let number = self.aliases.get(name).map_or(name, |alias| alias.version.as_str());
                self.versions.iter().find(|v| v.number.to_string() == number)
            }
        };
        let mut output = match version {
            Some(version) => self.describe_version(version),
            None => self.describe_latest(),
        };
        if let Some(qualifier) = qualifier {
            output.insert("FunctionArn".to_owned(), json!(format!("{}:{qualifier}", self.arn)));
        }
        Value::Object(output)
    }

    fn describe_latest(&self) -> Map<String, Value> {
        let mut output = self.common(&self.latest);
        let mut add = |name: &str, value: Value| output.insert(name.to_owned(), value);
        add("FunctionArn", json!(self.arn));
        add("Version", json!("$LATEST"));
        add("RevisionId", json!(self.revision));
        add("LastModified", json!(lambda_date(self.modified)));
        match (self.state, self.until) {
            (FunctionState::Pending, _) => {
                add("State", json!("Pending"));
                add("StateReason", json!("The function is being created."));
                add("StateReasonCode", json!("Creating"));
            }
            (FunctionState::Active, Some(_)) => {
                add("State", json!("Active"));
                add("LastUpdateStatus", json!("InProgress"));
                add("LastUpdateStatusReason", json!("The function is being created."));
                add("LastUpdateStatusReasonCode", json!("Creating"));
            }
            (FunctionState::Inactive, _) => {
                add("State", json!("Inactive"));
                add("StateReason", json!("The function has been idle."));
                add("StateReasonCode", json!("Idle"));
                add("LastUpdateStatus", json!("Successful"));
            }
            (FunctionState::Active, None) if matches!(self.updates, Updates::Failed(_)) => {
                add("State", json!("Active"));
                add("LastUpdateStatus", json!("Failed"));
                add("LastUpdateStatusReason", json!("The subnet has no free IP addresses."));
                add("LastUpdateStatusReasonCode", json!("SubnetOutOfIPAddresses"));
            }
            (FunctionState::Active, None) => {
                add("State", json!("Active"));
                add("LastUpdateStatus", json!("Successful"));
            }
        }
        output
    }

    /// A published version, which is named by its number.
    pub(super) fn describe_version(&self, version: &Version) -> Map<String, Value> {
        let mut output = self.common(&version.configuration);
        let mut add = |name: &str, value: Value| output.insert(name.to_owned(), value);
        add("FunctionArn", json!(format!("{}:{}", self.arn, version.number)));
        add("Version", json!(version.number.to_string()));
        add("RevisionId", json!(version.revision));
        add("LastModified", json!(lambda_date(version.published)));
        add("State", json!("Active"));
        add("LastUpdateStatus", json!("Successful"));
        if let Some(description) = &version.description {
            add("Description", json!(description));
        }
        output
    }

    fn common(&self, configuration: &Configuration) -> Map<String, Value> {
        let mut output = Map::new();
        let mut add = |name: &str, value: Value| output.insert(name.to_owned(), value);
        add("FunctionName", json!(self.name));
        add("Role", json!(configuration.role));
        add("CodeSize", json!(self.code_size));
        add("CodeSha256", json!(configuration.code_sha256));
        add("Description", json!(configuration.description));
        add("Timeout", json!(configuration.timeout_seconds));
        add("MemorySize", json!(configuration.memory_mb));
        add("TracingConfig", json!({ "Mode": "PassThrough" }));
        add("PackageType", json!("Zip"));
        add("Architectures", json!(["x86_64"]));
        add("EphemeralStorage", json!({ "Size": 512 }));
        add("SnapStart", json!({ "ApplyOn": "None", "OptimizationStatus": "Off" }));
        let group = format!("/aws/lambda/{}", self.name);
        add("LoggingConfig", json!({ "LogFormat": "Text", "LogGroup": group }));
        if let Some(runtime) = &configuration.runtime {
            add("Runtime", json!(runtime));
        }
        if let Some(handler) = &configuration.handler {
            add("Handler", json!(handler));
        }
        if let Some(key) = &configuration.kms_key {
            add("KMSKeyArn", json!(key));
        }
        if let Some(environment) = self.environment(configuration) {
            add("Environment", environment);
        }
        output
    }

    /// Variables, or only the error when their key cannot be used (EnvironmentResponse).
    fn environment(&self, configuration: &Configuration) -> Option<Value> {
        match self.unreadable(configuration) {
            Some((code, message)) => Some(json!({ "Error": { "ErrorCode": code, "Message": message } })),
            None if configuration.variables.is_empty() => None,
            None => Some(json!({ "Variables": configuration.variables })),
        }
    }

    /// Why a caller cannot see the variables. A key of another account is one that no caller of this one may use.
    fn unreadable<'a>(&'a self, configuration: &'a Configuration) -> Option<(&'a str, &'a str)> {
        if let Some((code, message)) = &self.unreadable {
            return Some((code, message));
        }
        let key = Arn::new(configuration.kms_key.as_ref()?);
        (key.account() != Arn::new(&self.arn).account()).then_some(("AccessDeniedException", UNREADABLE))
    }

    /// AliasConfiguration.
    pub(super) fn describe_alias(&self, name: &str, alias: &Alias) -> Value {
        let mut output = json!({
            "AliasArn": format!("{}:{name}", self.arn),
            "Name": name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RevisionId": alias.revision,
        });
        if !alias.weights.is_empty() {
            output["RoutingConfig"] = json!({ "AdditionalVersionWeights": alias.weights });
        }
        output
    }
}
