//! Since when producers are as they are. AWS says when an update of a function began and not when it was in effect, and
//! of an alias not when it was moved: invocations from before are counted from the first look that shows it.

use super::Engine;
use crate::model::{FunctionName, LONGEST_UPDATE, Observed, ProducerView, Region, Snapshot, Timestamp};
use std::collections::BTreeMap;

/// What the looks of this run have seen.
#[derive(Debug, Default)]
pub(super) struct SeenSince {
    functions: BTreeMap<(Region, FunctionName), Update>,
    /// By the alias's name too: two pipelines may use one function through two aliases.
    aliases: BTreeMap<(Region, FunctionName, String), Since>,
}

/// A function's last update.
#[derive(Debug, Clone, Copy)]
struct Update {
    /// When it was begun, as AWS says.
    begun: Timestamp,
    /// When it was in effect; `None` as long as it is in progress.
    effective: Option<Timestamp>,
}

/// The version that an alias points at.
#[derive(Debug, Clone)]
struct Since {
    version: String,
    seen: Timestamp,
}

impl Engine<'_> {
    /// Writes it into the look. After a restart it is the first look of the new process: later than need be, which
    /// costs a wait of one time-out at the most.
    pub(super) fn date_producers(&self, mut snapshot: Snapshot) -> Snapshot {
        let at = snapshot.taken_at;
        let mut seen = self.seen.borrow_mut();
        let producers = snapshot.pipelines.values_mut().flat_map(|view| &mut view.producers);
        producers.for_each(|producer| seen.date(producer, at));
        snapshot
    }
}

impl SeenSince {
    fn date(&mut self, producer: &mut ProducerView, at: Timestamp) {
        self.date_function(producer, at);
        self.date_alias(producer, at);
    }

    /// Whose end this run has not seen begins to count when the longest update would be over, and not at a first look
    /// hours later.
    fn date_function(&mut self, producer: &mut ProducerView, at: Timestamp) {
        let Observed::Known(function) = &mut producer.function else { return };
        let Some(begun) = function.last_modified else { return };
        let key = (producer.region.clone(), producer.name.clone());
        let known = self.functions.get(&key).filter(|update| update.begun == begun).copied();
        let effective = match (function.last_update_status.as_str(), known) {
            ("InProgress", _) => None,
            (_, None) => Some(at.min(begun + LONGEST_UPDATE)),
            (_, Some(update)) => update.effective.or(Some(at)),
        };
        self.functions.insert(key, Update { begun, effective });
        function.effective_since = effective;
    }

    fn date_alias(&mut self, producer: &mut ProducerView, at: Timestamp) {
        let Some(Observed::Known(alias)) = &mut producer.alias else { return };
        let key = (producer.region.clone(), producer.name.clone(), alias.name.clone());
        let known = self.aliases.get(&key).filter(|since| since.version == alias.version);
        let seen = known.map_or(at, |since| since.seen);
        self.aliases.insert(key, Since { version: alias.version.clone(), seen });
        alias.seen_since = Some(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AliasView, Arn, Environment, FunctionView, Release};
    use std::time::Duration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn producer(begun: i64, status: &str, alias: Option<(&str, &str)>) -> ProducerView {
        let environment = Environment::Readable(BTreeMap::new());
        let alias = alias.map(|(name, version)| {
            Observed::Known(AliasView {
                name: name.to_owned(),
                version: version.to_owned(),
                is_weighted: false,
                revision_id: String::new(),
                environment: environment.clone(),
                release: Release::default(),
                seen_since: None,
            })
        });
        ProducerView {
            name: "producer".parse().expect("a name"),
            region: "us-west-2".parse().expect("a Region"),
            function: Observed::Known(FunctionView {
                arn: Arn::new("arn:aws:lambda:us-west-2:123456789012:function:producer"),
                state: "Active".to_owned(),
                last_update_status: status.to_owned(),
                last_update_reason: None,
                revision_id: String::new(),
                timeout_seconds: 30,
                memory_mib: 128,
                environment,
                reserved_concurrency: None,
                last_modified: Some(at(begun)),
                effective_since: None,
                tags: BTreeMap::new(),
                tags_error: None,
                release: Release::default(),
            }),
            alias,
            other_aliases: Observed::Known(Vec::new()),
            region_value: Observed::Known(None),
            stream_value: Observed::Known(None),
        }
    }

    fn effective(seen: &mut SeenSince, mut producer: ProducerView, second: i64) -> Option<Timestamp> {
        seen.date(&mut producer, at(second));
        producer.function.known().and_then(|function| function.effective_since)
    }

    #[test]
    fn an_update_counts_from_the_first_look_after_its_end() {
        let mut seen = SeenSince::default();
        assert_eq!(effective(&mut seen, producer(1000, "InProgress", None), 1020), None);
        assert_eq!(effective(&mut seen, producer(1000, "Successful", None), 1400), Some(at(1400)));
        assert_eq!(effective(&mut seen, producer(1000, "Successful", None), 1420), Some(at(1400)));
        assert_eq!(effective(&mut seen, producer(1500, "Successful", None), 1510), Some(at(1510)));
    }

    #[test]
    fn an_update_of_hours_ago_is_not_counted_from_now() {
        let begun = at(1000);
        let first = effective(&mut SeenSince::default(), producer(1000, "Successful", None), 9000);
        assert_eq!(first, Some(begun + LONGEST_UPDATE));
        let undated = producer(1000, "Successful", None);
        let until = undated.function.known().and_then(FunctionView::in_flight_until);
        assert_eq!(until, Some(begun + LONGEST_UPDATE + Duration::from_secs(30)));
    }

    #[test]
    fn two_aliases_of_one_function_are_dated_apart() {
        let mut seen = SeenSince::default();
        let mut since = |alias: (&str, &str), second: i64| {
            let mut producer = producer(1000, "Successful", Some(alias));
            seen.date(&mut producer, at(second));
            producer.alias.and_then(|alias| alias.known()?.seen_since)
        };
        assert_eq!(since(("blue", "1"), 2000), Some(at(2000)));
        assert_eq!(since(("green", "2"), 2000), Some(at(2000)));
        assert_eq!(since(("blue", "1"), 2020), Some(at(2000)));
        assert_eq!(since(("green", "3"), 2020), Some(at(2020)));
    }
}
