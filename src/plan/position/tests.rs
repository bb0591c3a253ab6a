//! The arithmetic of a start position, as properties and as the cases that taught it.

use super::*;
use crate::model::{FailureKind, Observed, ReaderMetrics, Reason, Series, StreamMetrics};
use crate::plan::Mode;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).expect("an instant")
}

/// Points of (minute, value).
fn series(points: &[(i64, f64)]) -> Observed<Series> {
    let points = points.iter().map(|(minute, value)| Point { at: at(*minute), value: *value }).collect();
    Observed::Known(Series { period: MINUTE, points })
}

fn reader(iterator_age: &[(i64, f64)], errors: &[(i64, f64)], invocations: &[(i64, f64)]) -> ReaderMetrics {
    ReaderMetrics {
        iterator_age: series(iterator_age),
        errors: series(errors),
        throttles: series(&[]),
        invocations: series(invocations),
        duration: series(&[]),
        millis_behind_latest: None,
        polled_events: series(&[]),
    }
}

fn stream(iterator_age: &[(i64, f64)], incoming: &[(i64, f64)]) -> StreamMetrics {
    let none = || series(&[]);
    StreamMetrics {
        incoming_records: series(incoming),
        iterator_age: series(iterator_age),
        put_record_success: none(),
        put_record_calls: none(),
        put_records_total: none(),
        put_records_failed: none(),
        get_records_success: none(),
        get_records_calls: none(),
        put_records_throttled: none(),
        writes_throttled: none(),
        reads_throttled: none(),
        shard_iterator_age: None,
    }
}

fn evidence<'a>(reader: &'a ReaderMetrics, stream: &'a StreamMetrics, mode: Mode, now: i64) -> Evidence<'a> {
    let buffer = Buffer {
        overlap: MINUTE * 5,
        consumer_timeout: Duration::from_secs(30),
        batching_window: Duration::ZERO,
        allowance: ALLOWANCE,
    };
    Evidence {
        reader,
        stream,
        mode,
        now: at(now),
        history: MINUTE * 180,
        buffer,
        tumbling_window: Duration::ZERO,
        retention: MINUTE * 60 * 24,
        is_filtered: false,
        other_streams: Some(&[]),
    }
}

fn start(position: &Position) -> Timestamp {
    match position.start {
        StartAt::Timestamp(at) => at,
        StartAt::TrimHorizon => panic!("not expected to be the trim horizon"),
    }
}

#[test]
fn a_consumer_that_died_half_an_hour_ago_is_met_where_it_died() {
    let reader = reader(&[(0, 400.0)], &[], &[(0, 10.0)]);
    let stream = stream(&[(0, 0.0), (-1, 0.0)], &[]);
    let position = evidence(&reader, &stream, Mode::Emergency, 30).derive().expect("data points");
    assert!(start(&position) <= at(0) - MINUTE * 6 - Duration::from_secs(30));
}

#[test]
fn the_earlier_of_reader_and_processor_decides() {
    // The reader runs ahead (lag zero) while the function works on a batch that is ten minutes old.
    let reader = reader(&[(10, 600_000.0)], &[], &[(10, 1.0)]);
    let stream = stream(&[(10, 0.0)], &[(10, 5.0)]);
    let position = evidence(&reader, &stream, Mode::Planned, 12).derive().expect("data points");
    assert!(start(&position) <= at(0) - MINUTE * 6);
}

#[test]
fn a_given_start_behind_what_may_be_unprocessed_is_known_to_skip() {
    let reader = reader(&[(0, 600_000.0)], &[], &[(0, 10.0)]);
    let stream = stream(&[(0, 0.0)], &[]);
    let evidence = evidence(&reader, &stream, Mode::Emergency, 5);
    let given = |minute| StartAt::Timestamp(at(minute));
    let safe = evidence.derive().expect("data points").start;
    assert_eq!(evidence.skips(given(0)), Some(safe));
    assert_eq!(evidence.skips(safe), None);
    assert_eq!(evidence.skips(given(-60)), None);
    // Where everything that the standby still has may be unprocessed, its oldest record is the only safe start.
    let short = Evidence { retention: MINUTE * 12, ..evidence };
    assert_eq!(short.skips(given(-5)), Some(StartAt::TrimHorizon));
    assert_eq!(short.skips(given(-60)), None);
    assert_eq!(short.skips(StartAt::TrimHorizon), None);
}

#[test]
fn metrics_that_may_be_of_several_streams_give_no_answer_and_still_forbid_a_later_start() {
    let reader = reader(&[(0, 600_000.0)], &[], &[(0, 10.0)]);
    let stream = stream(&[(0, 0.0)], &[]);
    let known = evidence(&reader, &stream, Mode::Emergency, 5);
    let unknown = Evidence { other_streams: None, ..known };
    assert!(unknown.derive().is_err());
    let safe = known.derive().expect("data points").start;
    assert_eq!(unknown.of_one_stream(), Some(safe));
    assert_eq!(unknown.skips(StartAt::Timestamp(at(0))), Some(safe));
}

#[test]
fn no_data_point_gives_no_automatic_answer() {
    let reader = reader(&[], &[], &[]);
    let stream = stream(&[], &[]);
    for mode in [Mode::Planned, Mode::Emergency] {
        assert!(evidence(&reader, &stream, mode, 5).derive().is_err());
    }
}

#[test]
fn an_unknown_series_gives_no_automatic_answer() {
    let mut reader = reader(&[(0, 0.0)], &[], &[]);
    reader.iterator_age = Observed::Unknown(Reason::new(FailureKind::TimedOut, "CloudWatch did not answer"));
    let stream = stream(&[(0, 0.0)], &[]);
    let why = evidence(&reader, &stream, Mode::Emergency, 5).derive().expect_err("it is unknown");
    assert!(why.contains("CloudWatch did not answer"), "{why}");
}

#[test]
fn arrivals_without_any_processing_give_an_emergency_no_automatic_answer() {
    let reader = reader(&[], &[], &[]);
    let stream = stream(&[(0, 0.0)], &[(0, 50.0)]);
    assert!(evidence(&reader, &stream, Mode::Emergency, 5).derive().is_err());
    assert!(evidence(&reader, &stream, Mode::Planned, 5).derive().is_ok());
}

#[test]
fn a_consumer_that_has_been_silent_for_as_long_as_anybody_looked_may_have_left_older_records() {
    // A replicator keeps the stream's own age at zero; what came in at night is out of sight.
    let reader = reader(&[], &[], &[]);
    let ages: Vec<(i64, f64)> = (0..180).map(|m| (m, 0.0)).collect();
    let stream = stream(&ages, &[]);
    let why = evidence(&reader, &stream, Mode::Emergency, 181).derive().expect_err("nothing tells");
    assert!(why.contains("no data point in the last 3h"), "{why}");
}

#[test]
fn the_functions_age_alone_gives_an_emergency_no_automatic_answer() {
    // It is that of the newest record of a batch, and a batch may span an hour.
    let reader = reader(&[(0, 100.0)], &[], &[(0, 5.0)]);
    let stream = stream(&[], &[(0, 5.0)]);
    let why = evidence(&reader, &stream, Mode::Emergency, 1).derive().expect_err("one of two series");
    assert!(why.contains("GetRecords.IteratorAgeMilliseconds has no data point"), "{why}");
    assert!(evidence(&reader, &stream, Mode::Planned, 1).derive().is_ok(), "its drain needs the other one");
}

#[test]
fn a_fan_out_consumers_own_lag_decides_in_place_of_the_streams_age() {
    let mut reader = reader(&[(30, 100.0)], &[], &[(30, 1.0)]);
    reader.millis_behind_latest = Some(series(&[(29, 600_000.0), (30, 0.0)]));
    let none_polls = stream(&[], &[(30, 5.0)]);
    let position = evidence(&reader, &none_polls, Mode::Emergency, 31).derive().expect("data points");
    assert_eq!(start(&position), at(19) - MINUTE * 6 - Duration::from_secs(30));
    reader.millis_behind_latest = Some(series(&[]));
    let polled = stream(&[(30, 0.0)], &[(30, 5.0)]);
    assert!(evidence(&reader, &polled, Mode::Emergency, 31).derive().is_err(), "the age is that of others");
}

#[test]
fn throttles_alone_are_reached_behind() {
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 500.0)).collect();
    let throttled: Vec<(i64, f64)> = (20..60).map(|m| (m, 3.0)).collect();
    let mut reader = reader(&every, &[], &every);
    reader.throttles = series(&throttled);
    let stream = stream(&every, &every);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("a sound beginning");
    assert!(position.notes.iter().any(|note| note.contains("throttles since")), "{:?}", position.notes);
    assert!(start(&position) <= at(19) - MINUTE * 6, "{}", start(&position));
}

#[test]
fn points_that_come_late_move_no_start() {
    let every: Vec<(i64, f64)> = (0..30).map(|m| (m, 500.0)).collect();
    let reader = reader(&every, &[], &every);
    let stream = stream(&every, &every);
    let start_at = |now| {
        let position = evidence(&reader, &stream, Mode::Emergency, now).derive().expect("data points");
        start(&position)
    };
    assert_eq!(start_at(31), start_at(90));
}

/// The newest period is not over: what its point says may still grow, and it is no later minute to reach back from.
#[test]
fn a_point_whose_period_is_not_over_moves_a_start_back_or_not_at_all() {
    let start_with = |newest: Option<f64>| {
        let every: Vec<(i64, f64)> = (0..30).map(|m| (m, 500.0)).collect();
        let ages: Vec<(i64, f64)> = every.iter().copied().chain(newest.map(|age| (30, age))).collect();
        let (reader, stream) = (reader(&ages, &[], &every), stream(&ages, &every));
        let mut evidence = evidence(&reader, &stream, Mode::Emergency, 30);
        evidence.now = at(30) + MINUTE / 2;
        start(&evidence.derive().expect("data points"))
    };
    let without = start_with(None);
    assert_eq!(start_with(Some(0.0)), without);
    assert_eq!(start_with(Some(1_800_000.0)), at(0) - MINUTE * 6 - MINUTE / 2);
}

#[test]
fn traffic_that_the_filters_drop_is_no_gap_and_tells_nothing_of_a_consumer_that_is_silent() {
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    let wanted = [(5, 800.0), (55, 800.0)];
    let rare = reader(&wanted, &[], &wanted);
    let stream = stream(&every, &every);
    let filtered = Evidence { is_filtered: true, ..evidence(&rare, &stream, Mode::Emergency, 61) };
    assert!(filtered.derive().expect("data points").notes.is_empty());
    let silent = reader(&[], &[], &[]);
    let filtered = Evidence { is_filtered: true, ..evidence(&silent, &stream, Mode::Emergency, 61) };
    let why = filtered.derive().expect_err("nothing tells");
    assert!(why.contains("or its filters drop everything"), "{why}");
}

#[test]
fn the_expected_duplicates_are_what_arrived_from_the_minute_of_the_start_on() {
    let reader = reader(&[(30, 0.0)], &[], &[(30, 1.0)]);
    let arrivals: Vec<(i64, f64)> = (0..31).map(|m| (m, 10.0)).collect();
    let stream = stream(&[(30, 0.0)], &arrivals);
    let evidence = evidence(&reader, &stream, Mode::Planned, 31);
    let from = |minute: i64, seconds: u64| StartAt::Timestamp(at(minute) + Duration::from_secs(seconds));
    // The minute in which the start lies counts whole.
    assert_eq!(evidence.duplicates(from(20, 30)), Some(110));
    assert_eq!(evidence.duplicates(StartAt::TrimHorizon), None);
    assert_eq!(evidence.duplicates(from(-150, 0)), None, "further back than anybody looked");
}

#[test]
fn an_emergency_reaches_back_before_errors_began() {
    let invocations: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, 1_000.0)).collect();
    let errors: Vec<(i64, f64)> = (20..60).map(|m| (m, 1.0)).collect();
    let reader = reader(&ages, &errors, &invocations);
    let stream = stream(&ages, &[]);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
    assert!(start(&position) <= at(44), "the window is fifteen minutes at least");
    // The trouble began before the window: no sound period lies between.
    assert!(position.notes.iter().any(|note| note.contains("widened")), "{:?}", position.notes);
    assert!(start(&position) <= at(19), "{}", start(&position));
}

#[test]
fn a_gap_without_errors_is_reached_behind() {
    // Records arrive all the time; between 20 and 40 the function reports nothing, and goes on afterwards.
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    let ages: Vec<(i64, f64)> = (0..60).filter(|m| !(20..40).contains(m)).map(|m| (m, 500.0)).collect();
    let reader = reader(&ages, &[], &ages);
    let stream = stream(&every, &every);
    let position = evidence(&reader, &stream, Mode::Emergency, 51).derive().expect("data points");
    assert!(start(&position) <= at(20), "{}", start(&position));
    assert!(position.notes.iter().any(|note| note.contains("gap")), "{:?}", position.notes);
}

#[test]
fn an_idle_stream_has_no_gap() {
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 0.0)).collect();
    let rare = [(5, 800.0), (55, 800.0)];
    let reader = reader(&rare, &[], &rare);
    let stream = stream(&every, &[(5, 1.0), (55, 1.0)]);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
    assert!(position.notes.is_empty(), "{:?}", position.notes);
}

#[test]
fn a_sound_minute_between_two_tries_of_a_failing_batch_is_not_trusted() {
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    // One shard's batch fails every third minute since 20; the other shards are well in between.
    let errors: Vec<(i64, f64)> = (20..60).step_by(3).map(|m| (m, 1.0)).collect();
    let reader = reader(&every, &errors, &every);
    let stream = stream(&every, &every);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
    assert!(start(&position) <= at(19), "{}", start(&position));
}

#[test]
fn tries_that_lie_a_long_time_out_apart_are_one_trouble() {
    // One shard's batch takes its whole time-out of fifteen minutes to fail; the other shards work.
    let every: Vec<(i64, f64)> = (0..111).map(|m| (m, 500.0)).collect();
    let errors = [(20, 1.0), (35, 1.0), (50, 1.0), (65, 1.0), (80, 1.0), (95, 1.0)];
    let reader = reader(&every, &errors, &every);
    let stream = stream(&every, &every);
    let mut evidence = evidence(&reader, &stream, Mode::Emergency, 111);
    evidence.buffer.consumer_timeout = MINUTE * 15;
    let position = evidence.derive().expect("a sound beginning");
    assert!(start(&position) <= at(19), "{}", start(&position));
}

#[test]
fn a_batch_whose_items_fail_without_an_error_is_reached_behind() {
    // From 20 on the oldest batch is always the same one; nothing fails, since the function names the items.
    let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, 1_000.0 + 60_000.0 * (m - 20).max(0) as f64)).collect();
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    let reader = reader(&ages, &[], &every);
    let stream = stream(&every, &every);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("a sound beginning");
    assert!(position.notes.iter().any(|note| note.contains("did not move on")), "{:?}", position.notes);
    assert!(start(&position) <= at(19), "{}", start(&position));
}

#[test]
fn a_consumer_that_is_late_and_moves_on_is_in_no_trouble() {
    let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, 600_000.0 + 1_000.0 * m as f64)).collect();
    let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
    let reader = reader(&ages, &[], &every);
    let stream = stream(&every, &every);
    let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("it moves on");
    assert!(position.notes.is_empty(), "{:?}", position.notes);
}

#[test]
fn the_window_reaches_back_over_the_longest_invocation() {
    let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, if m == 32 { 120_000.0 } else { 100.0 })).collect();
    let reader = reader(&ages, &[], &ages);
    let stream = stream(&ages, &[]);
    let mut evidence = evidence(&reader, &stream, Mode::Emergency, 61);
    evidence.buffer.consumer_timeout = Duration::from_secs(900);
    let position = evidence.derive().expect("data points");
    assert!(start(&position) <= at(30) - MINUTE * 21, "{}", start(&position));
}

fn by_shard(shards: &[(&str, &[(i64, f64)])]) -> Option<Observed<crate::model::ShardSeries>> {
    let one =
        |(id, points): &(&str, &[(i64, f64)])| Some(((*id).to_owned(), series(points).known()?.clone()));
    Some(Observed::Known(shards.iter().filter_map(one).collect()))
}

#[test]
fn the_furthest_shard_decides_where_shards_have_metrics() {
    let reader = reader(&[(30, 100.0)], &[], &[(30, 1.0)]);
    let mut stream = stream(&[(30, 100.0)], &[]);
    // The stream's own maximum did not see a shard that nobody read in the window.
    stream.shard_iterator_age = by_shard(&[("shard-0", &[(30, 100.0)]), ("shard-1", &[(2, 60_000.0)])]);
    let position = evidence(&reader, &stream, Mode::Emergency, 32).derive().expect("data points");
    assert!(start(&position) <= at(1) - MINUTE * 6, "{}", start(&position));
}

#[test]
fn an_open_shard_without_a_point_gives_no_automatic_answer() {
    let reader = reader(&[(30, 100.0)], &[], &[(30, 1.0)]);
    let mut stream = stream(&[(30, 100.0)], &[]);
    stream.shard_iterator_age = by_shard(&[("shard-0", &[(30, 100.0)]), ("shard-1", &[])]);
    for mode in [Mode::Planned, Mode::Emergency] {
        let why = evidence(&reader, &stream, mode, 32).derive().expect_err("shard-1 is not known");
        assert!(why.contains("shard-1"), "{why}");
    }
}

#[test]
fn a_point_that_stands_out_is_obeyed_and_said() {
    let ages: Vec<(i64, f64)> = (0..30).map(|m| (m, if m == 28 { 7_200_000.0 } else { 50.0 })).collect();
    let reader = reader(&[(29, 50.0)], &[], &[(29, 1.0)]);
    let stream = stream(&ages, &[]);
    let position = evidence(&reader, &stream, Mode::Planned, 31).derive().expect("data points");
    assert!(start(&position) <= at(28) - MINUTE * 120, "{}", start(&position));
    assert!(position.notes.iter().any(|note| note.contains("stands out")), "{:?}", position.notes);
}

#[test]
fn a_clock_that_is_ahead_does_not_start_in_the_future() {
    // A negative age does not exist; a point's period may begin after "now" only if clocks disagree.
    let reader = reader(&[(0, 0.0)], &[], &[(0, 1.0)]);
    let stream = stream(&[(0, 0.0)], &[]);
    let evidence = evidence(&reader, &stream, Mode::Planned, 1);
    let ahead = evidence.position(at(500), Origin::Operator, Vec::new());
    assert!(start(&ahead) < evidence.now, "{}", start(&ahead));
}

#[test]
fn errors_from_the_beginning_of_the_data_give_no_automatic_answer() {
    let points: Vec<(i64, f64)> = (0..30).map(|m| (m, 5.0)).collect();
    let reader = reader(&points, &points, &points);
    let stream = stream(&points, &[]);
    assert!(evidence(&reader, &stream, Mode::Emergency, 31).derive().is_err());
}

#[test]
fn a_start_before_retention_is_the_oldest_record_and_said_so() {
    let day = 60.0 * 60.0 * 24.0 * 1000.0;
    let reader = reader(&[(0, day)], &[], &[(0, 1.0)]);
    let stream = stream(&[(0, 0.0)], &[]);
    let position = evidence(&reader, &stream, Mode::Planned, 2).derive().expect("data points");
    assert_eq!(position.start, StartAt::TrimHorizon);
    assert_eq!(position.notes.len(), 1);
}

#[test]
fn a_tumbling_window_is_read_again_from_its_beginning() {
    let reader = reader(&[(0, 0.0)], &[], &[(0, 1.0)]);
    let stream = stream(&[(0, 0.0)], &[]);
    let mut evidence = evidence(&reader, &stream, Mode::Planned, 2);
    evidence.tumbling_window = Duration::from_secs(900);
    let position = evidence.derive().expect("data points");
    assert_eq!(start(&position).as_second() % 900, 0);
    assert!(position.notes[0].ends_with("may come twice"), "{:?}", position.notes);
}

proptest! {
    /// One shard is throttled for a while, and then its whole backlog is one batch that runs into its time-out again and
    /// again, beside shards that work: whatever the time-out is and whenever somebody looks, nothing of that batch lies
    /// before the start, or there is none.
    #[test]
    fn no_start_lies_behind_a_batch_that_times_out_again_and_again(
        timeout in 1i64..16,
        throttled in 0i64..30,
        began in 40i64..70,
        lasts in 0i64..100,
    ) {
        let now = began + lasts;
        // An invocation is stamped with its beginning, and seen when it has ended.
        let tries: Vec<i64> = (began..now).step_by(timeout as usize).filter(|at| at + timeout <= now).collect();
        let of_both = |m: i64| if tries.contains(&m) { 500.0_f64.max(60_000.0 * (m - began) as f64) } else { 500.0 };
        let ages: Vec<(i64, f64)> = (0..now).map(|m| (m, of_both(m))).collect();
        let every: Vec<(i64, f64)> = (0..now).map(|m| (m, 5.0)).collect();
        let errors: Vec<(i64, f64)> = tries.iter().map(|m| (*m, 1.0)).collect();
        let ahead: Vec<(i64, f64)> = (0..now).map(|m| (m, 0.0)).collect();
        let throttles: Vec<(i64, f64)> = (began - throttled..began).map(|m| (m, 1.0)).collect();
        let mut reader = reader(&ages, &errors, &every);
        reader.throttles = series(&throttles);
        let stream = stream(&ahead, &every);
        let mut evidence = evidence(&reader, &stream, Mode::Emergency, now);
        evidence.buffer.consumer_timeout = MINUTE * timeout as u32;
        // A rule that seldom answers has too many rejects, which fails too.
        let position = evidence.derive();
        prop_assume!(position.is_ok());
        let oldest = at(began - throttled);
        let position = position.expect("an answer");
        prop_assert!(start(&position) <= oldest, "{} behind {oldest}", start(&position));
    }

    /// Whatever the points are, nothing in the window was unprocessed before the start plus its buffer.
    #[test]
    fn no_point_in_the_window_lies_before_the_start(
        ages in prop::collection::vec((0i64..40, 0.0f64..3_600_000.0), 1..40),
        lags in prop::collection::vec((0i64..40, 0.0f64..3_600_000.0), 1..40),
        emergency: bool,
    ) {
        let sorted = |mut points: Vec<(i64, f64)>| { points.sort_by_key(|p| p.0); points.dedup_by_key(|p| p.0); points };
        let (ages, lags) = (sorted(ages), sorted(lags));
        let reader = reader(&ages, &[], &ages);
        let stream = stream(&lags, &[]);
        let mode = if emergency { Mode::Emergency } else { Mode::Planned };
        // Ages that do not move on for as long as anybody knows give no answer.
        let position = evidence(&reader, &stream, mode, 41).derive();
        prop_assert!(position.is_ok() || mode == Mode::Emergency);
        prop_assume!(position.is_ok());
        let position = position.expect("an answer");
        let window = if emergency { 15 } else { 5 };
        for points in [&ages, &lags] {
            let last = points.last().expect("points").0;
            for (minute, value) in points.iter().filter(|(minute, _)| *minute >= last - window) {
                let unprocessed = at(*minute) - Duration::from_secs_f64(value / 1000.0);
                prop_assert!(start(&position) + MINUTE * 6 <= unprocessed);
            }
        }
        prop_assert_eq!(start(&position).subsec_nanosecond(), 0);
    }
}
