//! Which endpoint each Region's clients use. An override in the environment or in a profile has no Region: it
//! would send both Regions' calls to one host, so unless that host is this machine it is refused.

use super::connect::{ConnectError, ConnectOptions};
use crate::config::Topology;
use crate::model::Region;
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use std::collections::BTreeMap;

/// The services that are asked in both Regions: the service id of its model, and the end of its variable.
const SERVICES: [(&str, &str); 4] = [
    ("Lambda", "AWS_ENDPOINT_URL_LAMBDA"),
    ("Kinesis", "AWS_ENDPOINT_URL_KINESIS"),
    ("CloudWatch", "AWS_ENDPOINT_URL_CLOUDWATCH"),
    ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
];

/// The endpoints that kdsha sets itself, by Region: `[endpoints]` of `kdsha.toml`, else the option. A Region
/// without one uses what the SDK finds.
pub(super) fn resolve(
    topology: &Topology,
    options: &ConnectOptions,
    sdk: &SdkConfig,
) -> Result<BTreeMap<Region, String>, ConnectError> {
    let regions = [&topology.regions.primary, &topology.regions.standby];
    let mut endpoints = BTreeMap::new();
    for region in regions {
        if let Some(url) = topology.endpoints.get(region) {
            host(url).ok_or_else(|| bad(&format!("[endpoints] {region}"), url))?;
            endpoints.insert(region.clone(), url.clone());
        }
    }
    if let Some(url) = &options.endpoint {
        check_shared("the endpoint option", "every service", url, topology)?;
        for region in regions {
            endpoints.entry(region.clone()).or_insert_with(|| url.clone());
        }
    }
    // With at most one Region left to an override, it cannot stand for both.
    if endpoints.is_empty() {
        check_overrides(topology, sdk)?;
    }
    Ok(endpoints)
}

fn check_overrides(topology: &Topology, sdk: &SdkConfig) -> Result<(), ConnectError> {
    // Without a pipeline, tables are still to be looked for.
    let has_sink =
        topology.pipelines.is_empty() || topology.pipelines.iter().any(|pipeline| pipeline.sink.is_some());
    for (service, variable) in SERVICES {
        if service == "DynamoDB" && !has_sink {
            continue;
        }
        let Some(url) = service_override(sdk, service).or_else(|| sdk.endpoint_url().map(str::to_owned))
        else {
            continue;
        };
        let place = place_of(&url, variable);
        check_shared(place, service, &url, topology)?;
    }
    Ok(())
}

/// The override of one service, found as the SDK finds it: its own, else the general one.
fn service_override(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    sdk.service_config()?.load_config(key)
}

/// Names the place an override came from: the variable that holds it, else the profile.
fn place_of<'a>(url: &str, variable: &'a str) -> &'a str {
    let holds = |name: &str| std::env::var(name).is_ok_and(|value| value == url);
    [variable, "AWS_ENDPOINT_URL"]
        .into_iter()
        .find(|name| holds(name))
        .unwrap_or("endpoint_url of the profile (or of its services section)")
}

fn check_shared(
    variable: &str,
    service: &'static str,
    url: &str,
    topology: &Topology,
) -> Result<(), ConnectError> {
    let host = host(url).ok_or_else(|| bad(variable, url))?;
    if is_loopback(host) {
        return Ok(());
    }
    Err(ConnectError::SharedEndpoint {
        variable: variable.to_owned(),
        service,
        url: url.to_owned(),
        primary: topology.regions.primary.clone(),
        standby: topology.regions.standby.clone(),
    })
}

fn bad(variable: &str, url: &str) -> ConnectError {
    ConnectError::BadEndpoint { variable: variable.to_owned(), url: url.to_owned() }
}

/// The host of an `http` or `https` URL.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.rsplit('@').next()?;
    let host = match host_and_port.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host_and_port.split(':').next()?,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_and_loopback_is_told_from_look_alikes() {
        assert_eq!(
            host("https://vpce-1.lambda.us-west-2.vpce.amazonaws.com/x"),
            Some("vpce-1.lambda.us-west-2.vpce.amazonaws.com")
        );
        assert_eq!(host("http://[::1]:4566"), Some("::1"));
        assert_eq!(host("http://127.0.0.1@evil.example:80/"), Some("evil.example"));
        for bad in ["", "localhost:4566", "ftp://localhost", "http://", "http:// x"] {
            assert_eq!(host(bad), None, "{bad}");
        }
        for here in ["localhost", "127.0.0.1", "127.8.8.8", "::1", "sandbox.localhost"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
