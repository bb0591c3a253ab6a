//! Where `kdsha.toml` is looked for: `--config`, `KDSHA_CONFIG`, the current folder, the XDG folder.

use super::problem::ConfigError;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// The file's name in a folder.
const FILE: &str = "kdsha.toml";

/// What the search depends on besides the flag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The value of `KDSHA_CONFIG`.
    pub variable: Option<PathBuf>,
    /// The folder to look into; empty is the current one.
    pub folder: PathBuf,
    /// The user's configuration folder: `XDG_CONFIG_HOME`, else `~/.config`.
    pub config_home: Option<PathBuf>,
}

impl Surroundings {
    /// Reads them through a lookup of environment variables, e.g. `std::env::var_os`.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Surroundings {
        let path = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        // The XDG Base Directory Specification has relative paths ignored.
        let xdg = path("XDG_CONFIG_HOME").filter(|p| p.is_absolute());
        let config_home = xdg.or_else(|| path("HOME").map(|home| home.join(".config")));
        Surroundings { variable: path("KDSHA_CONFIG"), folder: PathBuf::new(), config_home }
    }

    /// Those of this process.
    pub fn of_process() -> Surroundings {
        Surroundings::read(|name| std::env::var_os(name))
    }
}

/// A place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The flag, the variable or the path.
    pub place: String,
    /// What was there: `not given`, `not set`, `no such file`.
    pub found: &'static str,
}

/// Finds the configuration. A file that is named (by flag or variable) is never passed over for another.
///
/// # Errors
/// [`ConfigError::NotFound`] with every place that was looked at; [`ConfigError::Unreadable`] when a
/// named file is not there.
pub fn find(flag: Option<&Path>, surroundings: &Surroundings) -> Result<PathBuf, ConfigError> {
    if let Some(path) = flag {
        return named(path, "--config");
    }
    if let Some(path) = &surroundings.variable {
        return named(path, "KDSHA_CONFIG");
    }
    let mut looked = vec![
        Looked { place: "--config".to_owned(), found: "not given" },
        Looked { place: "KDSHA_CONFIG".to_owned(), found: "not set" },
    ];
    let here = surroundings.folder.join(FILE);
    let home = surroundings.config_home.as_ref().map(|folder| folder.join("kdsha").join(FILE));
    for path in [Some(here), home].into_iter().flatten() {
        if is_there(&path) {
            return Ok(path);
        }
        looked.push(Looked { place: path.display().to_string(), found: "no such file" });
    }
    if surroundings.config_home.is_none() {
        let place = "XDG_CONFIG_HOME, HOME".to_owned();
        looked.push(Looked { place, found: "not set" });
    }
    Err(ConfigError::NotFound { looked })
}

fn named(path: &Path, by: &str) -> Result<PathBuf, ConfigError> {
    match is_there(path) {
        true => Ok(path.to_owned()),
        false => {
            let why = format!("{by} names it, but there is no such file");
            Err(ConfigError::Unreadable { path: path.to_owned(), why })
        }
    }
}

/// What cannot be looked at (permissions) counts as there: reading it says why it fails.
fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

/// An I/O error as a clause, without the operating system's number.
pub(super) fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(root: &Path) -> Surroundings {
        Surroundings {
            variable: None,
            folder: root.join("here"),
            config_home: Some(root.join("home/.config")),
        }
    }

    fn write(path: PathBuf) -> PathBuf {
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("folder");
        std::fs::write(&path, "").expect("file");
        path
    }

    #[test]
    fn the_order_is_flag_variable_folder_home() {
        let root = tempfile::tempdir().expect("folder");
        let root = root.path();
        let home = write(root.join("home/.config/kdsha/kdsha.toml"));
        let mut at = surroundings(root);
        assert_eq!(find(None, &at), Ok(home));
        let here = write(root.join("here/kdsha.toml"));
        assert_eq!(find(None, &at), Ok(here));
        at.variable = Some(write(root.join("variable.toml")));
        assert_eq!(find(None, &at), Ok(root.join("variable.toml")));
        let flag = write(root.join("flag.toml"));
        assert_eq!(find(Some(&flag), &at), Ok(flag));
    }

    #[test]
    fn a_named_file_is_never_passed_over() {
        let root = tempfile::tempdir().expect("folder");
        write(root.path().join("here/kdsha.toml"));
        let mut at = surroundings(root.path());
        let error = find(Some(Path::new("gone.toml")), &at).expect_err("not there");
        assert_eq!(
            error.to_string(),
            "cannot read the configuration `gone.toml`: --config names it, but there is no such file"
        );
        at.variable = Some(PathBuf::from("gone.toml"));
        let error = find(None, &at).expect_err("not there");
        assert_eq!(
            error.to_string(),
            "cannot read the configuration `gone.toml`: KDSHA_CONFIG names it, but there is no such file"
        );
    }

    #[test]
    fn nothing_found_names_every_place_and_the_way_out() {
        let at = Surroundings {
            variable: None,
            folder: PathBuf::from("/nowhere"),
            config_home: Some(PathBuf::from("/nowhere/.config")),
        };
        assert_eq!(
            find(None, &at).expect_err("nothing there").to_string(),
            "there is no configuration; these places were looked at:\n  \
               --config                           not given\n  \
               KDSHA_CONFIG                       not set\n  \
               /nowhere/kdsha.toml                no such file\n  \
               /nowhere/.config/kdsha/kdsha.toml  no such file\n\
             hint: `kdsha init` looks at the account and writes one, with comments\n\
             hint: `kdsha rehearse` plays the whole procedure without one"
        );
    }

    #[test]
    fn without_a_home_that_is_said() {
        let at = Surroundings { folder: PathBuf::from("/nowhere"), ..Surroundings::default() };
        let text = find(None, &at).expect_err("nothing there").to_string();
        assert!(text.contains("\n  XDG_CONFIG_HOME, HOME  not set\n"), "{text}");
    }

    #[test]
    fn surroundings_follow_the_xdg_rules() {
        let read = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.to_string(), OsString::from(v))).collect();
            Surroundings::read(move |name| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
        };
        assert_eq!(
            read(&[("HOME", "/home/op"), ("XDG_CONFIG_HOME", "relative"), ("KDSHA_CONFIG", "")]),
            Surroundings { config_home: Some("/home/op/.config".into()), ..Surroundings::default() }
        );
        let both = read(&[("HOME", "/home/op"), ("XDG_CONFIG_HOME", "/cfg"), ("KDSHA_CONFIG", "x.toml")]);
        assert_eq!(both.config_home, Some("/cfg".into()));
        assert_eq!(both.variable, Some("x.toml".into()));
    }
}
