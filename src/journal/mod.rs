//! One run's record on disk: open, lock, append, fold into a state; what is owed.
//!
//! A folder a run under the state folder, with `journal.jsonl` in it: append-only, synced before and after every
//! effect. The journal is memory, AWS is truth: with the journal deleted the same command reaches the same end.

mod fold;
mod record;
mod remember;

pub use fold::{RunRecord, fold};
pub use record::{Body, Header, Record, VERSION};

use crate::model::{Event, Picture, RunId, Timestamp};
use crate::plan::Plan;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Anything wrong with the state folder or a journal. `Display` is one line with the way out.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another kdsha on this machine holds the lock.
    #[error("another kdsha is running on this machine ({path} is locked{})", .holder.as_deref().map(|h| format!(" by {h}")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What the holder wrote into it.
        holder: Option<String>,
    },
    /// A journal that cannot be read or contradicts itself.
    #[error("journal {path} cannot be trusted: {why}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another process wrote into a run's journal after it was read.
    #[error("another kdsha has gone on with run {run} meanwhile")]
    Overtaken {
        /// The run.
        run: RunId,
    },
    /// The folder or file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> JournalError + '_ {
    move |source| JournalError::Io { path: path.to_owned(), source }
}

/// The folder that holds all runs of this machine.
#[derive(Debug, Clone)]
pub struct StateFolder {
    root: PathBuf,
    /// The record that will not fit on the disk, once; `None` is what the disk has.
    room: Option<u64>,
}

/// The exclusive right to change things from this machine; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Writes what its holder does into it, for whoever finds it locked.
    ///
    /// # Errors
    /// When the folder cannot be written: nothing may be sent then.
    pub fn tell(&mut self, holder: &str) -> Result<(), JournalError> {
        use std::io::Seek;
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(holder.as_bytes())
        };
        write().map_err(io_error(&self.path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who comes next must not be taken for this holder. If it cannot be written, the lock is given back anyway.
        let _ = self.file.set_len(0);
        // Closing the file gives the lock back only when no copy of it is open: a child that is being started has one
        // until it executes its program (flock(2)).
        let _ = self.file.unlock();
    }
}

/// What the holder of a lock wrote into it. It may have the lock and not have written yet.
fn holder_of(path: &Path) -> Option<String> {
    let read = || fs::read_to_string(path).ok().map(|h| h.trim().to_owned()).filter(|h| !h.is_empty());
    (0..40).find_map(|_| {
        let holder = read();
        if holder.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        holder
    })
}

/// A run's folder that could be listed.
#[derive(Debug)]
pub struct Listed {
    /// The journal's path.
    pub path: PathBuf,
    /// The run, or why it cannot be read.
    pub run: Result<RunRecord, JournalError>,
    /// A torn last line was dropped.
    pub torn: bool,
}

impl Listed {
    /// The run that the folder is of, by its name: also where the journal cannot be read.
    pub fn id(&self) -> Option<RunId> {
        self.path.parent()?.file_name()?.to_str()?.parse().ok()
    }
}

impl StateFolder {
    /// `KDSHA_STATE_DIR`, else the XDG state folder, else `~/.local/state`.
    pub fn from_environment() -> Option<StateFolder> {
        let set = |key: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
        let root = set("KDSHA_STATE_DIR")
            .or_else(|| set("XDG_STATE_HOME").map(|p| p.join("kdsha")))
            .or_else(|| set("HOME").map(|p| p.join(".local/state/kdsha")))?;
        Some(StateFolder::at(root))
    }

    /// A given folder; it is made when something is written.
    pub fn at(root: impl Into<PathBuf>) -> StateFolder {
        StateFolder { root: root.into(), room: None }
    }

    /// The same folder on a disk that has room for so many records of a journal; of the next one it takes a part, and
    /// then it has room again: for tests of that night.
    #[must_use]
    pub fn with_room_for(self, records: u64) -> StateFolder {
        StateFolder { room: Some(records), ..self }
    }

    /// Takes the lock. `holder` is written into it for whoever finds it locked.
    ///
    /// # Errors
    /// [`JournalError::Locked`] at once when another process has it.
    pub fn lock(&self, holder: &str) -> Result<Lock, JournalError> {
        fs::create_dir_all(&self.root).map_err(io_error(&self.root))?;
        let path = self.root.join("lock");
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io_error(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Locked { holder: holder_of(&path), path });
            }
            Err(TryLockError::Error(source)) => return Err(JournalError::Io { path, source }),
        }
        let mut lock = Lock { file, path };
        lock.tell(holder)?;
        Ok(lock)
    }

    /// Every run of this machine, oldest first. One bad journal does not hide the others.
    ///
    /// # Errors
    /// Only when the folder itself cannot be read.
    pub fn runs(&self) -> Result<Vec<Listed>, JournalError> {
        let entries = match fs::read_dir(&self.root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io_error(&self.root))?,
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path().join("journal.jsonl")))
            .filter(|path| path.is_file())
            .collect();
        paths.sort();
        Ok(paths.into_iter().filter_map(read).collect())
    }

    /// Names of the runs, newest first, by the names of their folders: for completion, which must not read journals.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let runs = entries.filter(|entry| entry.path().join("journal.jsonl").is_file());
        let mut names: Vec<String> =
            runs.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable_by(|one, other| other.cmp(one));
        names
    }

    /// Begins the journal of a new run: header and plan are on disk when it returns.
    ///
    /// # Errors
    /// When the folder cannot be written: nothing may be sent then.
    pub fn begin(&self, header: Header, plan: &Plan, at: Timestamp) -> Result<Journal, JournalError> {
        let folder = self.root.join(header.run.as_str());
        fs::create_dir_all(&folder).map_err(io_error(&folder))?;
        let path = folder.join("journal.jsonl");
        if path.exists() && read(path.clone()).is_none() {
            // Cut off before its plan was on disk: nothing was sent, it begins anew.
            fs::remove_file(&path).map_err(io_error(&path))?;
        }
        let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(io_error(&path))?;
        let run = header.run.clone();
        let mut journal = Journal { run, file, path, seq: 0, length: 0, is_broken: false, room: self.room };
        journal.write(at, Body::Opened(header))?;
        journal.write(at, Body::Planned { plan: Box::new(plan.clone()) })?;
        sync_folder(&folder)?;
        sync_folder(&self.root)?;
        Ok(journal)
    }

    /// Goes on with a run's journal. A torn last line is cut off first.
    ///
    /// # Errors
    /// When it cannot be read or written, or says more than the record that was read from it.
    pub fn go_on(&self, run: &RunRecord) -> Result<Journal, JournalError> {
        let path = self.root.join(run.header.run.as_str()).join("journal.jsonl");
        let text = fs::read(&path).map_err(io_error(&path))?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |index| index + 1);
        let records = text.iter().filter(|b| **b == b'\n').count() as u64;
        if records != run.next_seq {
            return Err(JournalError::Overtaken { run: run.header.run.clone() });
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(io_error(&path))?;
        if whole < text.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_data()).map_err(io_error(&path))?;
        }
        Ok(Journal {
            run: run.header.run.clone(),
            file,
            path,
            seq: run.next_seq,
            length: whole as u64,
            is_broken: false,
            room: self.room,
        })
    }
}

fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(io_error(folder))
}

/// Reads one journal. `None` when it was cut off before the plan was on disk: nothing can have been sent.
fn read(path: PathBuf) -> Option<Listed> {
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => {
            let run = Err(JournalError::Io { path: path.clone(), source });
            return Some(Listed { path, run, torn: false });
        }
    };
    let torn = !text.is_empty() && !text.ends_with('\n');
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str::<Record>(line).map_err(|e| format!("line {}: {e}", index + 1))
    };
    let records = whole.lines().enumerate().map(parse).collect::<Result<Vec<Record>, String>>();
    if matches!(&records, Ok(records) if records.len() < 2 && records.iter().all(|r| r.seq == 0)) {
        return None;
    }
    let run = records
        .and_then(|records| fold(&records))
        .map_err(|why| JournalError::Corrupt { path: path.clone(), why });
    Some(Listed { path, run, torn })
}

/// The journal of the run under way.
#[derive(Debug)]
pub struct Journal {
    run: RunId,
    file: File,
    path: PathBuf,
    seq: u64,
    /// How long the file is up to the last record that is known to be on disk.
    length: u64,
    /// A record could not be written: nothing may be written after what may be a part of it.
    is_broken: bool,
    room: Option<u64>,
}

impl Journal {
    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an event down. It is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written: the call that it announces must not be sent.
    pub fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        self.write(at, Body::Happened { happening: Box::new(event.clone()) })
    }

    /// Writes down that the run was planned anew.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn replan(&mut self, at: Timestamp, plan: &Plan) -> Result<(), JournalError> {
        self.write(at, Body::Planned { plan: Box::new(plan.clone()) })
    }

    /// Writes down what the world looks like.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn saw(&mut self, picture: Picture) -> Result<(), JournalError> {
        self.write(picture.taken_at, Body::Seen { picture: Box::new(picture) })
    }

    fn write(&mut self, at: Timestamp, body: Body) -> Result<(), JournalError> {
        let record = Record { v: VERSION, seq: self.seq, at, body };
        let path = self.path.clone();
        let failed = |source: io::Error| JournalError::Io { path: path.clone(), source };
        if self.is_broken {
            return Err(failed(io::Error::other("an earlier record could not be written")));
        }
        let mut line = serde_json::to_vec(&record).map_err(|e| failed(io::Error::other(e)))?;
        line.push(b'\n');
        if let Err(source) = self.put(&line) {
            self.is_broken = true;
            // A part of it may be there, or all of it and not safe. If it cannot be cut off, whoever reads the
            // journal drops a torn last line, and takes a whole one for what it is: about to be done.
            let _ = self.file.set_len(self.length);
            return Err(failed(source));
        }
        self.seq += 1;
        self.length += line.len() as u64;
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        if self.room.take_if(|room| self.seq >= *room).is_some() {
            self.file.write_all(&line[..line.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all(line)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A child that is being started has copies of all open files until it executes its program.
    #[test]
    fn a_lock_that_is_given_back_is_free_while_a_child_still_has_a_copy_of_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = StateFolder::at(folder.path());
        let lock = state.lock("first").expect("nobody has it");
        let copy = lock.file.try_clone().expect("a copy");
        assert!(matches!(state.lock("second"), Err(JournalError::Locked { .. })));
        drop(lock);
        state.lock("second").expect("it was given back");
        drop(copy);
    }
}
