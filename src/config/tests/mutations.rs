//! No text makes the loader panic, and whatever it says is fit for a terminal.

use super::super::{ConfigError, THE_POST, problem};
use super::at;
use proptest::prelude::*;

/// Every place that is named lies in the text, and every mark under its line.
fn is_presentable(text: &str) -> Result<(), TestCaseError> {
    let Err(error) = at(text) else { return Ok(()) };
    let shown = error.to_string();
    prop_assert!(!shown.contains(|c: char| problem::is_unfit(c) && c != '\n'), "{shown:?}");
    let ConfigError::Invalid { problems, .. } = error else { panic!("parsing reads no file") };
    prop_assert!(!problems.is_empty());
    for problem in problems {
        prop_assert!(problem.line <= text.split('\n').count());
        let Some(excerpt) = problem.excerpt else { continue };
        let width = excerpt.line.chars().count();
        prop_assert!(width <= 100 && excerpt.start <= width && excerpt.length >= 1, "{excerpt:?}");
    }
    Ok(())
}

/// Pieces that mean something to the loader or to TOML.
fn piece() -> impl Strategy<Value = String> {
    let words = "[ ] [[ \" ' = { } . , \n # \\ \u{1b} \u{0} é \u{202e} -1 0 1e999 0xfffffffffffffffffffff 9999999999999999999h nan \
                 true 1979-05-27 [pipeline] [[pipeline]] regions standby \"us-east-2\" \"\"\" {} [] http://[ arn:aws:sqs:";
    let words: Vec<&str> = words.split(' ').filter(|w| !w.is_empty()).collect();
    prop_oneof![proptest::sample::select(words).prop_map(str::to_owned), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_the_post_makes_the_loader_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..24, piece()), 1..6)
    ) {
        let mut text: Vec<char> = THE_POST.chars().collect();
        for (place, cut, with) in edits {
            let from = place.index(text.len() + 1);
            let to = (from + cut).min(text.len());
            text.splice(from..to, with.chars());
        }
        is_presentable(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn no_line_left_out_makes_the_loader_panic(keep in proptest::collection::vec(any::<bool>(), 80)) {
        let kept = THE_POST.lines().zip(keep).filter(|(_, keep)| *keep).map(|(line, _)| line);
        is_presentable(&kept.collect::<Vec<_>>().join("\n"))?;
    }

    #[test]
    fn no_value_in_the_place_of_another_makes_the_loader_panic(
        line in any::<prop::sample::Index>(),
        value in prop_oneof![
            Just("0"), Just("-1"), Just("1.5"), Just("inf"), Just("true"), Just("[]"), Just("{}"), Just("\"\""),
            Just("[{}]"), Just("{ primary = 1 }"), Just("1979-05-27"), Just("\"\\u0000\""), Just("''"),
        ]
    ) {
        let settings: Vec<usize> =
            THE_POST.lines().enumerate().filter(|(_, l)| l.contains(" = ")).map(|(at, _)| at).collect();
        let place = settings[line.index(settings.len())];
        let edit = |(at, line): (usize, &str)| match at == place {
            true => format!("{} = {value}", line.trim_start_matches("# ").split(" = ").next().unwrap_or_default()),
            false => line.to_owned(),
        };
        is_presentable(&THE_POST.lines().enumerate().map(edit).collect::<Vec<_>>().join("\n"))?;
    }
}
