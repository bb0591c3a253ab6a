//! The producer switch: two variables of a function's environment, and not one byte of any other.
//!
//! UpdateFunctionConfiguration replaces the whole environment (Lambda Developer Guide, configuration-envvars),
//! so everything is read, merged, sent with the RevisionId that was read, and read back.

use super::functions::Variables;
use super::send::{Accepted, lambda_once};
use super::{Hand, MOST_SENDS};
use crate::aws::errors::{Asked, without};
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, Environment, FailureKind, FunctionName, Performed, Secret, Sent};
use aws_sdk_lambda::operation::update_function_configuration::UpdateFunctionConfigurationOutput;
use aws_sdk_lambda::types::Environment as SdkEnvironment;
use std::collections::BTreeMap;

const OPERATION: &str = "lambda:UpdateFunctionConfiguration";
/// All variables together, as Lambda measures them: the JSON object of keys and values.
const MOST_BYTES: usize = 4096;
/// Keys that Lambda sets itself and refuses from anybody else (Lambda Developer Guide, configuration-envvars).
const RESERVED: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_METADATA_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

type Set = BTreeMap<String, String>;

impl Hand<'_> {
    pub(super) async fn set_environment(
        &self,
        function: &FunctionName,
        set: &Set,
    ) -> Result<Performed, AwsFailure> {
        let asked = Asked::mutation(OPERATION, function.as_str(), &self.at.region);
        let refuse = |text: String| asked.failed(FailureKind::Refused, text, Sent::No);
        if let Some(key) = set.keys().find(|key| !is_settable(key)) {
            return Err(refuse(format!("{key} is not a variable that may be set in Lambda")));
        }
        let mut original: Option<Variables> = None;
        for _ in 0..MOST_SENDS {
            let sent = if original.is_none() { Sent::No } else { Sent::Refused };
            let now = self.settled(&asked, function, None, sent).await?;
            let variables = readable(now.environment).map_err(&refuse)?;
            all_there(&variables, set).map_err(&refuse)?;
            // What is shown after an update that Lambda failed need not be what runs: it is sent again.
            let is_in_effect = now.last_update_status != "Failed";
            if is_in_effect
                && set.iter().all(|(key, value)| variables.get(key).is_some_and(|v| v.expose() == value))
            {
                return Ok(Performed::AlreadySo(format!("{} set already", keys(set.keys()))));
            }
            let mut moved = original.as_ref().map(|first| changed(first, &variables)).unwrap_or_default();
            // Other keys are merged as they are now: they may be another pipeline's, which shares the function.
            moved.retain(|key| set.contains_key(key));
            if !moved.is_empty() {
                return Err(asked.failed(FailureKind::Stale, stale_text(&moved), Sent::Refused));
            }
            let merged = merge(&variables, set);
            check_size(&merged).map_err(&refuse)?;
            match self.send_environment(function, &merged, now.revision_id.clone()).await {
                Ok(done) => {
                    let seen = self.confirm(&asked, function, &merged, set, now.revision_id.as_deref()).await;
                    return match seen {
                        Ok(text) => Ok(done.applied(text)),
                        // It was accepted, whatever becomes of the wait: the next look says the rest.
                        Err(_) if self.interrupt.is_raised() => {
                            Ok(done.applied("accepted; interrupted before it was seen to be Successful"))
                        }
                        Err(failure) => Err(failure),
                    };
                }
                Err(failure) if is_worth_another(&failure) => original = Some(variables),
                Err(failure) => return Err(clean(failure, &merged)),
            }
            self.pause(self.poll).await;
        }
        let text = "the function was being changed every time; find out by whom, then resume";
        Err(asked.failed(FailureKind::Conflict, text, Sent::Refused))
    }

    async fn send_environment(
        &self,
        function: &FunctionName,
        variables: &Variables,
        revision_id: Option<String>,
    ) -> Result<Accepted<UpdateFunctionConfigurationOutput>, AwsFailure> {
        let all = variables.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
        let request = self
            .at
            .lambda()
            .update_function_configuration()
            .function_name(function.as_str())
            .environment(SdkEnvironment::builder().set_variables(Some(all)).build())
            .set_revision_id(revision_id);
        let send = || request.clone().customize().config_override(lambda_once()).send();
        self.write(Family::LambdaControl, OPERATION, function.as_str(), send).await
    }

    /// Waits until the update is Successful and reads every variable back; says what was seen. What somebody else
    /// has changed by then beside the variables that were set, as a switch of another pipeline does, is no failure.
    async fn confirm(
        &self,
        asked: &Asked<'_>,
        function: &FunctionName,
        expected: &Variables,
        set: &Set,
        replaced: Option<&str>,
    ) -> Result<String, AwsFailure> {
        let now = self.settled(asked, function, replaced, Sent::Unknown).await?;
        if now.last_update_status != "Successful" {
            let why = now.reason.unwrap_or_else(|| "no reason given".to_owned());
            let text = format!(
                "Lambda accepted the update and then failed it ({why}); the function goes on as before"
            );
            return Err(asked.failed(FailureKind::Service, text, Sent::Refused));
        }
        let read_back = readable(now.environment)
            .map_err(|text| asked.failed(FailureKind::Unreadable, text, Sent::Unknown))?;
        let (ours, others): (Vec<String>, Vec<String>) =
            changed(expected, &read_back).into_iter().partition(|key| set.contains_key(key));
        if !ours.is_empty() {
            let text = format!(
                "read back, {} is not as it was sent; somebody else changes this function",
                keys(ours.iter())
            );
            return Err(asked.failed(FailureKind::Stale, text, Sent::Unknown));
        }
        Ok(match others.is_empty() {
            true => format!("Successful, all {} variables read back", expected.len()),
            false => {
                format!("Successful, read back; {} was changed since by somebody else", keys(others.iter()))
            }
        })
    }
}

/// A failure after which nothing has changed and a new look may help.
fn is_worth_another(failure: &AwsFailure) -> bool {
    failure.sent == Sent::Refused && matches!(failure.kind, FailureKind::Conflict | FailureKind::Stale)
}

/// No message of a failed update may carry a variable's value.
fn clean(failure: AwsFailure, variables: &Variables) -> AwsFailure {
    let message = without(&failure.message, variables.values().map(Secret::expose));
    AwsFailure { message, ..failure }
}

fn is_settable(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && key.len() >= 2
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&key)
}

/// The variables, unless they were not given. None at all is refused too: the producer's keys must be among
/// them, so an empty answer is a wrong one, and merging into it would wipe the function's own.
fn readable(environment: Environment) -> Result<Variables, String> {
    match environment {
        Environment::Readable(variables) if variables.is_empty() => {
            Err("the function has no environment variables, not even the configured ones".to_owned())
        }
        Environment::Readable(variables) => Ok(variables),
        Environment::Unreadable(why) => Err(format!(
            "{why}: writing would wipe the other variables; allow kms:Decrypt on the function's key"
        )),
    }
}

/// A key that the function never had is one that its code does not read: setting it would switch nothing.
fn all_there(variables: &Variables, set: &Set) -> Result<(), String> {
    let missing: Vec<&String> = set.keys().filter(|key| !variables.contains_key(*key)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the function has no variable {}: correct region_variable and stream_variable in kdsha.toml",
            keys(missing.into_iter())
        )),
    }
}

fn merge(variables: &Variables, set: &Set) -> Variables {
    let mut merged = variables.clone();
    merged.extend(set.iter().map(|(key, value)| (key.clone(), Secret::new(value.clone()))));
    merged
}

fn check_size(variables: &Variables) -> Result<(), String> {
    let plain: BTreeMap<&str, &str> =
        variables.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
    let bytes = serde_json::to_string(&plain).map_or(usize::MAX, |text| text.len());
    match bytes <= MOST_BYTES {
        true => Ok(()),
        false => Err(format!("the environment would be {bytes} bytes; Lambda takes {MOST_BYTES}")),
    }
}

/// The keys whose values differ, or that only one has.
fn changed(first: &Variables, second: &Variables) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    keys.into_iter().filter(|key| first.get(*key) != second.get(*key)).cloned().collect()
}

fn keys<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    keys.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn stale_text(moved: &[String]) -> String {
    format!(
        "somebody else changed {} while kdsha was about to write; see who, then resume",
        keys(moved.iter())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), Secret::new(*v))).collect()
    }

    #[test]
    fn a_merge_changes_the_given_keys_and_no_other() {
        let before = variables(&[("A", "1"), ("REGION", "us-west-2")]);
        let set = BTreeMap::from([("REGION".to_owned(), "us-east-2".to_owned())]);
        let after = merge(&before, &set);
        assert_eq!(changed(&before, &after), ["REGION"]);
        assert_eq!(after.get("A").map(Secret::expose), Some("1"));
    }

    #[test]
    fn an_environment_that_was_not_given_is_not_written_to() {
        assert!(readable(Environment::Unreadable("no key".to_owned())).is_err());
        assert!(readable(Environment::Readable(BTreeMap::new())).is_err());
    }

    #[test]
    fn a_variable_that_the_function_never_had_is_not_added() {
        let before = variables(&[("PRODUCING_TO_REGION", "us-west-2"), ("TOKEN", "s3cret")]);
        let set = |key: &str| BTreeMap::from([(key.to_owned(), "us-east-2".to_owned())]);
        assert!(all_there(&before, &set("PRODUCING_TO_REGION")).is_ok());
        let text = all_there(&before, &set("PRODUCING_REGION")).expect_err("misspelt");
        assert!(text.contains("PRODUCING_REGION") && text.contains("kdsha.toml"), "{text}");
    }

    #[test]
    fn reserved_and_malformed_keys_are_refused() {
        for bad in ["AWS_REGION", "_HANDLER", "A", "1A", "A-B", "", "AWS_ACCESS_KEY_ID"] {
            assert!(!is_settable(bad), "{bad}");
        }
        for good in ["PRODUCING_TO_REGION", "INPUT_STREAM", "AB"] {
            assert!(is_settable(good), "{good}");
        }
    }

    #[test]
    fn four_kilobytes_are_counted_as_lambda_counts_them() {
        // {"AB":"..."} has nine characters beside the value.
        assert!(check_size(&variables(&[("AB", &"x".repeat(MOST_BYTES - 9))])).is_ok());
        assert!(check_size(&variables(&[("AB", &"x".repeat(MOST_BYTES - 8))])).is_err());
    }

    #[test]
    fn a_change_by_somebody_else_is_named_by_its_keys_alone() {
        let moved =
            changed(&variables(&[("A", "s3cret"), ("B", "2")]), &variables(&[("A", "other"), ("C", "3")]));
        assert_eq!(moved, ["A", "B", "C"]);
        let text = stale_text(&moved);
        assert!(!text.contains("s3cret") && !text.contains("other"), "{text}");
    }
}
