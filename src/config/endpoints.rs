//! `[endpoints]`: where an emulator or a VPC endpoint answers for a Region.

use super::problem::Finding;
use super::section::{Read, Section, Value, Wrong, nearest, printable};
use super::sections::RegionsRead;
use super::values::text;
use crate::model::Region;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Reads the table. Keys are the two Regions; one URL for both is refused unless it is loopback:
/// the two Regions of a real account never share an endpoint.
pub(super) fn read(section: &Section<'_>, regions: &RegionsRead) -> Option<BTreeMap<Region, String>> {
    let mut endpoints = BTreeMap::new();
    let mut sound = true;
    for (key, span, _) in section.entries() {
        let known = key.parse::<Region>().ok().filter(|region| regions.may_be(region));
        if known.is_none() {
            section.report(unknown_region(key, span, regions));
        }
        let url = section.optional(key, url).flatten();
        match (known, url) {
            (Some(region), Some(url)) => {
                endpoints.insert(region, url);
            }
            _ => sound = false,
        }
    }
    let urls: Vec<&String> = endpoints.values().collect();
    if let [one, other] = urls[..]
        && one == other
        && !is_loopback(host(one).unwrap_or_default())
    {
        let message = "one endpoint for both Regions: a call for one Region would reach the other";
        let second = endpoints.keys().map(|region| section.place(region.as_str()));
        let span = second.max_by_key(|span| span.start).unwrap_or_else(|| section.span.clone());
        section.report(Finding::at(span, message).hint("only a loopback address may serve both"));
        sound = false;
    }
    sound.then_some(endpoints)
}

fn unknown_region(key: &str, span: std::ops::Range<usize>, regions: &RegionsRead) -> Finding {
    let key = printable(key);
    let finding = Finding::at(span, format!("`{key}` in [endpoints] is neither of the two Regions"));
    let side = nearest(&key, &["primary", "standby"]).and_then(|side| match side {
        "primary" => regions.primary.as_ref(),
        _ => regions.standby.as_ref(),
    });
    match (side, regions.names()) {
        (Some(region), _) => finding.hint(format!("name the Region: {region} = \"...\"")),
        (None, Some(names)) => finding.hint(format!("the Regions are {names}")),
        (None, None) => finding,
    }
}

/// An endpoint URL: https, or http to this machine.
fn url(value: &Value<'_>) -> Read<String> {
    let expected = "a URL such as \"https://host:port\"";
    let url = text(value, expected)?;
    let host = host(url).ok_or_else(|| Wrong::expected(expected))?;
    match url.starts_with("https://") || is_loopback(host) {
        true => Ok(url.to_owned()),
        false => {
            let hint = "http is for loopback addresses only: requests carry session tokens";
            Err(Wrong::expected("an https URL").hint(Some(hint.to_owned())))
        }
    }
}

/// The host of an http(s) URL of the form `scheme://host[:port][/path]`; credentials in it are refused.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(six) => {
            let (host, after) = six.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("0"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    let plain = rest.chars().all(|c| c.is_ascii_graphic() && !"?#@\\".contains(c));
    (plain && !host.is_empty() && host.chars().all(fits) && port.parse::<u16>().is_ok()).then_some(host)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_no_url() {
        assert_eq!(host("https://kinesis.us-west-2.amazonaws.com"), Some("kinesis.us-west-2.amazonaws.com"));
        assert_eq!(host("http://127.0.0.1:4566/path"), Some("127.0.0.1"));
        assert_eq!(host("http://[::1]:4566"), Some("::1"));
        assert_eq!(host("https://[::1]"), Some("::1"));
        for bad in [
            "",
            "127.0.0.1:1",
            "ftp://h",
            "https://",
            "https://:1",
            "https://h:x",
            "https://u:p@h",
            "https://h h",
            "https://h:70000",
            "https://[::1",
            "https://[zz]",
            "https://h?q",
            "https://h:",
        ] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(here), "{here}");
        }
        for away in ["localhost.example.com", "128.0.0.1", "0.0.0.0", "", "::2", "127.0.0.1.example.com"] {
            assert!(!is_loopback(away), "{away}");
        }
    }
}
