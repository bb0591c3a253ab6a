//! The positions that looks derived, beside the journals: one small file, replaced as a whole. It is a convenience
//! for the worst night, so nothing that goes wrong with it stops anything.

use super::StateFolder;
use crate::plan::{Positions, Remembered};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;

const FILE: &str = "positions.json";
/// Of the file; a kdsha that writes it otherwise counts on.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    positions: Positions,
}

impl StateFolder {
    /// What earlier looks derived; empty when there is nothing, or nothing that can be read.
    pub fn remembered(&self) -> Positions {
        let text = fs::read(self.root.join(FILE)).unwrap_or_default();
        let document =
            serde_json::from_slice::<Document>(&text).ok().filter(|found| found.version == VERSION);
        document.map(|found| found.positions).unwrap_or_default()
    }

    /// Keeps what a look derived beside what others did; an older look never replaces a later one.
    ///
    /// # Errors
    /// When the folder cannot be written. Whoever only looks goes on without it.
    pub fn remember(&self, found: &Positions) -> io::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let mut positions = self.remembered();
        for (key, new) in found {
            let later = |old: &Remembered| old.at > new.at;
            if !positions.get(key).is_some_and(later) {
                positions.insert(key.clone(), new.clone());
            }
        }
        fs::create_dir_all(&self.root)?;
        let text = serde_json::to_vec_pretty(&Document { version: VERSION, positions })?;
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

    fn look(at: i64, start: i64) -> Positions {
        let instant = |second| Timestamp::from_second(second).expect("an instant");
        Positions::from([(
            "1/us-west-2/S".to_owned(),
            Remembered { at: instant(at), start: instant(start), settings: None },
        )])
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
    fn what_cannot_be_read_is_nothing_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path());
        for text in ["", "{", "{\"version\":2,\"positions\":{}}"] {
            fs::write(folder.path().join(FILE), text).expect("written");
            assert!(state.remembered().is_empty(), "{text}");
        }
        state.remember(&look(1, 0)).expect("written");
        assert_eq!(state.remembered(), look(1, 0));
    }
}
