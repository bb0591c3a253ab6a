//! Commands that are named as the next step, with the flags of this invocation that they need too: without them they
//! would read another configuration, ask another account, or move other pipelines.

/// Flags to be given again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    /// For every command: `--config`, `--profile`, `--pipeline`.
    pub everywhere: Vec<String>,
    /// For failover and failback alone: `--timeout`.
    pub moving: Vec<String>,
}

impl Again {
    /// `kdsha resume`, with the flags that are not in it yet.
    pub(crate) fn complete(&self, command: &str) -> String {
        let Some(verb) = command.strip_prefix("kdsha ").and_then(|rest| rest.split(' ').next()) else {
            return command.to_owned();
        };
        let moving = if matches!(verb, "failover" | "failback") { &self.moving[..] } else { &[] };
        let given = |flag: &&String| {
            let name = flag.split(' ').next().unwrap_or(flag);
            !command.split(' ').any(|word| word == name)
        };
        let flags = self.everywhere.iter().chain(moving).filter(given);
        flags.fold(command.to_owned(), |command, flag| format!("{command} {flag}"))
    }

    /// Every command in a text that stands between back quotes.
    pub(crate) fn complete_in(&self, text: &str) -> String {
        let piece = |(index, piece): (usize, &str)| match index % 2 {
            1 => self.complete(piece),
            _ => piece.to_owned(),
        };
        text.split('`').enumerate().map(piece).collect::<Vec<_>>().join("`")
    }
}

/// A flag with its value, quoted where a shell would take it apart.
pub fn flag(name: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    match !value.is_empty() && value.chars().all(is_plain) {
        true => format!("{name} {value}"),
        false => format!("{name} '{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again() -> Again {
        Again {
            everywhere: vec![flag("--config", "/etc/my kdsha.toml"), flag("--pipeline", "orders")],
            moving: vec![flag("--timeout", "45m")],
        }
    }

    #[test]
    fn a_next_command_reads_the_same_configuration() {
        assert_eq!(
            again().complete("kdsha resume"),
            "kdsha resume --config '/etc/my kdsha.toml' --pipeline orders"
        );
        assert_eq!(
            again().complete("kdsha failover --to us-east-2 --timeout 1m"),
            "kdsha failover --to us-east-2 --timeout 1m --config '/etc/my kdsha.toml' --pipeline orders"
        );
        assert!(again().complete("kdsha failback").ends_with("--timeout 45m"));
        assert_eq!(Again::default().complete("kdsha resume"), "kdsha resume");
    }

    #[test]
    fn only_commands_between_back_quotes_get_flags() {
        assert_eq!(
            again().complete_in("go on: `kdsha resume`; the `IteratorAge` of kdsha resume"),
            "go on: `kdsha resume --config '/etc/my kdsha.toml' --pipeline orders`; the `IteratorAge` of kdsha resume"
        );
    }

    #[test]
    fn a_value_is_one_word_for_a_shell() {
        assert_eq!(flag("--profile", "it's"), r"--profile 'it'\''s'");
    }
}
