//! What the values of flags may be.

use crate::config::PerSide;
use crate::model::ids::InvalidId;
use crate::model::{StartAt, Timestamp, duration};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
/// Longest length of time that a flag takes; the same as in `kdsha.toml`.
const MOST: Duration = Duration::from_secs(365 * 86_400);

/// A name, or PRIMARY=STANDBY.
pub(in crate::cli) fn both_sides<T: FromStr<Err = InvalidId> + Clone>(
    text: &str,
) -> Result<PerSide<T>, String> {
    let read = |name: &str| name.parse::<T>().map_err(|error| error.to_string());
    let (primary, standby) = text.split_once('=').unwrap_or((text, text));
    Ok(PerSide { primary: read(primary)?, standby: read(standby)? })
}

pub(in crate::cli) fn buffer(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        length if length <= MOST => Ok(length),
        _ => Err(format!("`{text}` is longer than 365 days, the longest that a stream keeps a record")),
    }
}

pub(in crate::cli) fn timeout(text: &str) -> Result<Duration, String> {
    match buffer(text)? {
        Duration::ZERO => Err(format!("`{text}` leaves no time at all; a wait needs minutes, such as 30m")),
        length => Ok(length),
    }
}

pub(in crate::cli) fn start_at(text: &str) -> Result<StartAt, String> {
    match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "trim-horizon" => return Ok(StartAt::TrimHorizon),
        "latest" => {
            let why = "a mapping that starts at the tip can miss records for minutes while it starts";
            return Err(format!("{why}; give a time, or trim-horizon"));
        }
        _ => {}
    }
    let expected =
        || format!("`{text}` is not an instant; write it like 2026-11-22T10:45:00Z, or trim-horizon");
    let at: Timestamp = text.parse().map_err(|_| expected())?;
    if at.as_second() < 0 {
        return Err(expected());
    }
    // Lambda documents whole seconds; an earlier start only reads a record again.
    let whole = Timestamp::from_second(at.as_second()).map_err(|_| expected())?;
    Ok(StartAt::Timestamp(whole))
}

pub(in crate::cli) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = numeric
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not an address; write it like 127.0.0.1:4566"))?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err(format!(
            "`{text}` can be reached from other machines; the sandbox takes every caller for the \
             owner of the account, so it serves loopback addresses only, such as 127.0.0.1:4566"
        )),
    }
}
