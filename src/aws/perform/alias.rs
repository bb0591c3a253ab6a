//! Producers behind an alias: a published version is immutable, so the switch is a new version and a moved alias
//! (Lambda Developer Guide, configuration-versions, configuration-aliases).

use super::applied;
use super::environment::not_sent;
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::model::{AwsFailure, FailureKind, Performed, Sent};
use aws_sdk_lambda::operation::RequestId;
use std::collections::BTreeMap;

const MOST_PAGES: u32 = 200;

/// Publishes what $LATEST is now. Without a change since the last version, AWS gives that one again.
pub(super) async fn publish(clients: &Clients, function: &str) -> Result<Performed, AwsFailure> {
    let asked = Asked { operation: "lambda:PublishVersion", resource: function, region: &clients.region };
    clients.control.turn().await;
    let call = clients.lambda.publish_version().function_name(function);
    let output = super::once!(aws_sdk_lambda, call).await.map_err(|e| asked.sdk(&e))?;
    Ok(applied(format!("version {}", output.version().unwrap_or("unknown")), output.request_id()))
}

/// Moves an alias to the newest version, which must have the expected environment.
pub(super) async fn move_to_newest(
    clients: &Clients,
    function: &str,
    alias: &str,
    expect: &BTreeMap<String, String>,
) -> Result<Performed, AwsFailure> {
    let resource = format!("{function}:{alias}");
    let asked = Asked { operation: "lambda:UpdateAlias", resource: &resource, region: &clients.region };
    let newest = newest_version(clients, function, expect).await?;
    let get = Asked { operation: "lambda:GetAlias", ..asked };
    clients.control.turn().await;
    let call = clients.lambda.get_alias().function_name(function).name(alias).send();
    let found = call.await.map_err(|e| not_sent(get.sdk(&e)))?;
    let weights = found.routing_config().and_then(|r| r.additional_version_weights());
    if weights.is_some_and(|w| !w.is_empty()) {
        return Err(asked.refused("the alias splits its traffic between two versions; set it to one first"));
    }
    if found.function_version() == Some(newest.as_str()) {
        return Ok(Performed::AlreadySo(format!("the alias points at version {newest} already")));
    }
    clients.control.turn().await;
    let call = clients
        .lambda
        .update_alias()
        .function_name(function)
        .name(alias)
        .function_version(&newest)
        .set_revision_id(found.revision_id().map(str::to_owned));
    let output = super::once!(aws_sdk_lambda, call).await.map_err(|e| asked.sdk(&e))?;
    Ok(applied(format!("version {newest}"), output.request_id()))
}

/// The highest version number, if its environment is the expected one.
async fn newest_version(
    clients: &Clients,
    function: &str,
    expect: &BTreeMap<String, String>,
) -> Result<String, AwsFailure> {
    let asked =
        Asked { operation: "lambda:ListVersionsByFunction", resource: function, region: &clients.region };
    let mut newest: Option<(u64, bool)> = None;
    let mut marker = None;
    for _ in 0..MOST_PAGES {
        clients.control.turn().await;
        let call =
            clients.lambda.list_versions_by_function().function_name(function).set_marker(marker.take());
        let output = call.send().await.map_err(|e| not_sent(asked.sdk(&e)))?;
        for version in output.versions() {
            let Some(number) = version.version().and_then(|v| v.parse::<u64>().ok()) else { continue };
            let environment = convert::environment(version.environment());
            let fits = expect.iter().all(|(key, value)| environment.get(key) == Some(value.as_str()));
            newest = newest.max(Some((number, fits)));
        }
        match output.next_marker().filter(|m| !m.is_empty()) {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    match newest {
        Some((number, true)) => Ok(number.to_string()),
        Some((number, false)) => {
            let why =
                format!("version {number} does not have the new variables; somebody published it meanwhile");
            Err(asked.failure(FailureKind::Stale, Sent::No, why))
        }
        None => Err(asked.refused("the function has no published version")),
    }
}
