//! A function as it stands when nothing is being done to it.

use super::{Deadline, Hand};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, Environment, FailureKind, FunctionName, Secret, Sent};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::FunctionConfiguration;
use std::collections::BTreeMap;

/// Every variable of a function.
pub(super) type Variables = BTreeMap<String, Secret>;

/// A function that is not being changed: the only moment at which its RevisionId may be used, since it
/// changes once more when an update becomes Successful.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) revision_id: Option<String>,
    pub(super) environment: Environment,
    /// `Successful` or `Failed`.
    pub(super) last_update_status: String,
    pub(super) reason: Option<String>,
}

impl Hand<'_> {
    /// Waits, bounded, while the function is Pending or an update is InProgress. With `replaced`, also while
    /// the function still shows that RevisionId: a read may be older than the update that was just accepted.
    ///
    /// # Errors
    /// A function in state Failed; one that does not settle; one that cannot be read.
    pub(super) async fn settled(
        &self,
        asked: &Asked<'_>,
        function: &FunctionName,
        replaced: Option<&str>,
        sent: Sent,
    ) -> Result<Settled, AwsFailure> {
        let deadline = Deadline::begin();
        loop {
            let got =
                self.get_function(function, None).await.map_err(|failure| AwsFailure { sent, ..failure })?;
            let config = configuration(asked, got, sent)?;
            let (state, status) = (convert::state(&config), convert::last_update_status(&config));
            if state == "Failed" {
                let text = format!("the function is in state Failed{}", reason(&config));
                return Err(asked.failed(FailureKind::Refused, text, sent));
            }
            let is_old = replaced.is_some() && config.revision_id.as_deref() == replaced;
            if state != "Pending" && status != "InProgress" && !is_old {
                return Ok(Settled {
                    revision_id: config.revision_id.clone(),
                    environment: convert::environment(config.environment.as_ref()),
                    reason: config.last_update_status_reason_code.map(|code| code.as_str().to_owned()),
                    last_update_status: status,
                });
            }
            if let Some(why) = self.gives_up(deadline) {
                let text = format!("the function is still {state}, its update {status}; {why}");
                return Err(asked.failed(FailureKind::TimedOut, text, sent));
            }
            self.pause(self.poll).await;
        }
    }

    /// `GetFunction`, which has a quota of its own.
    pub(super) async fn get_function(
        &self,
        function: &FunctionName,
        qualifier: Option<&str>,
    ) -> Result<GetFunctionOutput, AwsFailure> {
        let qualifier = qualifier.map(str::to_owned);
        let request =
            self.at.lambda().get_function().function_name(function.as_str()).set_qualifier(qualifier);
        self.at.read(Family::GetFunction, "lambda:GetFunction", function.as_str(), request.send()).await
    }
}

fn configuration(
    asked: &Asked<'_>,
    got: GetFunctionOutput,
    sent: Sent,
) -> Result<FunctionConfiguration, AwsFailure> {
    got.configuration
        .ok_or_else(|| asked.failed(FailureKind::Unreadable, "GetFunction gave no Configuration", sent))
}

fn reason(config: &FunctionConfiguration) -> String {
    config.state_reason_code.as_ref().map(|code| format!(" ({})", code.as_str())).unwrap_or_default()
}
