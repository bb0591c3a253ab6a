//! What a person would type to send the same call safely with the AWS CLI, should kdsha not be at hand.
//!
//! The lines are for a POSIX shell with `jq`. They look ids up by function and source, since that is what is known
//! beforehand; they never print environment values; and they stop where more than one thing would fit.

use crate::model::{AccountId, Effect, FunctionName, MappingSettings, MappingSource, Region, StartAt};
use serde_json::json;
use std::collections::BTreeMap;

/// The commands that send an effect by hand. Without an account the first line asks AWS for it.
pub fn lines(effect: &Effect, account: Option<&AccountId>) -> Vec<String> {
    let shell = Shell { region: effect.region(), account };
    match effect {
        Effect::TagStream { stream, tags, .. } => vec![shell.aws(
            "kinesis add-tags-to-stream",
            &format!("--stream-name {stream} --tags {}", quoted(&json!(tags).to_string())),
        )],
        Effect::CreateMapping { function, source, start, enabled, settings, .. } => {
            let mut lines = shell.source(source);
            lines.extend(shell.create(function, *start, *enabled, settings));
            lines
        }
        Effect::SetMappingEnabled { function, source, enabled, .. } => {
            let flag = if *enabled { "--enabled" } else { "--no-enabled" };
            shell.with_mapping(function, source, "lambda update-event-source-mapping", flag)
        }
        Effect::DeleteMapping { function, source, .. } => {
            shell.with_mapping(function, source, "lambda delete-event-source-mapping", "")
        }
        Effect::SetEnvironment { function, set, .. } => shell.set_environment(function, set),
        Effect::PublishVersion { function, .. } => shell.publish(function),
        Effect::MoveAlias { function, alias, expect, .. } => shell.move_alias(function, alias, expect),
    }
}

struct Shell<'a> {
    region: &'a Region,
    account: Option<&'a AccountId>,
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The ARN partition of a Region (AWS General Reference, ARNs).
fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// `-1` is Lambda's word for "no limit".
fn limit(value: Option<u32>) -> String {
    value.map_or_else(|| "-1".to_owned(), |n| n.to_string())
}

impl Shell<'_> {
    fn aws(&self, operation: &str, rest: &str) -> String {
        format!("aws {operation} --region {} {rest}", self.region).trim_end().to_owned()
    }

    /// Sets `SOURCE` to the ARN of what a mapping reads.
    fn source(&self, source: &MappingSource) -> Vec<String> {
        let mut lines = Vec::new();
        let account = match self.account {
            Some(account) => account.to_string(),
            None => {
                let ask = self.aws("sts get-caller-identity", "--query Account --output text");
                lines.push(format!("ACCOUNT=$({ask})"));
                "$ACCOUNT".to_owned()
            }
        };
        let (partition, region) = (partition(self.region.as_str()), self.region);
        let stream = format!("arn:{partition}:kinesis:{region}:{account}:stream/{}", source.stream());
        match source {
            MappingSource::Stream(_) => lines.push(format!("SOURCE={stream}")),
            MappingSource::StreamConsumer { consumer, .. } => {
                let rest = format!(
                    "--stream-arn {stream} --consumer-name {consumer} --query ConsumerDescription.ConsumerARN --output text"
                );
                lines.push(format!("SOURCE=$({})", self.aws("kinesis describe-stream-consumer", &rest)));
            }
        }
        lines
    }

    fn create(
        &self,
        function: &FunctionName,
        start: StartAt,
        enabled: bool,
        settings: &MappingSettings,
    ) -> Vec<String> {
        let position = match start {
            StartAt::TrimHorizon => "--starting-position TRIM_HORIZON".to_owned(),
            StartAt::Timestamp(at) => {
                format!("--starting-position AT_TIMESTAMP --starting-position-timestamp {}", at.as_second())
            }
        };
        let on = if enabled { "--enabled" } else { "--no-enabled" };
        let bisect = if settings.bisect_on_error {
            "--bisect-batch-on-function-error"
        } else {
            "--no-bisect-batch-on-function-error"
        };
        let mut options = vec![
            format!("--function-name {function} --event-source-arn \"$SOURCE\" {on}"),
            position,
            format!(
                "--batch-size {} --maximum-batching-window-in-seconds {}",
                settings.batch_size, settings.batching_window_seconds
            ),
            format!("--parallelization-factor {} {bisect}", settings.parallelization_factor),
            format!(
                "--maximum-record-age-in-seconds {} --maximum-retry-attempts {}",
                limit(settings.maximum_record_age_seconds),
                limit(settings.maximum_retry_attempts)
            ),
        ];
        options.extend(optional_settings(settings));
        let mut lines = vec![format!("{} \\", self.aws("lambda create-event-source-mapping", ""))];
        let last = options.len() - 1;
        lines.extend(options.iter().enumerate().map(|(index, option)| {
            let more = if index < last { " \\" } else { "" };
            format!("  {option}{more}")
        }));
        lines
    }

    /// Finds the one mapping of a function on a source, and uses it.
    fn with_mapping(
        &self,
        function: &FunctionName,
        source: &MappingSource,
        operation: &str,
        rest: &str,
    ) -> Vec<String> {
        let mut lines = self.source(source);
        let query = format!("--function-name {function} --event-source-arn \"$SOURCE\"");
        lines.push(format!("{} |", self.aws("lambda list-event-source-mappings", &query)));
        lines.push("  jq -r '.EventSourceMappings[] | [.UUID, .State, .FunctionArn] | @tsv'".to_owned());
        lines.push("# exactly one line must come; with none or several, stop here".to_owned());
        lines.push("UUID=...   # the id in that line".to_owned());
        lines.push(self.aws(operation, format!("--uuid \"$UUID\" {rest}").trim_end()));
        lines
    }

    /// Read all, change some, send with the revision that was read. The files hold every value of the environment.
    fn set_environment(&self, function: &FunctionName, set: &BTreeMap<String, String>) -> Vec<String> {
        let file = format!("{function}.json");
        let changes = json!(set).to_string();
        let is_safe = r#".LastUpdateStatus == "Successful" and (.Environment.Error | not)"#;
        let merged = format!("{{Variables: ((.Environment.Variables // {{}}) + {changes})}}");
        let program = format!("if {is_safe} then {merged} else error(\"not safe to write now\") end");
        let keys: Vec<&str> = set.keys().map(String::as_str).collect();
        let show = format!(
            "jq '.Environment.Variables | {{{}}}'",
            keys.iter().map(|k| format!("{k:?}")).collect::<Vec<_>>().join(", ")
        );
        let read = self.aws("lambda get-function-configuration", &format!("--function-name {function}"));
        let send = self.aws(
            "lambda update-function-configuration",
            &format!(
                "--function-name {function} --environment file://{function}.env.json --query RevisionId"
            ),
        );
        vec![
            "umask 077   # these files hold every value of the function's environment".to_owned(),
            format!("{read} > {file}"),
            format!("jq {} {file} > {function}.env.json &&", quoted(&program)),
            format!("{send} \\"),
            format!("  --revision-id \"$(jq -r .RevisionId {file})\""),
            self.aws("lambda wait function-updated-v2", &format!("--function-name {function}")),
            format!("{read} | {show}"),
            format!("rm {file} {function}.env.json"),
        ]
    }

    fn publish(&self, function: &FunctionName) -> Vec<String> {
        let revision = self.aws(
            "lambda get-function-configuration",
            &format!("--function-name {function} --query RevisionId --output text"),
        );
        let rest = format!("--function-name {function} --query Version --output text \\");
        vec![
            format!("REVISION=$({revision})"),
            format!("VERSION=$({}", self.aws("lambda publish-version", &rest)),
            "  --revision-id \"$REVISION\")".to_owned(),
        ]
    }

    fn move_alias(
        &self,
        function: &FunctionName,
        alias: &str,
        expect: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let keys: Vec<String> = expect.keys().map(|key| format!("{key:?}")).collect();
        let versions = self.aws("lambda list-versions-by-function", &format!("--function-name {function}"));
        let look = self.aws(
            "lambda get-function-configuration",
            &format!("--function-name {function} --qualifier \"$VERSION\""),
        );
        let revision = self.aws(
            "lambda get-alias",
            &format!("--function-name {function} --name {alias} --query RevisionId --output text"),
        );
        let wanted: Vec<String> = expect.iter().map(|(key, value)| format!("{key}={value}")).collect();
        vec![
            format!("VERSION=$({versions} |"),
            "  jq -r '[.Versions[].Version | select(. != \"$LATEST\") | tonumber] | max')".to_owned(),
            format!("{look} | jq '.Environment.Variables | {{{}}}'", keys.join(", ")),
            format!("# it must say {}; otherwise stop here", wanted.join(" ")),
            format!("REVISION=$({revision})"),
            format!(
                "{} \\",
                self.aws("lambda update-alias", &format!("--function-name {function} --name {alias}"))
            ),
            "  --function-version \"$VERSION\" --revision-id \"$REVISION\"".to_owned(),
        ]
    }
}

/// Settings that are sent only where they are set.
fn optional_settings(settings: &MappingSettings) -> Vec<String> {
    let mut options = Vec::new();
    if let Some(arn) = &settings.on_failure {
        let config = json!({ "OnFailure": { "Destination": arn } }).to_string();
        options.push(format!("--destination-config {}", quoted(&config)));
    }
    if !settings.response_types.is_empty() {
        options.push(format!("--function-response-types {}", settings.response_types.join(" ")));
    }
    if settings.tumbling_window_seconds > 0 {
        options.push(format!("--tumbling-window-in-seconds {}", settings.tumbling_window_seconds));
    }
    if !settings.filters.is_empty() {
        let filters: Vec<_> = settings.filters.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
        options.push(format!("--filter-criteria {}", quoted(&json!({ "Filters": filters }).to_string())));
    }
    options.extend(settings.kms_key.as_ref().map(|key| format!("--kms-key-arn {key}")));
    if settings.count_events {
        options.push(format!("--metrics-config {}", quoted(r#"{"Metrics":["EventCount"]}"#)));
    }
    options
}
