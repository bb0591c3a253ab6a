//! What every integration test needs: the binary, an environment of its own, time limits.

pub mod binary;
pub mod process;
pub mod server;
