//! The virtual environment with the pinned packages, made once under `target/` and kept for as long as the pins and
//! the Python stay the same. A missing python3 or a failed installation fails the tests; nothing is skipped.

use crate::support::process;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const REQUIREMENTS: &str = include_str!("requirements.txt");
const ADVICE: &str =
    "the end-to-end tests need python3 (3.10 or newer, with venv) and access to a package index for pip";

/// The interpreter of the virtual environment.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(|| python_with("ministack", REQUIREMENTS)) {
        Ok(python) => python,
        Err(why) => panic!("{why}"),
    }
}

/// The interpreter of a virtual environment with these packages.
///
/// # Errors
/// Says which step failed, and what is needed.
pub fn python_with(name: &str, requirements: &str) -> Result<PathBuf, String> {
    ready(name, requirements).map_err(|why| format!("{why}\n{ADVICE}"))
}

/// FNV-1a: the folder's name has to stay the same from run to run, nothing more.
fn fingerprint(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn step(what: &str, command: &mut Command) -> Result<String, String> {
    // An interpreter of another environment must not look into this one.
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("VIRTUAL_ENV");
    let finished = process::run(command, Duration::from_secs(300)).map_err(|e| format!("{what}: {e}"))?;
    match finished.code() {
        Some(0) => Ok(finished.stdout.trim().to_owned()),
        code => Err(format!("{what} failed ({code:?}):\n{}{}", finished.stdout, finished.stderr)),
    }
}

fn ready(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let version = step("python3 --version", Command::new("python3").args(["--version"]))?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join(format!("{name}-{}", fingerprint(&format!("{version}\n{requirements}"))));
    fs::create_dir_all(target).map_err(|e| format!("{}: {e}", target.display()))?;
    let path = folder.with_extension("lock");
    let lock = File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    // Tests of several processes may race; whoever comes second finds the work done.
    lock.lock().map_err(|e| format!("{}: {e}", path.display()))?;
    let complete = folder.join("complete");
    if !complete.exists() {
        install(&folder, requirements)?;
        fs::write(&complete, requirements).map_err(|e| format!("{}: {e}", complete.display()))?;
    }
    Ok(folder.join("bin/python"))
}

fn install(folder: &Path, packages: &str) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    step("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, packages).map_err(|e| format!("{}: {e}", requirements.display()))?;
    let pip = || {
        let mut command = Command::new(folder.join("bin/python"));
        // A package index that stutters is asked again, and one that hangs is not waited for.
        command.args([
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            "--retries",
            "5",
            "--timeout",
            "30",
        ]);
        command
    };
    step("pip install", pip().args(["install", "--quiet", "--no-deps", "--requirement"]).arg(&requirements))?;
    step("pip check", pip().arg("check"))?;
    Ok(())
}
