//! The built-in two-Region AWS, served in process or on loopback.
//!
//! `world/` is what happens; `wire/` is how clients say it; this file joins them: time, faults, the log of calls.

pub mod call;
pub mod world;
