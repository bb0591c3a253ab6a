//! Traps of the environment: settings that would send both Regions' calls to one place, or trust the wrong roots.

use super::connect::ConnectError;
use crate::config::Topology;

/// The variables by which the SDK lets an endpoint be overridden; they are not per Region.
const VARIABLES: [&str; 6] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_KINESIS",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_STS",
];

/// Whether a URL stays on this machine.
fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', '?']).next().unwrap_or_default();
    let host = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |v6| v6.split(']').next().unwrap_or_default(),
    );
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Refuses an override that sends both Regions to one endpoint, unless that is on this machine, and a certificate
/// bundle that would silently not be used.
///
/// # Errors
/// [`ConnectError`], naming the variable and the way out.
pub(super) fn refuse_traps(
    topology: &Topology,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), ConnectError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let ignored = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    // STS is asked in one Region alone.
    let regional = VARIABLES.iter().filter(|name| **name != "AWS_ENDPOINT_URL_STS");
    let covered = topology.endpoints.len() == 2;
    for name in regional.filter(|_| !ignored && !covered) {
        if let Some(url) = set(name).filter(|url| !is_loopback(url)) {
            return Err(ConnectError::OneEndpoint { variable: (*name).to_owned(), url });
        }
    }
    match set("AWS_CA_BUNDLE") {
        Some(bundle) if set("SSL_CERT_FILE").is_none() => Err(ConnectError::CaBundle(bundle)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::path::Path;

    fn judge(variables: &[(&str, &str)]) -> Result<(), ConnectError> {
        let topology =
            config::parse(config::THE_POST, Path::new("kdsha.toml")).expect("the post's configuration");
        let find = |key: &str| variables.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
        refuse_traps(&topology, &find)
    }

    #[test]
    fn one_endpoint_for_both_regions_is_refused_unless_it_is_on_this_machine() {
        assert!(judge(&[]).is_ok());
        assert!(judge(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]).is_ok());
        assert!(judge(&[("AWS_ENDPOINT_URL", "http://[::1]:4566/x")]).is_ok());
        assert!(
            judge(&[("AWS_ENDPOINT_URL_LAMBDA", "https://vpce-1.lambda.us-east-2.vpce.amazonaws.com")])
                .is_err()
        );
        assert!(judge(&[("AWS_ENDPOINT_URL", "http://localhost.example.com")]).is_err());
    }

    #[test]
    fn a_bundle_that_would_not_be_used_is_refused() {
        assert!(judge(&[("AWS_CA_BUNDLE", "/etc/ca.pem")]).is_err());
        assert!(judge(&[("AWS_CA_BUNDLE", "/etc/ca.pem"), ("SSL_CERT_FILE", "/etc/ca.pem")]).is_ok());
    }
}
