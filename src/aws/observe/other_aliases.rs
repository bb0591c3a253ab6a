//! Aliases that the configuration does not name: a switch of $LATEST does not reach what they run (Lambda Developer
//! Guide, configuration-versions). One call for a producer that has none; a version is read only where an alias runs it.

use super::functions::get_function_aside;
use super::look::{Look, Read};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AliasView, AwsFailure, Environment, FailureKind, FunctionName, Observed, Sent};
use aws_sdk_lambda::types::AliasConfiguration;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "lambda:ListAliases";
/// More pages than anybody fills; a server that never ends is stopped here.
const MOST_PAGES: u32 = 100;

/// What an alias runs.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    pub(super) alias: String,
    pub(super) version: String,
    /// The environment that the version is locked to; `None`: it is $LATEST, and has the function's own.
    pub(super) environment: Option<Observed<Environment>>,
}

/// What the aliases of each function run.
pub(super) async fn other_aliases(
    look: &Look<'_>,
    names: &BTreeSet<FunctionName>,
) -> BTreeMap<FunctionName, Observed<Vec<Runs>>> {
    let one = |name: FunctionName| async move {
        let runs = aliases_of(look, &name).await;
        (name, Observed::from(runs))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn aliases_of(look: &Look<'_>, function: &FunctionName) -> Result<Vec<Runs>, AwsFailure> {
    let (listed, pages) = list(look, function).await?;
    let routes: Vec<(String, String)> = listed.iter().flat_map(routes).collect();
    let versions: BTreeSet<&str> =
        routes.iter().map(|(_, version)| version.as_str()).filter(|v| *v != AliasView::LATEST).collect();
    let read = |version: &'_ str| {
        let version = version.to_owned();
        async move {
            let found = get_function_aside(look, pages + 1, function, &version).await;
            let environment = found.map(|found| {
                convert::environment(found.configuration.as_ref().and_then(|c| c.environment.as_ref()))
            });
            (version, Observed::from(environment))
        }
    };
    let environments: BTreeMap<String, Observed<Environment>> =
        join_all(versions.into_iter().map(read)).await.into_iter().collect();
    let runs = |(alias, version): (String, String)| {
        let environment = environments.get(&version).cloned();
        Runs { alias, version, environment }
    };
    Ok(routes.into_iter().map(runs).collect())
}

/// The versions that an alias sends its traffic to, each with the alias's name.
fn routes(alias: &AliasConfiguration) -> Vec<(String, String)> {
    let name = alias.name().unwrap_or_default();
    let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
    let further = weights.into_iter().flat_map(|weights| weights.keys().map(String::as_str));
    alias.function_version().into_iter().chain(further).map(|v| (name.to_owned(), v.to_owned())).collect()
}

/// Every alias, and how many calls it took one after the other.
async fn list(
    look: &Look<'_>,
    function: &FunctionName,
) -> Result<(Vec<AliasConfiguration>, u32), AwsFailure> {
    let (mut found, mut marker, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        pages += 1;
        let request =
            look.at.lambda().list_aliases().function_name(function.as_str()).set_marker(marker.clone());
        let asking =
            look.ask(Read::aside(pages, Family::LambdaControl, LIST, function.as_str()), request.send());
        let page = asking.await?;
        found.extend(page.aliases.unwrap_or_default());
        let next = page.next_marker.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok((found, pages));
        }
        if next == marker || pages == MOST_PAGES {
            let asked = Asked::read(LIST, function.as_str(), &look.at.region);
            return Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No));
        }
        marker = next;
    }
}
