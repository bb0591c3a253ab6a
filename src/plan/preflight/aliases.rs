//! The check of aliases that kdsha.toml does not name: a switch changes $LATEST, and no version that an alias runs.

use super::{About, Checks};
use crate::model::{AliasView, FailureKind, Observed, OtherAlias, ProducerView, Region, Side, Verdict};
use crate::plan::sequence::Selected;

const CHECK: &str = "producer_alias";

/// A run that proves the old stream quiet relies on nothing that comes through an alias: it warns. An emergency proves
/// nothing, and ends with the readers stopped in front of what still arrives: it is forbidden, but for one that goes on.
pub(super) fn in_an_emergency(checks: &Checks<'_>, of: &Selected<'_>) -> Verdict {
    match checks.request.own_mark(of.view) {
        Some(_) => Verdict::Warn,
        None => Verdict::Fail,
    }
}

impl Checks<'_> {
    /// Aliases that lead to the primary: the next failover does not reach them, or the last one did not.
    pub(crate) fn aliases_at_rest(&mut self, of: &Selected<'_>) {
        for producer in &of.view.producers {
            let about =
                About { pipeline: Some(of.pipeline.name.clone()), region: Some(producer.region.clone()) };
            self.aliases(&about, producer, Side::Primary, Verdict::Warn);
        }
    }

    /// The aliases of a producer that is configured without one; `verdict` is for those that lead to the Region that
    /// is left.
    pub(super) fn aliases(&mut self, about: &About, producer: &ProducerView, from: Side, verdict: Verdict) {
        let from = self.request.region(from).clone();
        let all = match &producer.other_aliases {
            Observed::Known(all) => all,
            Observed::Unknown(reason) if reason.kind == FailureKind::NotAsked => return,
            Observed::Unknown(reason) => {
                let evidence = format!("whether {} has aliases: {}", producer.name, reason.text);
                let advice = "if it is invoked through one, name it in kdsha.toml: a switch of $LATEST does not reach it";
                return self.advise(CHECK, about, Verdict::Warn, evidence, advice);
            }
        };
        let left: Vec<&OtherAlias> = all.iter().filter(|alias| leads_to(alias, &from)).collect();
        let unread = all.iter().find(|alias| !alias.is_latest() && alias.region_value.known().is_none());
        match (left.as_slice(), unread) {
            ([first, ..], _) => {
                let evidence = format!("{}: a switch does not reach it", listed(producer, &left));
                self.advise(CHECK, about, verdict, evidence, named_or_not(producer, first, &from, verdict));
            }
            ([], Some(alias)) => {
                let why = alias.region_value.reason().map_or("", |reason| reason.text.as_str());
                let evidence = format!("{}: {why}", listed(producer, &[alias]));
                let advice = named_or_not(producer, alias, &from, Verdict::Warn);
                self.advise(CHECK, about, Verdict::Warn, evidence, advice);
            }
            ([], None) if all.is_empty() => {
                self.ok(CHECK, about, format!("{} has no alias", producer.name));
            }
            ([], None) => self.ok(CHECK, about, listed(producer, &all.iter().collect::<Vec<_>>())),
        }
    }
}

impl OtherAlias {
    fn is_latest(&self) -> bool {
        self.version == AliasView::LATEST
    }
}

/// Whether its version goes on writing to a Region. An alias of $LATEST is switched with it.
fn leads_to(alias: &OtherAlias, region: &Region) -> bool {
    let value = alias.region_value.known().and_then(Option::as_deref);
    !alias.is_latest() && value == Some(region.as_str())
}

fn listed(producer: &ProducerView, aliases: &[&OtherAlias]) -> String {
    let one = |alias: &&OtherAlias| {
        let (name, version) = (&alias.name, &alias.version);
        match &alias.region_value {
            _ if alias.is_latest() => format!("alias {name} of {} follows $LATEST", producer.name),
            Observed::Known(Some(region)) => {
                format!("alias {name} of {} runs version {version}, which writes to {region}", producer.name)
            }
            Observed::Known(None) => {
                format!("alias {name} of {} runs version {version}, without the variable", producer.name)
            }
            Observed::Unknown(_) => {
                format!("what version {version} behind alias {name} of {} writes to", producer.name)
            }
        }
    };
    aliases.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn named_or_not(producer: &ProducerView, alias: &OtherAlias, from: &Region, verdict: Verdict) -> String {
    let name = &alias.name;
    let used = format!(
        "if {} is invoked through it, add `alias = \"{name}\"` to its [[pipeline.producer]]",
        producer.name
    );
    match verdict {
        Verdict::Fail => format!(
            "{used}, or all of that stays in {from}, unread; if nobody invokes it, `--accept {CHECK}`, or delete it"
        ),
        _ => format!("{used}, or {from} does not get quiet; if nobody invokes it, delete it"),
    }
}
