//! `kdsha.toml` -> [`Topology`]: found, read, checked, with errors that name line, column and nearest known key.
//!
//! The text is walked as a tree with positions rather than deserialised, so that every problem of a file
//! is listed at once: syntax, unknown keys, wrong values, and then what contradicts what.

mod across;
mod endpoints;
mod find;
mod names;
mod pipeline;
mod post;
mod problem;
mod section;
mod sections;
mod topology;
mod values;
mod write;

pub use find::{Looked, Surroundings, find};
pub use post::THE_POST;
pub use problem::{ConfigError, Problem};
pub use topology::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, Sink,
    StandbyMode, Timing, Topology,
};

pub use write::{Remarks, render};

use std::io::Read;
use std::path::Path;

/// Longest file that is read. A configuration of a thousand pipelines is a third of it.
const MOST_BYTES: u64 = 1024 * 1024;

/// Reads and checks a configuration file.
///
/// # Errors
/// [`ConfigError::Unreadable`] when it is not there, not a file, too long or not UTF-8;
/// [`ConfigError::Invalid`] with all of its problems.
pub fn load(path: &Path) -> Result<Topology, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
    let about = std::fs::metadata(path).map_err(|e| unreadable(find::io_reason(&e)))?;
    // A pipe or a device could keep us waiting for ever.
    if !about.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(find::io_reason(&e)))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable("it is longer than 1 MiB, so it is not a kdsha.toml".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        unreadable(format!("line {line} is not UTF-8 text"))
    })?;
    parse(&text, path)
}

/// Reads and checks a configuration text; `path` is what errors call it.
///
/// # Errors
/// [`ConfigError::Invalid`] with all problems that can be seen at once.
pub fn parse(text: &str, path: &Path) -> Result<Topology, ConfigError> {
    // Windows editors may begin a file with a byte order mark; it would be part of the first key.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match sections::read(text) {
        Ok(topology) => Ok(Topology { path: Some(path.to_owned()), ..topology }),
        Err(findings) => Err(ConfigError::invalid(path, text, findings)),
    }
}

#[cfg(test)]
mod tests;
