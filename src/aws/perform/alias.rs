//! Producers that are invoked through an alias: a version locks its environment, so a switch of $LATEST
//! reaches them by a new version and a moved alias.

use super::send::lambda_once;
use super::{Deadline, Hand};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AliasView, AwsFailure, Environment, FailureKind, FunctionName, Performed, Sent};
use aws_sdk_lambda::operation::get_alias::GetAliasOutput;
use aws_sdk_lambda::types::FunctionConfiguration;
use std::collections::BTreeMap;

const PUBLISH: &str = "lambda:PublishVersion";
const MOVE: &str = "lambda:UpdateAlias";
const MOST_PAGES: u32 = 500;

/// What a version's environment has to say, and may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    /// What it has to say.
    pub(super) expect: &'a BTreeMap<String, String>,
    /// What it may say unlike the version that the alias points at.
    pub(super) beside: &'a BTreeMap<String, String>,
}

impl Hand<'_> {
    /// Publishes what $LATEST is. Lambda makes no new version when nothing changed since the newest one, so
    /// doing it twice does no harm.
    pub(super) async fn publish_version(&self, function: &FunctionName) -> Result<Performed, AwsFailure> {
        let asked = Asked::mutation(PUBLISH, function.as_str(), &self.at.region);
        let now = self.settled(&asked, function, None, Sent::No).await?;
        let request = self
            .at
            .lambda()
            .publish_version()
            .function_name(function.as_str())
            .set_revision_id(now.revision_id);
        let send = || request.clone().customize().config_override(lambda_once()).send();
        let done = self.write(Family::LambdaControl, PUBLISH, function.as_str(), send).await?;
        let version = done.answer.version().unwrap_or("without a number").to_owned();
        Ok(done.applied(format!("version {version}")))
    }

    /// Moves an alias to the newest version whose environment says what is expected.
    pub(super) async fn move_alias(
        &self,
        function: &FunctionName,
        alias: &str,
        said: &Said<'_>,
    ) -> Result<Performed, AwsFailure> {
        let resource = format!("{function}:{alias}");
        let asked = Asked::mutation(MOVE, &resource, &self.at.region);
        let (found, versions) =
            tokio::join!(self.get_alias(function, alias, &resource), self.versions(&asked, function));
        let (found, versions) = (found?, versions?);
        let refuse = |text: String| asked.failed(FailureKind::Refused, text, Sent::No);
        let at = found.function_version().unwrap_or_default();
        if at == AliasView::LATEST && !is_weighted(&found) {
            return Ok(Performed::AlreadySo(
                "the alias points at $LATEST, which has the variables".to_owned(),
            ));
        }
        let newest = choose(&versions, at, said).map_err(&refuse)?;
        if is_weighted(&found) {
            let text = "the alias splits its traffic between two versions; make it point at one \
                        (aws lambda update-alias --routing-config AdditionalVersionWeights={}), then resume";
            return Err(refuse(text.to_owned()));
        }
        if at == newest {
            return Ok(Performed::AlreadySo(format!("the alias points at version {newest}")));
        }
        self.wait_active(&asked, function, &newest).await?;
        let request = self
            .at
            .lambda()
            .update_alias()
            .function_name(function.as_str())
            .name(alias)
            .function_version(&newest)
            .set_revision_id(found.revision_id.clone());
        let send = || request.clone().customize().config_override(lambda_once()).send();
        let done = self.write(Family::LambdaControl, MOVE, &resource, send).await?;
        Ok(done.applied(format!("version {at} -> {newest}")))
    }

    async fn get_alias(
        &self,
        function: &FunctionName,
        alias: &str,
        resource: &str,
    ) -> Result<GetAliasOutput, AwsFailure> {
        let request = self.at.lambda().get_alias().function_name(function.as_str()).name(alias);
        self.at.read(Family::LambdaControl, "lambda:GetAlias", resource, request.send()).await
    }

    /// Every published version.
    async fn versions(
        &self,
        asked: &Asked<'_>,
        function: &FunctionName,
    ) -> Result<Vec<FunctionConfiguration>, AwsFailure> {
        const LIST: &str = "lambda:ListVersionsByFunction";
        let (mut found, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let request = self
                .at
                .lambda()
                .list_versions_by_function()
                .function_name(function.as_str())
                .set_marker(marker);
            let page = self.at.read(Family::LambdaControl, LIST, function.as_str(), request.send()).await?;
            found.extend(page.versions.unwrap_or_default());
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(asked.failed(FailureKind::Unreadable, "the list of versions does not end", Sent::No))
    }

    /// A version may be Pending for a while after it was published; invoked then, it fails.
    async fn wait_active(
        &self,
        asked: &Asked<'_>,
        function: &FunctionName,
        version: &str,
    ) -> Result<(), AwsFailure> {
        let deadline = Deadline::begin();
        loop {
            let got = self.get_function(function, Some(version)).await?;
            let state = got.configuration.as_ref().map_or_else(|| "unknown".to_owned(), convert::state);
            match state.as_str() {
                "Active" | "Inactive" => return Ok(()),
                "Pending" if self.gives_up(deadline).is_none() => self.pause(self.poll).await,
                state => {
                    let text = format!("version {version} is {state}, not Active");
                    return Err(asked.failed(FailureKind::Refused, text, Sent::No));
                }
            }
        }
    }
}

fn is_weighted(alias: &GetAliasOutput) -> bool {
    let weights =
        alias.routing_config.as_ref().and_then(|routing| routing.additional_version_weights.as_ref());
    weights.is_some_and(|weights| !weights.is_empty())
}

fn number(version: &FunctionConfiguration) -> Option<u64> {
    version.version()?.parse().ok()
}

/// The newest version that says what is expected. It must be what the alias runs now but for the expected variables:
/// $LATEST may hold what nobody has released, and a failover is no release.
fn choose(versions: &[FunctionConfiguration], current: &str, said: &Said<'_>) -> Result<String, String> {
    let says = |version: &&FunctionConfiguration| match convert::environment(version.environment.as_ref()) {
        Environment::Readable(variables) => {
            said.expect.iter().all(|(key, value)| variables.get(key).is_some_and(|v| v.expose() == value))
        }
        Environment::Unreadable(_) => false,
    };
    let newest = versions
        .iter()
        .filter(|version| number(version).is_some())
        .filter(says)
        .max_by_key(|version| number(version))
        .ok_or_else(|| {
            let keys: Vec<&str> = said.expect.keys().map(String::as_str).collect();
            format!("no published version has {} as expected; publish one from $LATEST", keys.join(", "))
        })?;
    let target = newest.version().unwrap_or_default();
    let now = versions.iter().find(|version| version.version() == Some(current));
    let others = now.map(|now| differences(now, newest, said)).unwrap_or_default();
    match others.is_empty() {
        true => Ok(target.to_owned()),
        false => Err(format!(
            "version {target} also differs from version {current}, which the alias points at, in {}: $LATEST holds \
             what was not released. Release it, or publish a version of what is released with the variables that are \
             expected and move the alias by hand, then resume",
            others.join(", ")
        )),
    }
}

/// What two versions do not share beside the expected variables, by name.
fn differences(now: &FunctionConfiguration, then: &FunctionConfiguration, said: &Said<'_>) -> Vec<String> {
    let parts = convert::release(now).differences(&convert::release(then));
    parts.into_iter().map(str::to_owned).chain(other_keys(now, then, said)).collect()
}

/// The variables beside the expected ones that two versions do not share, by their keys.
fn other_keys(now: &FunctionConfiguration, then: &FunctionConfiguration, said: &Said<'_>) -> Vec<String> {
    let of = |version: &FunctionConfiguration| convert::environment(version.environment.as_ref());
    let (Environment::Readable(now), Environment::Readable(then)) = (of(now), of(then)) else {
        return Vec::new();
    };
    let keys: std::collections::BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    let is_ours = |key: &String| {
        let beside = said.beside.get(key);
        said.expect.contains_key(key)
            || beside.is_some_and(|value| then.get(key).map(|v| v.expose()) == Some(value))
    };
    let differs = |key: &&&String| !is_ours(key) && now.get(**key) != then.get(**key);
    keys.iter().filter(differs).map(|key| (*key).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::EnvironmentResponse;

    fn version(number: &str, region: &str, code: &str) -> FunctionConfiguration {
        let environment = EnvironmentResponse::builder().variables("REGION", region).build();
        FunctionConfiguration::builder().version(number).environment(environment).code_sha256(code).build()
    }

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// The choice where the Region has to be us-east-2.
    fn choice(versions: &[FunctionConfiguration], current: &str) -> Result<String, String> {
        choice_beside(versions, current, &[])
    }

    fn choice_beside(
        versions: &[FunctionConfiguration],
        current: &str,
        beside: &[(&str, &str)],
    ) -> Result<String, String> {
        let (expect, beside) = (pairs(&[("REGION", "us-east-2")]), pairs(beside));
        choose(versions, current, &Said { expect: &expect, beside: &beside })
    }

    #[test]
    fn the_newest_version_with_the_expected_environment_is_taken() {
        let versions = [
            version("$LATEST", "us-east-2", "a"),
            version("9", "us-west-2", "a"),
            version("10", "us-east-2", "a"),
            version("2", "us-east-2", "a"),
        ];
        assert_eq!(choice(&versions, "9"), Ok("10".to_owned()));
        assert!(choice(&versions[..2], "9").is_err());
    }

    #[test]
    fn an_alias_is_not_moved_to_other_variables_that_nobody_released() {
        let with = |number: &str, region: &str, token: &str| {
            let variables =
                EnvironmentResponse::builder().variables("REGION", region).variables("TOKEN", token);
            let version = FunctionConfiguration::builder().version(number).code_sha256("a");
            version.environment(variables.build()).build()
        };
        let released = [with("9", "us-west-2", "old"), with("10", "us-east-2", "old")];
        assert_eq!(choice(&released, "9"), Ok("10".to_owned()));
        let text = choice(&[with("9", "us-west-2", "old"), with("10", "us-east-2", "new")], "9");
        let text = text.expect_err("another token");
        assert!(text.contains("TOKEN") && !text.contains("new") && !text.contains("old,"), "{text}");
    }

    #[test]
    fn an_alias_is_not_moved_to_code_that_nobody_released() {
        let versions = [version("9", "us-west-2", "released"), version("10", "us-east-2", "unreleased")];
        let text = choice(&versions, "9").expect_err("other code");
        assert!(text.contains("not released"), "{text}");
    }

    /// Another pipeline's switch of the same function is no release, as long as it says what that switch sets.
    #[test]
    fn an_alias_is_moved_to_what_the_run_sets_beside_and_to_nothing_else() {
        let with = |number: &str, region: &str, second: &str| {
            let variables =
                EnvironmentResponse::builder().variables("REGION", region).variables("SECOND", second);
            let version = FunctionConfiguration::builder().version(number).code_sha256("a");
            version.environment(variables.build()).build()
        };
        let both = [with("9", "us-west-2", "us-west-2"), with("10", "us-east-2", "us-east-2")];
        assert!(choice(&both, "9").is_err());
        assert_eq!(choice_beside(&both, "9", &[("SECOND", "us-east-2")]), Ok("10".to_owned()));
        assert!(choice_beside(&both, "9", &[("SECOND", "eu-west-1")]).is_err());
    }
}
