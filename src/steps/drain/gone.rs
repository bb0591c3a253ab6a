//! A reader that is found stopped, or without a mapping, in its drain: was it drained before?

use super::{Cause, Drain, age};
use crate::model::{Check, Mapping, Series, duration};
use crate::steps::{Reader, Seen};
use std::time::Duration;

/// How old a record may be that is read on time: a poll a second (Lambda Developer Guide, with-kinesis), and some.
const ON_TIME: Duration = Duration::from_secs(5);

impl Drain {
    /// Stopped is drained where the same proof holds for the moment of the stop. It is waited for until CloudWatch has
    /// all of that moment.
    pub(super) fn was_drained(&self, mapping: &Mapping, seen: Seen<'_>) -> Check {
        let Some(stopped) = mapping.last_modified else {
            return self.stopped_before(mapping, "AWS did not say when it was stopped");
        };
        let shown = stopped + self.fresh;
        if seen.at < shown {
            let left = duration::show(age(shown, seen.at));
            return self
                .not_yet(seen, format!("it is stopped; in {left} the metrics show whether it was drained"));
        }
        if let Some(why) = self.unanswered(seen) {
            return self.not_yet(seen, why);
        }
        match self.had_nothing_left(mapping, Seen { at: stopped, ..seen }) {
            Ok(evidence) => Check::Done(format!("already stopped at {stopped:.0}, drained: {evidence}")),
            Err(Check::NotYet(progress)) => self.stopped_before(mapping, &progress.because),
            Err(check) => check,
        }
    }

    /// All rules at the moment of the stop; the silence by what CloudWatch counted. What arrived after the stop is no
    /// matter of the drain: preflight says it, with its expiry.
    fn had_nothing_left(&self, mapping: &Mapping, at_the_stop: Seen<'_>) -> Result<String, Check> {
        let side = self.reader.side_view(at_the_stop);
        let arrived = side.metrics.incoming_records.known().and_then(|series| {
            let mut points = series.since(at_the_stop.at - self.hold).iter();
            points.find(|point| point.value > 0.0 && point.at <= at_the_stop.at)
        });
        if let Some(point) = arrived {
            return Err(
                self.not_yet(at_the_stop, format!("{:.0} records arrived at {:.0}", point.value, point.at))
            );
        }
        let reads = self.has_read(mapping, at_the_stop)?;
        self.has_nothing_in_hand(at_the_stop).map(|evidence| evidence + reads)
    }

    /// Why the metrics say nothing at all: that is no reason to give up.
    fn unanswered(&self, seen: Seen<'_>) -> Option<String> {
        let side = self.reader.side_view(seen);
        let view = self.reader.view(seen)?;
        let (metrics, incoming) = (&view.metrics, &side.metrics.incoming_records);
        let read =
            [incoming, self.position(side, seen), &metrics.iterator_age, &metrics.errors, &metrics.throttles];
        read.into_iter().find_map(|series| series.reason().map(|reason| reason.text.clone()))
    }

    /// A mapping that is gone counts as drained where this run knows why it is gone, or where its last invocations show
    /// that it had read all.
    pub(super) fn is_missing(&self, seen: Seen<'_>) -> Check {
        if self.missing == Cause::Expected {
            return Check::Done(format!("{} has no mapping", self.reader));
        }
        if let Some(why) = self.unanswered(seen) {
            return self.not_yet(seen, why);
        }
        match self.read_all(seen) {
            Ok(evidence) => Check::Done(format!("{} has no mapping any more; {evidence}", self.reader)),
            Err(why) => Check::Blocked(self.deleted_before(&why)),
        }
    }

    /// The function was invoked once more after the newest record had come, with nothing old, and did not fail.
    fn read_all(&self, seen: Seen<'_>) -> Result<String, String> {
        let (side, view) = (self.reader.side_view(seen), self.reader.view(seen));
        let metrics = &view.ok_or("it is not configured")?.metrics;
        let arrivals = side.metrics.incoming_records.known();
        let counted = arrivals.and_then(|series| series.points.iter().rev().find(|point| point.value > 0.0));
        let newest = side.probe.known().and_then(|probe| probe.newest());
        let arrived = newest.or(counted.map(|point| point.at)).ok_or("no arrival is in sight")?;
        let ages = metrics.iterator_age.known();
        let last = ages.and_then(|series| series.reaching(arrived).last());
        let last = last.ok_or_else(|| format!("no invocation since {arrived:.0}"))?;
        if last.value > ON_TIME.as_millis() as f64 {
            return Err(format!("its last records were {:.0} s old", last.value / 1000.0));
        }
        let from = arrived - self.looks_back();
        let failed = [&metrics.errors, &metrics.throttles].map(|series| series.known());
        let has_failed = |series: &Series| series.reaching(from).iter().any(|point| point.value > 0.0);
        if !failed.iter().all(|series| series.is_some_and(|series| !has_failed(series))) {
            return Err("it failed or was throttled shortly before".to_owned());
        }
        Ok(format!("it had read what arrived until {arrived:.0}"))
    }

    fn deleted_before(&self, why: &str) -> String {
        let Reader { region, function, source, .. } = &self.reader;
        format!(
            "the mapping of the {} is gone, and nothing proves that it was drained before ({why}): nobody reads what it had \
             not; `aws lambda create-event-source-mapping --region {region} --function-name {function} --event-source-arn \
             <ARN of {source}> --starting-position TRIM_HORIZON`, then the same command again",
            self.reader
        )
    }

    fn stopped_before(&self, mapping: &Mapping, why: &str) -> Check {
        Check::Blocked(format!(
            "mapping {id} is stopped, and nothing proves that it was drained before ({why}): what it has not processed \
             would wait for the failback; `aws lambda update-event-source-mapping --region {} --uuid {id} --enabled`, then \
             the same command again",
            self.reader.region,
            id = mapping.id
        ))
    }
}
