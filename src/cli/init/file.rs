//! The file: where it goes, what is in it, and that it is written whole or not at all.

use super::super::args::Global;
use super::super::failure::Failure;
use crate::config::{self, Producer, Remarks, Surroundings, Topology};
use crate::model::Exit;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the file goes: the place that was named, else the current folder.
pub(super) fn target(global: &Global) -> PathBuf {
    let variable = Surroundings::of_process().variable;
    global.config.clone().or(variable).unwrap_or_else(|| PathBuf::from("kdsha.toml"))
}

/// Refuses before anything is looked at.
pub(super) fn refuse_to_overwrite(path: &Path, force: bool) -> Result<(), Failure> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) if force => Ok(()),
        Ok(true) => Err(is_there(path)),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn is_there(path: &Path) -> Failure {
    Failure::new(Exit::Usage, format!("{} is there already; it was left as it is", path.display()))
        .hint("--dry-run prints what would be written; --force writes over it")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("{} cannot be written: {error}", path.display()))
        .hint("--config PATH writes it elsewhere; --dry-run prints it")
}

/// The text, which the loader reads back as the topology that was meant.
pub(super) fn text(topology: &Topology, remarks: &Remarks, path: &Path) -> Result<String, Failure> {
    let text = config::render(topology, remarks);
    let read = config::parse(&text, path).map_err(|error| {
        Failure::new(
            Exit::Blocked,
            format!("what was found cannot be configured; nothing was written. {error}"),
        )
        .hint("--stream NAME takes one stream at a time; --dry-run with it shows each alone")
    })?;
    match (Topology { path: None, ..read }) == *topology {
        true => Ok(text),
        false => {
            Err(Failure::new(Exit::Internal, "the file would not say what was found; nothing was written"))
        }
    }
}

/// A producer's lines, to be taken in by hand.
pub(super) fn spare(producer: &Producer) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "[[pipeline.producer]]".to_owned(),
        format!("function = \"{}\"", producer.function),
        format!("region = \"{}\"", producer.side),
        format!("region_variable = \"{}\"", producer.region_variable),
    ];
    lines.extend(producer.stream_variable.iter().map(|name| format!("stream_variable = \"{name}\"")));
    lines
}

/// Writes beside the place first, then moves it there: a reader sees all of it or none. Without `force` a file that
/// came into being meanwhile stays.
pub(super) fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let result = write_new(&beside, text).and_then(|()| match force {
        true => fs::rename(&beside, path),
        // A link, unlike a rename, never replaces anything.
        false => fs::hard_link(&beside, path),
    });
    // After a rename it is gone already.
    let _ = fs::remove_file(&beside);
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(path)),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_over_with_force_alone_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kdsha.toml");
        write(&path, "one", false).expect("written");
        assert_eq!(write(&path, "two", false).expect_err("it is there").exit, Exit::Usage);
        assert_eq!(fs::read_to_string(&path).expect("text"), "one");
        write(&path, "three", true).expect("written over");
        assert_eq!(fs::read_to_string(&path).expect("text"), "three");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let nowhere = folder.path().join("gone/kdsha.toml");
        assert_eq!(write(&nowhere, "four", false).expect_err("no folder").exit, Exit::Usage);
    }
}
