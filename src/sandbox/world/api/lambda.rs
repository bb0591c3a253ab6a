//! Lambda: which call is which, and how functions are named (API reference of Lambda, 2015-03-31).

use super::super::functions::{Function, FunctionId};
use super::{At, Input, World, lambda_error};
use crate::sandbox::call::{ApiError, ApiResult};

/// A function as a caller names it: by name, by partial ARN or by ARN, each with or without a qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedFunction {
    pub name: String,
    pub qualifier: Option<String>,
    pub region: Option<String>,
    pub account: Option<String>,
}

impl NamedFunction {
    /// `NAME`, `ACCOUNT:function:NAME`, `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, and `:QUALIFIER` behind each.
    pub fn read(text: &str) -> NamedFunction {
        let parts: Vec<&str> = text.split(':').collect();
        let owned = |part: Option<&&str>| part.map(|p| (*p).to_owned());
        let word = parts.iter().position(|part| *part == "function");
        let (region, account, rest) = match word {
            Some(at) if at >= 5 => (owned(parts.get(at - 2)), owned(parts.get(at - 1)), &parts[at + 1..]),
            Some(at) if at >= 1 => (None, owned(parts.get(at - 1)), &parts[at + 1..]),
            _ => (None, None, &parts[..]),
        };
        NamedFunction {
            name: owned(rest.first()).unwrap_or_default(),
            qualifier: owned(rest.get(1)),
            region,
            account,
        }
    }
}

impl World {
    pub(super) fn lambda(&mut self, at: At, operation: &str, input: Input) -> Option<ApiResult> {
        Some(match operation {
            "CreateFunction" => self.create_function_call(at, input),
            "DeleteFunction" => self.delete_function(at, input),
            "ListFunctions" => self.list_functions(at, input),
            "GetFunction" => self.get_function(at, input),
            "GetFunctionConfiguration" => self.get_function_configuration(at, input),
            "UpdateFunctionConfiguration" => self.update_function_configuration(at, input),
            "GetAccountSettings" => self.get_account_settings(at),
            "GetFunctionConcurrency" => self.get_function_concurrency(at, input),
            "PutFunctionConcurrency" => self.put_function_concurrency(at, input),
            "DeleteFunctionConcurrency" => self.delete_function_concurrency(at, input),
            "Invoke" => self.invoke(at, input),
            "TagResource" => self.tag_function(at, input),
            "UntagResource" => self.untag_function(at, input),
            "ListTags" => self.list_function_tags(at, input),
            "PublishVersion" => self.publish_version(at, input),
            "ListVersionsByFunction" => self.list_versions(at, input),
            "CreateAlias" => self.create_alias(at, input),
            "GetAlias" => self.get_alias(at, input),
            "UpdateAlias" => self.update_alias(at, input),
            "DeleteAlias" => self.delete_alias(at, input),
            "ListAliases" => self.list_aliases(at, input),
            "CreateEventSourceMapping" => self.create_mapping_call(at, input),
            "GetEventSourceMapping" => self.get_mapping(at, input),
            "ListEventSourceMappings" => self.list_mappings(at, input),
            "UpdateEventSourceMapping" => self.update_mapping(at, input),
            "DeleteEventSourceMapping" => self.delete_mapping(at, input),
            _ => return None,
        })
    }

    /// The function and qualifier that FunctionName (and Qualifier) name.
    pub(super) fn function_of(&self, at: At, input: Input) -> Result<(FunctionId, Option<String>), ApiError> {
        let named = NamedFunction::read(input.text("FunctionName").unwrap_or_default());
        let qualifier = named.qualifier.clone().or_else(|| input.text("Qualifier").map(str::to_owned));
        let id = self.function_named(at, &named, qualifier.as_deref())?;
        Ok((id, qualifier))
    }

    pub(super) fn function_named(
        &self,
        at: At,
        named: &NamedFunction,
        qualifier: Option<&str>,
    ) -> Result<FunctionId, ApiError> {
        let place = &self.places[at.place.0];
        if let Some(other) = named.region.as_deref().filter(|region| *region != place.region.as_str()) {
            let text =
                format!("Functions from '{other}' are not reachable in this region ('{}')", place.region);
            return Err(lambda_error(404, "ResourceNotFoundException", text));
        }
        let foreign = named.account.as_deref().is_some_and(|account| account != place.account.as_str());
        let found = place.functions.get(&named.name).copied().filter(|_| !foreign);
        let found = found.filter(|id| self.functions[id.0].has(qualifier));
        found.ok_or_else(|| {
            let suffix = qualifier.map(|q| format!(":{q}")).unwrap_or_default();
            let arn = place.arn("lambda", &format!("function:{}{suffix}", named.name));
            lambda_error(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
        })
    }
}

/// Nothing else may be changed while an update is in progress.
pub(super) fn refuse_if_busy(function: &Function) -> Result<(), ApiError> {
    use super::super::functions::FunctionState::Pending;
    let text = match function.until {
        None => return Ok(()),
        Some(_) if function.state == Pending => {
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
                .to_owned()
        }
        Some(_) => format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            function.arn
        ),
    };
    Err(lambda_error(409, "ResourceConflictException", text))
}

/// Compare-and-swap: a RevisionId that is given must be the latest one.
pub(super) fn refuse_if_stale(input: Input, latest: &str) -> Result<(), ApiError> {
    match input.text("RevisionId") {
        Some(given) if given != latest => Err(lambda_error(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

pub(super) fn invalid_value(text: impl Into<String>) -> ApiError {
    lambda_error(400, "InvalidParameterValueException", text)
}

#[cfg(test)]
mod tests {
    use super::NamedFunction;

    #[test]
    fn functions_are_named_in_three_ways() {
        let plain = NamedFunction::read("F");
        assert_eq!((plain.name.as_str(), plain.qualifier), ("F", None));
        let partial = NamedFunction::read("123456789012:function:F:live");
        assert_eq!((partial.name.as_str(), partial.qualifier.as_deref()), ("F", Some("live")));
        let whole = NamedFunction::read("arn:aws:lambda:us-west-2:123456789012:function:F:3");
        assert_eq!((whole.region.as_deref(), whole.qualifier.as_deref()), (Some("us-west-2"), Some("3")));
    }
}
