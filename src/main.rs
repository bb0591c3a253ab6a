//! The binary: parse, run, exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    kdsha::cli::complete::answer_shell();
    let cli = kdsha::cli::args::Cli::parse();
    ExitCode::from(kdsha::cli::run(&cli).code())
}
