//! Names that the model has no type for: variables, aliases, tables, attributes, destinations.

use super::section::{Read, Value, Wrong};
use super::values::text;
use crate::model::{Arn, Region};

/// Variables that Lambda keeps for itself (Lambda Developer Guide, configuration-envvars); all that
/// begin with `AWS_LAMBDA_` are refused as well.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// An environment variable that a function's owner may set.
pub(super) fn variable(value: &Value<'_>) -> Read<String> {
    let expected = "an environment variable of the function (a letter, then letters, digits, `_`)";
    let name = text(value, expected)?;
    let valid = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let reserved = RESERVED.contains(&name) || name.starts_with("AWS_LAMBDA_");
    match (valid, reserved) {
        (true, false) => Ok(name.to_owned()),
        (true, true) => {
            let hint =
                "Lambda sets it and refuses a change; name the variable that the function's code reads";
            Err(Wrong::expected("a variable that is not one of Lambda's own").hint(Some(hint.to_owned())))
        }
        (false, _) => Err(Wrong::expected(expected)),
    }
}

/// A function's alias.
pub(super) fn alias(value: &Value<'_>) -> Read<String> {
    let expected = "an alias of the function (1 to 128 letters, digits, `_`, `-`; not a version number)";
    let name = text(value, expected)?;
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let version = name.chars().all(|c| c.is_ascii_digit());
    match letters && !version && name.len() <= 128 {
        true => Ok(name.to_owned()),
        false if name == "$LATEST" => {
            Err(Wrong::expected(expected).hint(Some("without `alias`, $LATEST is changed".to_owned())))
        }
        false if version => {
            let hint = "a published version cannot be changed; let the caller invoke an alias";
            Err(Wrong::expected(expected).hint(Some(hint.to_owned())))
        }
        false => Err(Wrong::expected(expected)),
    }
}

/// A DynamoDB table.
pub(super) fn table(value: &Value<'_>) -> Read<String> {
    let expected = "a DynamoDB table name (3 to 255 letters, digits, `_`, `.`, `-`)";
    let name = text(value, expected)?;
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    match letters && (3..=255).contains(&name.len()) {
        true => Ok(name.to_owned()),
        false => Err(Wrong::expected(expected)),
    }
}

/// An attribute of a table's items.
pub(super) fn attribute(value: &Value<'_>) -> Read<String> {
    let expected = "an attribute name (1 to 255 characters)";
    let name = text(value, expected)?;
    match name.chars().count() <= 255 {
        true => Ok(name.to_owned()),
        false => Err(Wrong::expected(expected)),
    }
}

/// The on-failure destination of a mapping in `region` (Lambda Developer Guide, kinesis-on-failure-destination).
pub(super) fn destination(value: &Value<'_>, region: Option<&Region>) -> Read<String> {
    let expected = "the ARN of an SQS queue, an SNS topic or an S3 bucket";
    let name = text(value, expected)?;
    let service = name.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1)).unwrap_or_default();
    let arn = Arn::new(name);
    if !matches!(service, "sqs" | "sns" | "s3") || arn.resource().is_empty() {
        return Err(Wrong::expected(expected));
    }
    match region {
        Some(region) if service != "s3" && arn.region() != region.as_str() => Err(Wrong::expected(format!(
            "in the standby Region, {region}: the setting is for the standby's mapping"
        ))),
        _ => Ok(name.to_owned()),
    }
}
