//! What looks saw of the consumers, beside the journals: one small file, replaced as a whole. It is a convenience
//! for the worst night, so nothing that goes wrong with it stops anything.

use super::StateFolder;
use crate::plan::Memory;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;

const FILE: &str = "positions.json";
/// Of the file; a kdsha that writes it otherwise counts on.
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    pipelines: Memory,
}

impl StateFolder {
    /// What earlier looks saw; empty when there is nothing, or nothing that can be read.
    pub fn remembered(&self) -> Memory {
        let text = fs::read(self.root.join(FILE)).unwrap_or_default();
        let document =
            serde_json::from_slice::<Document>(&text).ok().filter(|found| found.version == VERSION);
        document.map(|found| found.pipelines).unwrap_or_default()
    }

    /// Keeps what a look saw beside what others did; an older look never replaces a later one.
    ///
    /// # Errors
    /// When the folder cannot be written. Whoever only looks goes on without it.
    pub fn remember(&self, look: &Memory) -> io::Result<()> {
        if look.is_empty() {
            return Ok(());
        }
        let mut pipelines = self.remembered();
        for (key, seen) in look {
            pipelines.entry(key.clone()).or_default().renew(seen.clone());
        }
        fs::create_dir_all(&self.root)?;
        let text = serde_json::to_vec_pretty(&Document { version: VERSION, pipelines })?;
        // Two looks at once: each writes a file of its own, and the last one to be renamed stays whole.
        let beside = self.root.join(format!("{FILE}.{}", std::process::id()));
        fs::write(&beside, text)?;
        fs::rename(&beside, self.root.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::plan::{Remembered, SeenAt};

    fn instant(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn of(seen: Remembered) -> Memory {
        Memory::from([("1/us-west-2/S".to_owned(), seen)])
    }

    fn look(at: i64, start: i64) -> Memory {
        let start = Some(SeenAt { at: instant(at), value: instant(start) });
        of(Remembered { start, ..Remembered::default() })
    }

    #[test]
    fn the_latest_look_is_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path().join("state"));
        assert!(state.remembered().is_empty());
        for (at, start) in [(200, 100), (300, 150), (250, 120)] {
            state.remember(&look(at, start)).expect("written");
        }
        assert_eq!(state.remembered(), look(300, 150));
        assert!(state.runs().expect("the runs").is_empty(), "it is no journal");
    }

    #[test]
    fn what_a_look_could_not_see_stays_as_an_earlier_one_saw_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path());
        let orders = Some(SeenAt { at: instant(300), value: vec!["Orders".to_owned()] });
        state.remember(&look(200, 100)).expect("written");
        let shared = Remembered { other_streams: orders.clone(), ..Remembered::default() };
        state.remember(&of(shared)).expect("written");
        let start = Some(SeenAt { at: instant(200), value: instant(100) });
        let both = Remembered { start, other_streams: orders, ..Remembered::default() };
        assert_eq!(state.remembered(), of(both));
    }

    #[test]
    fn an_older_file_is_read_and_what_it_does_not_have_is_not_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path());
        let start = r#"{"at":"1970-01-01T00:03:20Z","value":"1970-01-01T00:01:40Z"}"#;
        let parts = format!(r#"{{"start":{start},"settings":null,"other_streams":null}}"#);
        let older = format!(r#"{{"version":2,"pipelines":{{"1/us-west-2/S":{parts}}}}}"#);
        fs::write(folder.path().join(FILE), older).expect("written");
        assert_eq!(state.remembered(), look(200, 100));
    }

    #[test]
    fn what_cannot_be_read_is_nothing_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path());
        for text in ["", "{", "{\"version\":1,\"positions\":{}}"] {
            fs::write(folder.path().join(FILE), text).expect("written");
            assert!(state.remembered().is_empty(), "{text}");
        }
        state.remember(&look(1, 0)).expect("written");
        assert_eq!(state.remembered(), look(1, 0));
    }
}
