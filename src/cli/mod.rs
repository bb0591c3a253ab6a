//! Arguments and wiring, one file a subcommand. Prints nothing itself, names no SDK type.

pub mod args;
pub mod complete;
mod help;
