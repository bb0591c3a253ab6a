//! Names and ids as AWS spells them, each in a type of its own, checked where they are read.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An id that does not have the form AWS gives it. The message says which form that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct InvalidId {
    /// What was given.
    pub value: String,
    /// What it should have been, as a noun phrase.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as AWS spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                match valid(value) {
                    true => Ok(Self(value.to_owned())),
                    false => Err(InvalidId { value: value.to_owned(), expected: $expected }),
                }
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                value.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

fn word(value: &str, most: usize, also: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    !value.is_empty() && value.len() <= most && value.chars().all(fits)
}

fn is_region(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let (Some(number), true) = (parts.last(), parts.len() >= 3) else { return false };
    let letters = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    parts[..parts.len() - 1].iter().all(letters)
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}

id! {
    /// An AWS Region, such as `us-west-2`.
    Region, "an AWS Region such as us-west-2", is_region
}
id! {
    /// A 12-digit AWS account id.
    AccountId, "a 12-digit AWS account id", |v| v.len() == 12 && v.chars().all(|c| c.is_ascii_digit())
}
id! {
    /// A Kinesis stream's or stream consumer's name (1 to 128 of `[a-zA-Z0-9_.-]`).
    StreamName, "a Kinesis stream name (1 to 128 letters, digits, `_`, `.`, `-`)", |v| word(v, 128, "_.-")
}
id! {
    /// A Lambda function's name, without Region, account or qualifier.
    FunctionName, "a Lambda function name (1 to 64 letters, digits, `_`, `-`; no ARN, no qualifier)", |v| word(v, 64, "_-")
}
id! {
    /// A pipeline's name in `kdsha.toml`.
    PipelineName, "a pipeline name (1 to 64 letters, digits, `_`, `.`, `-`)", |v| word(v, 64, "_.-")
}
id! {
    /// An event source mapping's UUID.
    MappingId, "an event source mapping UUID", |v| word(v, 64, "-")
}
id! {
    /// One execution of kdsha: `20261122-104501-failover-3f9a`.
    RunId, "a run id", |v| word(v, 96, "-")
}

/// An Amazon Resource Name. Only the parts kdsha compares are read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Arn(String);

impl Arn {
    /// Takes any text; parts that are not there read as empty.
    pub fn new(text: impl Into<String>) -> Arn {
        Arn(text.into())
    }
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }
    /// The Region inside the ARN. It must be the client's: the SDK does not compare them.
    pub fn region(&self) -> &str {
        self.part(3)
    }
    /// The account inside the ARN.
    pub fn account(&self) -> &str {
        self.part(4)
    }
    /// Everything after the account: `stream/NAME/consumer/CONSUMER:EPOCH`, `function:NAME:QUALIFIER`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }
    /// The stream's name in a stream ARN or a stream consumer's ARN.
    pub fn stream(&self) -> Option<&str> {
        self.resource().strip_prefix("stream/")?.split('/').next()
    }
    /// What a mapping reads, as a person names it: a stream by its name, anything else with its service.
    pub fn source_name(&self) -> String {
        match (self.part(2), self.stream(), self.resource().split('/').nth(1)) {
            ("kinesis", Some(stream), _) => stream.to_owned(),
            (service, _, Some(name)) => format!("{name} ({service})"),
            (service, _, None) => format!("{} ({service})", self.resource()),
        }
    }
    /// The consumer's name in an enhanced fan-out consumer's ARN.
    pub fn stream_consumer(&self) -> Option<&str> {
        self.resource().split_once("/consumer/")?.1.split(':').next()
    }
    /// The function's name in a function ARN.
    pub fn function(&self) -> Option<&str> {
        self.resource().strip_prefix("function:")?.split(':').next()
    }
    /// The version or alias in a function ARN.
    pub fn qualifier(&self) -> Option<&str> {
        self.resource().strip_prefix("function:")?.split(':').nth(1)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_typing_errors() {
        for good in ["us-west-2", "ap-southeast-1", "us-gov-east-1", "eu-isoe-west-1"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in ["", "us-west", "us-west-2a", "US-WEST-2", "uswest2", "us--2", "us-west-"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_arn_gives_its_parts() {
        let consumer = Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S/consumer/C:1700000000");
        assert_eq!((consumer.region(), consumer.account()), ("us-west-2", "123456789012"));
        assert_eq!((consumer.stream(), consumer.stream_consumer()), (Some("S"), Some("C")));
        let function = Arn::new("arn:aws:lambda:us-west-2:123456789012:function:F:live");
        assert_eq!((function.function(), function.qualifier()), (Some("F"), Some("live")));
        assert_eq!(function.stream(), None);
        let source = |resource: &str| Arn::new(format!("arn:aws:{resource}")).source_name();
        assert_eq!(consumer.source_name(), "S");
        assert_eq!(
            source("dynamodb:us-west-2:123456789012:table/Orders/stream/2026-01-01T00:00:00.000"),
            "Orders (dynamodb)"
        );
        assert_eq!(source("sqs:us-west-2:123456789012:jobs"), "jobs (sqs)");
    }
}
