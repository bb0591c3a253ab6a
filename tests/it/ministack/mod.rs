//! End to end on MiniStack: an AWS emulator from PyPI that nobody here wrote. It runs the post's own Python
//! functions and really moves records from producer to stream to replicator to consumer to table. What it lacks is
//! added from outside (`emulator/launcher.py` says what and why).
//!
//! Every test has an emulator of its own, so tests run side by side. What came of a run is looked at through boto3
//! and the emulator's log of requests, never through kdsha.

mod audit;
mod control;
mod crash;
mod faults;
mod journey;
mod microburst;
mod parity;
mod permissions;
mod refusals;
mod rig;
mod traffic;
pub(crate) mod venv;
mod warm;
mod world;
