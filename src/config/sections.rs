//! The file as a whole: `[regions]`, `[account]`, `[objectives]`, `[timing]`, `[endpoints]`, the pipelines.

use super::problem::{Finding, is_unfit};
use super::section::{Findings, KEYS, Read, Section, Value, Wrong, nearest, printable};
use super::topology::{Objectives, Regions, Timing, Topology};
use super::{across, endpoints, pipeline, values};
use crate::model::{AccountId, Region, duration};
use std::cell::RefCell;
use std::time::Duration;
use toml::de::{DeTable, Error};

/// Reads the whole text, or gives everything that is wrong with it.
pub(super) fn read(text: &str) -> Result<Topology, Vec<Finding>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let go_on = errors.iter().all(|e| is_quotes(e) || is_duplicate(e));
    let findings: Findings = RefCell::new(errors.iter().map(|e| syntax(text, e)).collect());
    // After a slip such as a missing quote the rest can still be read; after others it would mislead.
    let topology = match go_on {
        true => whole(document.get_ref(), &findings),
        false => None,
    };
    match (topology, findings.into_inner()) {
        (Some(topology), found) if found.is_empty() => Ok(topology),
        (_, found) if found.is_empty() => {
            Err(vec![Finding { span: None, message: "it cannot be read".to_owned(), hint: None }])
        }
        (_, found) => Err(found),
    }
}

fn is_quotes(error: &Error) -> bool {
    error.message().starts_with("string values must be quoted")
}

fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

fn syntax(text: &str, error: &Error) -> Finding {
    let span = error.span().unwrap_or(0..0);
    let at = text.get(span.clone()).unwrap_or_default();
    if is_quotes(error) && !at.contains(|c: char| c == '"' || c == '\\' || is_unfit(c)) {
        return Finding::at(span, "text must be in quotes").hint(format!("write \"{at}\""));
    }
    if is_duplicate(error) {
        let message = format!("`{}` is given twice in the same table", printable(at));
        return Finding::at(span, message).hint("keep one of the two");
    }
    Finding::at(span, format!("this is not TOML: {}", error.message()))
}

fn whole<'t>(document: &'t DeTable<'t>, findings: &'t Findings) -> Option<Topology> {
    let (label, keys) = KEYS[0];
    let file = Section::open(label, keys, 0..0, document, findings);
    let regions = regions(&file);
    let account = match file.table("account", "[account]") {
        Some(section) => section.required("id", "\"123456789012\"", values::id::<AccountId>).map(Some),
        None => Some(None),
    };
    let timing = timing(&file);
    let period = timing.as_ref().map(|t| t.metric_period);
    let objectives = objectives(&file, period);
    let endpoints = match file.table("endpoints", "[endpoints]") {
        Some(section) => endpoints::read(&section, &regions),
        None => Some(Default::default()),
    };
    let pipelines = pipelines(&file, &regions);
    Some(Topology {
        path: None,
        regions: regions.both()?,
        account: account?,
        objectives: objectives?,
        timing: timing?,
        endpoints: endpoints?,
        pipelines: pipelines?,
    })
}

/// The Regions as far as they could be read.
#[derive(Debug, Default)]
pub(super) struct RegionsRead {
    /// The primary, where it is sound.
    pub primary: Option<Region>,
    /// The standby, where it is sound.
    pub standby: Option<Region>,
}

impl RegionsRead {
    fn both(&self) -> Option<Regions> {
        Some(Regions { primary: self.primary.clone()?, standby: self.standby.clone()? })
    }
    /// Whether a Region is one of the two, as far as they are known.
    pub fn may_be(&self, region: &Region) -> bool {
        [&self.primary, &self.standby].iter().any(|known| known.as_ref().is_none_or(|known| known == region))
    }
    /// Both by name, where both are known.
    pub fn names(&self) -> Option<String> {
        Some(format!("{} and {}", self.primary.as_ref()?, self.standby.as_ref()?))
    }
}

/// Regions to suggest for a misspelt one; never used to refuse one, since AWS opens new ones.
const WELL_KNOWN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

fn region(value: &Value<'_>) -> Read<Region> {
    let near = value.get_ref().as_str().and_then(|given| nearest(given, WELL_KNOWN));
    values::id(value).map_err(|wrong: Wrong| wrong.hint(near.map(|near| format!("did you mean \"{near}\"?"))))
}

/// The partition that a Region's name tells; credentials are good for one partition only.
fn partition(region: &Region) -> &'static str {
    match region.as_str() {
        name if name.starts_with("cn-") => "China",
        name if name.starts_with("us-gov-") => "GovCloud",
        name if name.contains("-iso") => "isolated",
        _ => "commercial",
    }
}

fn regions(file: &Section<'_>) -> RegionsRead {
    let Some(section) = file.table("regions", "[regions]") else {
        if file.get("regions").is_none() {
            let hint = "it names the two: primary = \"us-west-2\" and standby = \"us-east-2\"";
            file.missing("regions", "there is no [regions] table".to_owned(), hint);
        }
        return RegionsRead::default();
    };
    let primary = section.required("primary", "\"us-west-2\"", region);
    let standby = section.required("standby", "\"us-east-2\"", region);
    if let (Some(primary), Some(standby)) = (&primary, &standby) {
        let place = section.place("standby");
        if primary == standby {
            let message = format!("`standby` is the primary Region, {primary}; it must be another one");
            section.report(Finding::at(place, message));
        } else if partition(primary) != partition(standby) {
            let message = format!(
                "{primary} is a {} Region and {standby} is a {} one: no credentials are good for both",
                partition(primary),
                partition(standby)
            );
            section.report(Finding::at(place, message));
        }
    }
    RegionsRead { primary, standby }
}

fn objectives(file: &Section<'_>, period: Option<Duration>) -> Option<Objectives> {
    let fall_back = Objectives::default();
    let Some(section) = file.table("objectives", "[objectives]") else { return Some(fall_back) };
    let length = |key, or| section.or(key, or, |v| values::length(v, values::above_zero()));
    let rto = length("rto", fall_back.rto);
    let rpo = length("rpo", fall_back.rpo);
    let error_window = length("error_window", fall_back.error_window);
    let error_rate = section.or("error_rate", fall_back.error_rate, values::share);
    if let (Some(window), Some(period)) = (error_window, period)
        && window < period
    {
        let (window, period) = (duration::show(window), duration::show(period));
        let message = format!("`error_window` ({window}) is shorter than `metric_period` ({period})");
        section.report(Finding::at(section.place("error_window"), message));
    }
    Some(Objectives { rto: rto?, rpo: rpo?, error_rate: error_rate?, error_window: error_window? })
}

fn timing(file: &Section<'_>) -> Option<Timing> {
    let or = Timing::default();
    let Some(section) = file.table("timing", "[timing]") else { return Some(or) };
    let above_zero = |key, or| section.or(key, or, |v| values::length(v, values::above_zero()));
    let poll = above_zero("poll", or.poll);
    let settle = section.or("settle", or.settle, |v| values::length(v, values::from_zero()));
    let fresh = above_zero("fresh", or.fresh);
    let quiet = above_zero("quiet", or.quiet);
    let timeout = above_zero("timeout", or.timeout);
    let metric_period = section.or("metric_period", or.metric_period, metric_period);
    if let (Some(poll), Some(timeout)) = (poll, timeout)
        && poll >= timeout
    {
        let (poll, timeout) = (duration::show(poll), duration::show(timeout));
        let message = format!("`poll` ({poll}) must be shorter than `timeout` ({timeout})");
        let key = if section.get("poll").is_some() { "poll" } else { "timeout" };
        section.report(Finding::at(section.place(key), message));
    }
    if let (Some(fresh), Some(period)) = (fresh, metric_period)
        && fresh < period
    {
        let (fresh, period) = (duration::show(fresh), duration::show(period));
        let message = format!("`fresh` ({fresh}) must be at least `metric_period` ({period})");
        let key = if section.get("fresh").is_some() { "fresh" } else { "metric_period" };
        let hint = "with less, no data point would ever be fresh enough to prove anything";
        section.report(Finding::at(section.place(key), message).hint(hint));
    }
    Some(Timing {
        poll: poll?,
        settle: settle?,
        fresh: fresh?,
        quiet: quiet?,
        timeout: timeout?,
        metric_period: metric_period?,
    })
}

/// A period of CloudWatch's GetMetricData.
fn metric_period(value: &Value<'_>) -> Read<Duration> {
    let length = values::length(value, values::above_zero())?;
    let seconds = length.as_secs();
    let whole = length.subsec_nanos() == 0;
    let known = matches!(seconds, 1 | 5 | 10 | 30) || seconds.is_multiple_of(60);
    match whole && known && seconds <= 86_400 {
        true => Ok(length),
        false => Err(Wrong::expected("a CloudWatch period: 1s, 5s, 10s, 30s, or whole minutes up to a day")),
    }
}

fn pipelines(file: &Section<'_>, regions: &RegionsRead) -> Option<Vec<super::Pipeline>> {
    let sections = file.tables("pipeline", "[[pipeline]]")?;
    if sections.is_empty() {
        let hint = "one names a stream with its producers and its consumer; the README has an example";
        file.missing("pipeline", "there is no [[pipeline]] table".to_owned(), hint);
        return None;
    }
    let drafts: Vec<pipeline::Draft<'_>> =
        sections.into_iter().map(|section| pipeline::Draft::read(section, regions)).collect();
    across::check(&drafts, file);
    drafts.into_iter().map(pipeline::Draft::finish).collect()
}
