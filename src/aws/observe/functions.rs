//! Functions by `GetFunction` (a quota of its own), aliases by `GetAlias`.

use super::Look;
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::model::{AliasView, AwsFailure, FailureKind, FunctionName, FunctionView, Observed, Sent, Side};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use futures_util::future::{join, join_all};
use std::collections::BTreeMap;

impl Look<'_> {
    async fn get_function(
        &self,
        clients: &Clients,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<GetFunctionOutput, AwsFailure> {
        clients.get_function.turn().await;
        let asked = Asked { operation: "lambda:GetFunction", resource: name, region: &clients.region };
        let call =
            clients.lambda.get_function().function_name(name).set_qualifier(qualifier.map(str::to_owned));
        self.ask(asked, 1, call.send()).await
    }

    async fn function(&self, clients: &Clients, name: &FunctionName) -> Result<FunctionView, AwsFailure> {
        let output = self.get_function(clients, name.as_str(), None).await?;
        let asked =
            Asked { operation: "lambda:GetFunction", resource: name.as_str(), region: &clients.region };
        let view = convert::function(&output)
            .map_err(|why| asked.failure(FailureKind::Unreadable, Sent::No, why))?;
        // The SDK does not compare them.
        match view.arn.region() == clients.region.as_str() {
            true => Ok(view),
            false => {
                let why = format!("{} answered with a function of {}", clients.region, view.arn.region());
                Err(asked.failure(FailureKind::Unreadable, Sent::No, why))
            }
        }
    }

    /// Every function of a side.
    pub(super) async fn functions(
        &self,
        clients: &Clients,
        side: Side,
    ) -> BTreeMap<FunctionName, Observed<FunctionView>> {
        let each = self.functions_of(side).into_iter().map(async |name| {
            let view = self.function(clients, &name).await;
            (name, Observed::from(view))
        });
        join_all(each).await.into_iter().collect()
    }

    async fn alias(
        &self,
        clients: &Clients,
        name: &FunctionName,
        alias: &str,
    ) -> Result<AliasView, AwsFailure> {
        clients.control.turn().await;
        let resource = format!("{name}:{alias}");
        let asked = Asked { operation: "lambda:GetAlias", resource: &resource, region: &clients.region };
        let call = clients.lambda.get_alias().function_name(name.as_str()).name(alias).send();
        let (found, behind) =
            join(self.ask(asked, 1, call), self.get_function(clients, name.as_str(), Some(alias))).await;
        Ok(convert::alias(&found?, &behind?))
    }

    /// Every alias through which a producer of a side is invoked.
    pub(super) async fn aliases(
        &self,
        clients: &Clients,
        side: Side,
    ) -> BTreeMap<(FunctionName, String), Observed<AliasView>> {
        let producers = self.pipelines().flat_map(|p| &p.producers).filter(|p| p.side == side);
        let aliased = producers.filter_map(|p| Some((p.function.clone(), p.alias.clone()?)));
        let each = aliased.map(async |(name, alias)| {
            let view = self.alias(clients, &name, &alias).await;
            ((name, alias), Observed::from(view))
        });
        join_all(each).await.into_iter().collect()
    }
}
