//! The producer switch: read every variable, change the named keys, keep every other byte, send with the RevisionId
//! that was read, wait until it is effective, read back. The AWS post's own command replaces the whole environment
//! with two variables, which wipes all others (Lambda Developer Guide, configuration-envvars).

use super::{BUSY, BUSY_POLL, applied};
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::model::{AwsFailure, Environment, FailureKind, FunctionView, Performed, Secret, Sent};
use aws_sdk_lambda::operation::RequestId;
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// All variables together (Lambda Developer Guide, gettingstarted-limits).
const MOST_BYTES: usize = 4096;
/// Sendings after somebody else changed something that does not matter to us.
const MOST_SENDS: u32 = 3;
/// Keys that AWS sets itself (Lambda Developer Guide, configuration-envvars).
const RESERVED: [&str; 4] = ["AWS_", "_HANDLER", "LAMBDA_", "_X_AMZN_"];

type Variables = BTreeMap<String, Secret>;

struct Writer<'a> {
    clients: &'a Clients,
    function: &'a str,
    asked: Asked<'a>,
}

/// Sets keys of a function's environment.
pub(super) async fn set(
    clients: &Clients,
    function: &str,
    set: &BTreeMap<String, String>,
) -> Result<Performed, AwsFailure> {
    let asked = Asked {
        operation: "lambda:UpdateFunctionConfiguration",
        resource: function,
        region: &clients.region,
    };
    let writer = Writer { clients, function, asked };
    if let Some(key) = set.keys().find(|key| RESERVED.iter().any(|reserved| key.starts_with(reserved))) {
        return Err(asked.refused(format!("{key} is a variable that AWS sets itself")));
    }
    writer.set(set).await
}

impl Writer<'_> {
    async fn set(&self, set: &BTreeMap<String, String>) -> Result<Performed, AwsFailure> {
        let mut view = self.when_idle().await?;
        let first = self.variables(&view)?;
        if contains(&first, set) {
            return Ok(Performed::AlreadySo("every key has its value already".to_owned()));
        }
        for _ in 0..MOST_SENDS {
            let now = self.variables(&view)?;
            self.unchanged(&first, &now, set)?;
            let merged = merge(&now, set);
            self.fits(&merged)?;
            match self.send(&merged, &view.revision_id).await {
                Ok(request_id) => return self.see_effective(&first, set, request_id).await,
                Err(failure) if matches!(failure.kind, FailureKind::Stale | FailureKind::Conflict) => {
                    view = self.when_idle().await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(self.asked.failure(
            FailureKind::Stale,
            Sent::Refused,
            "somebody keeps changing the function; nothing was changed by kdsha",
        ))
    }

    async fn look(&self) -> Result<FunctionView, AwsFailure> {
        let asked = Asked { operation: "lambda:GetFunction", ..self.asked };
        self.clients.get_function.turn().await;
        let call = self.clients.lambda.get_function().function_name(self.function);
        let output = call.send().await.map_err(|e| not_sent(asked.sdk(&e)))?;
        convert::function(&output).map_err(|why| asked.failure(FailureKind::Unreadable, Sent::No, why))
    }

    /// The function, once no update is under way: its RevisionId changes again when an update ends.
    async fn when_idle(&self) -> Result<FunctionView, AwsFailure> {
        let until = Instant::now() + BUSY;
        loop {
            let view = self.look().await?;
            match (view.state.as_str(), view.last_update_status.as_str()) {
                ("Failed", _) => {
                    return Err(self.asked.refused("the function's State is Failed; redeploy it first"));
                }
                ("Pending", _) | (_, "InProgress") if Instant::now() < until => {
                    tokio::time::sleep(BUSY_POLL).await;
                }
                ("Pending", _) | (_, "InProgress") => {
                    let why = "an update of the function is under way and does not end";
                    return Err(self.asked.failure(FailureKind::Conflict, Sent::No, why));
                }
                _ => return Ok(view),
            }
        }
    }

    /// All variables. Merging into what could not be read would wipe it.
    fn variables(&self, view: &FunctionView) -> Result<Variables, AwsFailure> {
        match &view.environment {
            Environment::Readable(variables) => Ok(variables.clone()),
            Environment::Unreadable(why) => Err(self.asked.refused(format!(
                "the environment cannot be read ({why}); grant kms:Decrypt on the function's key"
            ))),
        }
    }

    /// Somebody may have changed the function; only a change of variables that are not ours is theirs to keep.
    fn unchanged(
        &self,
        first: &Variables,
        now: &Variables,
        set: &BTreeMap<String, String>,
    ) -> Result<(), AwsFailure> {
        let keys = first.keys().chain(now.keys());
        let mut changed: Vec<&str> = keys
            .filter(|key| !set.contains_key(*key) && first.get(*key) != now.get(*key))
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        match changed.as_slice() {
            [] => Ok(()),
            keys => {
                let why = format!(
                    "somebody else changed {} meanwhile; look, then run the command again",
                    keys.join(", ")
                );
                Err(self.asked.failure(FailureKind::Stale, Sent::No, why))
            }
        }
    }

    fn fits(&self, variables: &Variables) -> Result<(), AwsFailure> {
        let bytes: usize = variables.iter().map(|(key, value)| key.len() + value.expose().len()).sum();
        match bytes <= MOST_BYTES {
            true => Ok(()),
            false => Err(self.asked.refused(format!(
                "the variables would take {bytes} bytes, Lambda allows {MOST_BYTES}; shorten another variable"
            ))),
        }
    }

    async fn send(&self, variables: &Variables, revision: &str) -> Result<Option<String>, AwsFailure> {
        let all: HashMap<String, String> =
            variables.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
        let environment = aws_sdk_lambda::types::Environment::builder().set_variables(Some(all)).build();
        self.clients.control.turn().await;
        let call = self
            .clients
            .lambda
            .update_function_configuration()
            .function_name(self.function)
            .environment(environment)
            .set_revision_id(Some(revision.to_owned()).filter(|r| !r.is_empty()));
        let output = super::once!(aws_sdk_lambda, call).await.map_err(|e| self.asked.sdk(&e))?;
        Ok(output.request_id().map(str::to_owned))
    }

    /// Until Successful, invocations go on with the former configuration; on Failed they do for good.
    async fn see_effective(
        &self,
        first: &Variables,
        set: &BTreeMap<String, String>,
        request_id: Option<String>,
    ) -> Result<Performed, AwsFailure> {
        let unknown = |failure: AwsFailure| AwsFailure { sent: Sent::Unknown, ..failure };
        let view = self.when_idle().await.map_err(unknown)?;
        if view.last_update_status == "Failed" {
            let why = view.last_update_reason.unwrap_or_else(|| "no reason given".to_owned());
            let text = format!("the update failed ({why}); invocations still use the former configuration");
            return Err(self.asked.failure(FailureKind::Invalid, Sent::Refused, text));
        }
        let now = self.variables(&view).map_err(unknown)?;
        if now != merge(first, set) {
            self.unchanged(first, &now, set).map_err(unknown)?;
            let why = "the variables read back are not those that were sent";
            return Err(self.asked.failure(FailureKind::Stale, Sent::Unknown, why));
        }
        Ok(applied("effective and read back", request_id.as_deref()))
    }
}

/// A read that failed before the mutation: nothing was sent.
pub(super) fn not_sent(failure: AwsFailure) -> AwsFailure {
    AwsFailure { sent: Sent::No, ..failure }
}

fn contains(variables: &Variables, set: &BTreeMap<String, String>) -> bool {
    set.iter().all(|(key, value)| variables.get(key).is_some_and(|now| now.expose() == value))
}

fn merge(variables: &Variables, set: &BTreeMap<String, String>) -> Variables {
    let mut merged = variables.clone();
    merged.extend(set.iter().map(|(key, value)| (key.clone(), Secret::new(value))));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_merge_keeps_every_other_byte(
            before in prop::collection::btree_map("[A-Z]{1,4}", ".*", 0..8),
            set in prop::collection::btree_map("[A-Z]{1,4}", ".*", 0..4),
        ) {
            let variables: Variables = before.iter().map(|(k, v)| (k.clone(), Secret::new(v))).collect();
            let merged = merge(&variables, &set);
            prop_assert!(contains(&merged, &set));
            for (key, value) in before.iter().filter(|(key, _)| !set.contains_key(*key)) {
                prop_assert_eq!(merged[key].expose(), value.as_str());
            }
            prop_assert_eq!(merged.len(), before.keys().chain(set.keys()).collect::<std::collections::BTreeSet<_>>().len());
        }
    }
}
