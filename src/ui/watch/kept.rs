//! What was seen last, and when: a Region that falls silent keeps its last known values on the screen, marked as old.

use crate::model::{Observed, Timestamp};

/// A value with the moment at which it was known, and why it is not known now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept<T> {
    last: Option<(T, Timestamp)>,
    why: Option<String>,
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept { last: None, why: None }
    }
}

/// How much a kept value is worth.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Worth<'a, T> {
    /// From the last look.
    Current(&'a T),
    /// From an earlier look, at that moment; why there is no newer one.
    Old(&'a T, Timestamp, &'a str),
    /// Never seen; why, where anybody looked.
    Never(Option<&'a str>),
}

impl<T> Kept<T> {
    /// Takes what a look at `at` saw.
    pub(crate) fn see(&mut self, seen: Observed<T>, at: Timestamp) {
        match seen {
            Observed::Known(value) => *self = Kept { last: Some((value, at)), why: None },
            Observed::Unknown(reason) => self.why = Some(reason.text),
        }
    }

    /// What is left of it now.
    pub(crate) fn worth(&self) -> Worth<'_, T> {
        match (&self.last, &self.why) {
            (Some((value, _)), None) => Worth::Current(value),
            (Some((value, at)), Some(why)) => Worth::Old(value, *at, why),
            (None, why) => Worth::Never(why.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureKind, Reason};

    #[test]
    fn an_unknown_keeps_the_value_before_it_and_its_moment() {
        let at = |text: &str| -> Timestamp { text.parse().expect("an instant") };
        let (first, second) = (at("2026-11-22T10:45:00Z"), at("2026-11-22T10:46:00Z"));
        let silent = || Observed::Unknown(Reason::new(FailureKind::Unreachable, "no answer"));
        let mut kept = Kept::default();
        assert_eq!(kept.worth(), Worth::Never(None));
        kept.see(silent(), first);
        assert_eq!(kept.worth(), Worth::Never(Some("no answer")));
        kept.see(Observed::Known(7), first);
        assert_eq!(kept.worth(), Worth::Current(&7));
        kept.see(silent(), second);
        assert_eq!(kept.worth(), Worth::Old(&7, first, "no answer"));
        kept.see(Observed::Known(8), second);
        assert_eq!(kept.worth(), Worth::Current(&8));
    }
}
