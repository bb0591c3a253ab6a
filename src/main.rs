//! The binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    kdsha::cli::complete::answer_shell();
    let cli = kdsha::cli::parse();
    ExitCode::from(kdsha::cli::run(&cli).code())
}
