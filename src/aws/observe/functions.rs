//! Functions, aliases and the account's concurrency, from Lambda.

use super::look::{Look, Read};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AliasView, AwsFailure, FailureKind, FunctionName, FunctionView, Observed, Sent};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Every function by its name.
pub(super) async fn functions(
    look: &Look<'_>,
    names: &BTreeSet<FunctionName>,
) -> BTreeMap<FunctionName, Observed<FunctionView>> {
    let one = |name: FunctionName| async move {
        let view = function(look, &name).await;
        (name, Observed::from(view))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn function(look: &Look<'_>, name: &FunctionName) -> Result<FunctionView, AwsFailure> {
    let got = get_function(look, name, None).await?;
    let asked = Asked::read("lambda:GetFunction", name.as_str(), &look.at.region);
    let view =
        convert::function(&got).map_err(|text| asked.failed(FailureKind::Unreadable, text, Sent::No))?;
    // The SDK does not compare the Regions; an endpoint that serves another one would go unseen.
    if view.arn.region() != look.at.region.as_str() {
        let text = format!("the answer is about {}, another Region", view.arn);
        return Err(asked.failed(FailureKind::Unreadable, text, Sent::No));
    }
    Ok(view)
}

async fn get_function(
    look: &Look<'_>,
    name: &FunctionName,
    qualifier: Option<&str>,
) -> Result<GetFunctionOutput, AwsFailure> {
    let resource = match qualifier {
        Some(qualifier) => format!("{name}:{qualifier}"),
        None => name.to_string(),
    };
    let request = look
        .at
        .lambda()
        .get_function()
        .function_name(name.as_str())
        .set_qualifier(qualifier.map(str::to_owned));
    look.ask(Read::needed(1, Family::GetFunction, "lambda:GetFunction", &resource), request.send()).await
}

/// A published version; one that cannot be read leaves nothing unknown but what it does itself.
pub(super) async fn get_function_aside(
    look: &Look<'_>,
    depth: u32,
    name: &FunctionName,
    version: &str,
) -> Result<GetFunctionOutput, AwsFailure> {
    let resource = format!("{name}:{version}");
    let request = look.at.lambda().get_function().function_name(name.as_str()).qualifier(version);
    look.ask(Read::aside(depth, Family::GetFunction, "lambda:GetFunction", &resource), request.send()).await
}

/// Every alias that a producer is invoked through, with the environment of the version it points at.
pub(super) async fn aliases(
    look: &Look<'_>,
    names: &BTreeSet<(FunctionName, String)>,
) -> BTreeMap<(FunctionName, String), Observed<AliasView>> {
    let one = |(function, alias): (FunctionName, String)| async move {
        let view = alias_view(look, &function, &alias).await;
        ((function, alias), Observed::from(view))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn alias_view(look: &Look<'_>, function: &FunctionName, alias: &str) -> Result<AliasView, AwsFailure> {
    let resource = format!("{function}:{alias}");
    let request = look.at.lambda().get_alias().function_name(function.as_str()).name(alias);
    let (found, behind) = tokio::join!(
        look.ask(Read::needed(1, Family::LambdaControl, "lambda:GetAlias", &resource), request.send()),
        get_function(look, function, Some(alias)),
    );
    let (found, behind) = (found?, behind?);
    let asked = Asked::read("lambda:GetAlias", &resource, &look.at.region);
    let version = found
        .function_version
        .ok_or_else(|| asked.failed(FailureKind::Unreadable, "no FunctionVersion was given", Sent::No))?;
    let config = behind.configuration.as_ref();
    let weights = found.routing_config.and_then(|routing| routing.additional_version_weights);
    Ok(AliasView {
        name: alias.to_owned(),
        version,
        is_weighted: weights.is_some_and(|weights| !weights.is_empty()),
        revision_id: found.revision_id.unwrap_or_default(),
        environment: convert::environment(config.and_then(|config| config.environment.as_ref())),
        release: config.map(convert::release).unwrap_or_default(),
        seen_since: None,
    })
}

/// Concurrency that no function has reserved.
pub(super) async fn unreserved_concurrency(look: &Look<'_>) -> Result<u32, AwsFailure> {
    const OPERATION: &str = "lambda:GetAccountSettings";
    let request = look.at.lambda().get_account_settings();
    let found =
        look.ask(Read::needed(1, Family::LambdaControl, OPERATION, "the account"), request.send()).await?;
    found
        .account_limit
        .and_then(|limit| limit.unreserved_concurrent_executions)
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| {
            let asked = Asked::read(OPERATION, "the account", &look.at.region);
            asked.failed(FailureKind::Unreadable, "no UnreservedConcurrentExecutions was given", Sent::No)
        })
}
