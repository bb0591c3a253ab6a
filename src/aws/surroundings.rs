//! What of this machine's environment stands between kdsha and AWS: proxies, a certificate bundle, endpoint
//! overrides. An operator who knows it does not look for the fault in AWS.

/// Variables that name a proxy, as the SDK reads them.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// Variables that move a service's endpoint.
const ENDPOINTS: [&str; 6] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_KINESIS",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_STS",
];

/// One line for each of them, without passwords.
pub fn surroundings() -> Vec<String> {
    notes(|name| std::env::var(name).ok())
}

fn notes(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let mut notes = Vec::new();
    for name in PROXIES {
        if let Some(url) = set(name) {
            let but = ["NO_PROXY", "no_proxy"].iter().find_map(|name| Some((name, set(name)?)));
            let but = but.map(|(name, hosts)| format!(", but for {name}={hosts}")).unwrap_or_default();
            notes.push(format!("requests may go through the proxy {} ({name}{but})", host(&url)));
        }
    }
    if let Some(path) = set("AWS_CA_BUNDLE") {
        notes.push(format!("TLS trusts the certificates of {path} and no others (AWS_CA_BUNDLE)"));
    }
    for name in ENDPOINTS {
        if let Some(url) = set(name) {
            notes.push(format!("{name} sends requests to {}", host(&url)));
        }
    }
    notes
}

/// Host and port of a URL; its user and password stay where they are.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_told_without_its_password() {
        let told = notes(|name| match name {
            "HTTPS_PROXY" => Some("http://maria:hunter2@proxy.corp:3128/".to_owned()),
            "NO_PROXY" => Some("169.254.169.254".to_owned()),
            "AWS_ENDPOINT_URL_LAMBDA" => Some("http://127.0.0.1:4566".to_owned()),
            "HTTP_PROXY" => Some(String::new()),
            _ => None,
        });
        assert_eq!(
            told,
            [
                "requests may go through the proxy proxy.corp:3128 (HTTPS_PROXY, but for NO_PROXY=169.254.169.254)",
                "AWS_ENDPOINT_URL_LAMBDA sends requests to 127.0.0.1:4566",
            ]
        );
        assert!(notes(|_| None).is_empty());
    }
}
