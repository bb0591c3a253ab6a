//! 2. No variable but the two of a producer is changed or lost, in any function, version or Region.

use super::super::weather::{Variables, Weather, foreign};
use super::{Invariant, Judged};

fn keys(all: &Variables) -> String {
    all.keys().cloned().collect::<Vec<_>>().join(" ")
}

/// What the next change of each function builds on.
pub fn environments_are_kept(weather: &Weather<'_>) -> Judged {
    let wrong = weather.functions.iter().find_map(|(side, name)| {
        let now = weather.environment_in(*side, name, None);
        let owned = weather.owned.borrow();
        let due = owned.get(&(*side, name.clone())).and_then(|all| all.last())?;
        let now = if weather.is_producer(name) { foreign(&now) } else { now };
        let seen =
            || format!("{name} in the {side} has {}, not {}, or a value differs", keys(&now), keys(due));
        (now != *due).then(seen)
    });
    Invariant::EnvironmentsAreKept.unless(wrong)
}

/// What runs behind an alias: what the owners wrote once, whole. A deploy reaches it with the next version.
pub fn versions_are_kept(weather: &Weather<'_>) -> Judged {
    let producers = weather.theatre.topology.pipelines.iter().flat_map(|pipeline| &pipeline.producers);
    let aliased: Vec<_> = producers.filter_map(|p| Some((p, p.alias.as_deref()?))).collect();
    if aliased.is_empty() {
        return Invariant::VersionsAreKept.not_due();
    }
    let wrong = aliased.into_iter().find_map(|(producer, alias)| {
        let name = producer.function.to_string();
        let now = foreign(&weather.environment_in(producer.side, &name, Some(alias)));
        let owned = weather.owned.borrow();
        let written = owned.get(&(producer.side, name.clone()))?;
        (!written.contains(&now)).then(|| format!("{name}:{alias} has {}, which nobody wrote", keys(&now)))
    });
    Invariant::VersionsAreKept.unless(wrong)
}
