//! What a mutation sends, how often, and what it says when the answer is lost.

use super::script::{Answer, Request, Scripted, function, mapping, primary, sound, standby, topology};
use crate::model::{
    AwsFailure, Effect, FailureKind, Interrupt, MappingSettings, MappingSource, Performed, Permit, Sent,
    StartAt,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const UPDATE: &str = "PUT /2015-03-31/functions/P0/configuration";
const LIST: &str = "GET /2015-03-31/event-source-mappings";
const CREATE: &str = "POST /2015-03-31/event-source-mappings";

async fn perform(aws: &Scripted, effect: &Effect) -> Result<Performed, AwsFailure> {
    let topology = topology(1);
    aws.connect(&topology).await.perform(&topology, effect, &Permit::grant(), &Interrupt::default()).await
}

fn switch() -> Effect {
    Effect::SetEnvironment {
        region: primary(),
        function: "P0".parse().expect("a name"),
        set: BTreeMap::from([("REGION".to_owned(), "us-east-2".to_owned())]),
    }
}

fn source() -> MappingSource {
    MappingSource::Stream("S0".parse().expect("a name"))
}

fn create() -> Effect {
    Effect::CreateMapping {
        region: standby(),
        function: "C0".parse().expect("a name"),
        source: source(),
        start: StartAt::Timestamp("2026-11-22T10:31:00.9Z".parse().expect("an instant")),
        enabled: false,
        settings: MappingSettings { count_events: true, ..MappingSettings::default() },
    }
}

fn toggle(enabled: bool) -> Effect {
    Effect::SetMappingEnabled {
        region: primary(),
        function: "C0".parse().expect("a name"),
        source: source(),
        enabled,
    }
}

/// A function whose environments are read one after the other; the last one stays.
fn reads(environments: Vec<Value>, update: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Scripted {
    let (read, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Scripted::new(move |request: &Request| match request.operation.as_str() {
        UPDATE => update(sent.fetch_add(1, Ordering::Relaxed)),
        "GET /2015-03-31/functions/P0" => {
            let n = read.fetch_add(1, Ordering::Relaxed).min(environments.len() - 1);
            function(&request.region, "P0", &format!("r{n}"), environments[n].clone())
        }
        _ => sound(request),
    })
}

fn env(region: &str, secret: &str) -> Value {
    json!({"Variables": {"REGION": region, "DB_PASSWORD": secret}})
}

const ODD: &str = " p\u{e4}ss\"w\\ord\n=,} ";

#[tokio::test(start_paused = true)]
async fn the_switch_keeps_every_other_byte_and_names_the_revision() {
    let aws = reads(vec![env("us-west-2", ODD), env("us-east-2", ODD)], |_| {
        Answer::Ok(json!({"RevisionId": "r9"}))
    });
    let done = perform(&aws, &switch()).await.expect("applied");
    assert!(matches!(done, Performed::Applied { request_id: Some(_), .. }), "{done:?}");
    let sent = aws.asked(UPDATE);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body["Environment"], env("us-east-2", ODD));
    assert_eq!(sent[0].body["RevisionId"], "r0");
    // A second run has nothing to send.
    let again = perform(&aws, &switch()).await.expect("already so");
    assert!(matches!(again, Performed::AlreadySo(_)), "{again:?}");
    assert_eq!(aws.asked(UPDATE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_wait_for_an_accepted_switch_and_tells_that_it_was_accepted() {
    let aws = reads(vec![env("us-west-2", ODD)], |_| Answer::Ok(json!({"RevisionId": "r9"})));
    let (topology, interrupt) = (topology(1), Interrupt::default());
    let kdsha = aws.connect(&topology).await;
    let raise = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        interrupt.raise();
    };
    let began = tokio::time::Instant::now();
    let (permit, effect) = (Permit::grant(), switch());
    let (done, ()) = tokio::join!(kdsha.perform(&topology, &effect, &permit, &interrupt), raise);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert!(matches!(done, Ok(Performed::Applied { answer, .. }) if answer.starts_with("accepted")));
    assert_eq!(aws.asked(UPDATE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_moved_revision_alone_is_merged_again() {
    let script = |n| match n {
        0 => Answer::Error(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match".to_owned(),
        ),
        _ => Answer::Ok(json!({"RevisionId": "r9"})),
    };
    let aws = reads(vec![env("us-west-2", "x1x"), env("us-west-2", "x1x"), env("us-east-2", "x1x")], script);
    perform(&aws, &switch()).await.expect("applied");
    let revisions: Vec<Value> = aws.asked(UPDATE).iter().map(|r| r.body["RevisionId"].clone()).collect();
    assert_eq!(revisions, ["r0", "r1"]);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_change_stops_the_switch_and_is_named_by_key() {
    let stale = |_| Answer::Error(412, "PreconditionFailedException", "does not match".to_owned());
    let aws = reads(vec![env("us-west-2", "old-secret"), env("eu-west-1", "new-secret")], stale);
    let failure = perform(&aws, &switch()).await.expect_err("stale");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Stale, Sent::Refused));
    let text = failure.to_string();
    assert!(text.contains("changed REGION while") && !text.contains("secret"), "{text}");
    assert_eq!(aws.asked(UPDATE).len(), 1);
}

/// As another pipeline's are that shares the function: neither before the update is accepted nor after it.
#[tokio::test(start_paused = true)]
async fn somebody_elses_change_of_other_keys_is_merged_as_it_is_read() {
    let script = |n| match n {
        0 => Answer::Error(412, "PreconditionFailedException", "does not match".to_owned()),
        _ => Answer::Ok(json!({"RevisionId": "r9"})),
    };
    let seen = vec![env("us-west-2", "old"), env("us-west-2", "newer"), env("us-east-2", "newest")];
    let aws = reads(seen, script);
    let done = perform(&aws, &switch()).await.expect("applied");
    assert_eq!(aws.asked(UPDATE)[1].body["Environment"], env("us-east-2", "newer"));
    let Performed::Applied { answer, .. } = done else { panic!("{done:?}") };
    assert!(answer.contains("DB_PASSWORD") && !answer.contains("newest"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_the_function_does_not_have_is_not_sent() {
    let aws = reads(vec![json!({"Variables": {"DB_PASSWORD": "x"}})], |_| Answer::Ok(json!({})));
    let failure = perform(&aws, &switch()).await.expect_err("misspelt");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Refused, Sent::No));
    let text = failure.to_string();
    assert!(text.contains("has no variable REGION") && text.contains("kdsha.toml"), "{text}");
    assert!(aws.asked(UPDATE).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_cannot_be_read_is_never_written() {
    let error = json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}});
    let aws = reads(vec![error], |_| Answer::Ok(json!({})));
    let failure = perform(&aws, &switch()).await.expect_err("refused");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Refused, Sent::No));
    assert!(aws.asked(UPDATE).is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_error_of_lambda_carries_a_value_out() {
    let echo = "Lambda was unable to configure your environment variables because the environment variables you \
                have provided exceeded the 4KB limit. String measured: {\"DB_PASSWORD\":\"hunter2\"}";
    for message in [echo, "something about hunter2 is wrong"] {
        let script = move |_| Answer::Error(400, "InvalidParameterValueException", message.to_owned());
        let failure =
            perform(&reads(vec![env("us-west-2", "hunter2")], script), &switch()).await.expect_err("invalid");
        assert_eq!((failure.kind, failure.sent), (FailureKind::Invalid, Sent::Refused));
        let everything = format!("{failure} {failure:?}");
        assert!(!everything.contains("hunter2"), "{everything}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_sent_once_and_said_to_be_unknown() {
    for answer in [Answer::Silence, Answer::Broken, Answer::Error(500, "ServiceException", "oops".to_owned())]
    {
        let script = answer.clone();
        let aws = reads(vec![env("us-west-2", "x")], move |_| script.clone());
        let failure = perform(&aws, &switch()).await.expect_err("lost");
        assert_eq!(failure.sent, Sent::Unknown, "{answer:?}: {failure}");
        assert_eq!(aws.asked(UPDATE).len(), 1, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_mutation_is_sent_again_since_nothing_was_done() {
    let script = |n| match n {
        0 | 1 => Answer::Error(429, "TooManyRequestsException", "Rate exceeded".to_owned()),
        _ => Answer::Ok(json!({"RevisionId": "r9"})),
    };
    let aws = reads(vec![env("us-west-2", "x"), env("us-east-2", "x")], script);
    perform(&aws, &switch()).await.expect("applied");
    assert_eq!(aws.asked(UPDATE).len(), 3);
    let always = |_| Answer::Error(429, "TooManyRequestsException", "Rate exceeded".to_owned());
    let aws = reads(vec![env("us-west-2", "x")], always);
    let failure = perform(&aws, &switch()).await.expect_err("throttled");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Throttled, Sent::Refused));
    assert_eq!(aws.asked(UPDATE).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_read_older_than_the_update_proves_nothing() {
    let read = AtomicUsize::new(0);
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        UPDATE => Answer::Ok(json!({"RevisionId": "r1"})),
        "GET /2015-03-31/functions/P0" => match read.fetch_add(1, Ordering::Relaxed) {
            0..=2 => function(&request.region, "P0", "r0", env("us-west-2", "x")),
            _ => function(&request.region, "P0", "r2", env("us-east-2", "x")),
        },
        _ => sound(request),
    });
    let done = perform(&aws, &switch()).await.expect("applied");
    assert!(matches!(done, Performed::Applied { .. }), "{done:?}");
    assert_eq!(aws.asked("GET /2015-03-31/functions/P0").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_lambda_fails_later_is_a_failure() {
    let was_sent = AtomicUsize::new(0);
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        UPDATE => {
            was_sent.store(1, Ordering::Relaxed);
            Answer::Ok(json!({"RevisionId": "r9"}))
        }
        "GET /2015-03-31/functions/P0" if was_sent.load(Ordering::Relaxed) == 0 => {
            function(&request.region, "P0", "r0", env("us-west-2", "x"))
        }
        "GET /2015-03-31/functions/P0" => Answer::Ok(json!({"Configuration": {
            "FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:P0", "State": "Active",
            "LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": "KMSKeyAccessDenied", "RevisionId": "r10",
            "Environment": {"Variables": {"REGION": "us-west-2"}},
        }})),
        _ => sound(request),
    });
    let failure = perform(&aws, &switch()).await.expect_err("failed");
    assert!(failure.message.contains("KMSKeyAccessDenied"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_mapping_is_created_at_a_whole_second_with_everything_that_was_asked() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        CREATE => Answer::Ok(json!({"UUID": "id-1", "State": "Creating"})),
        _ => sound(request),
    });
    let done = perform(&aws, &create()).await.expect("created");
    assert!(matches!(&done, Performed::Applied { answer, .. } if answer.contains("id-1")), "{done:?}");
    let body = &aws.asked(CREATE)[0].body;
    assert_eq!(body["StartingPosition"], "AT_TIMESTAMP");
    assert_eq!(body["StartingPositionTimestamp"], json!(1_795_343_460));
    assert_eq!(body["EventSourceArn"], "arn:aws:kinesis:us-east-2:123456789012:stream/S0");
    assert_eq!((&body["Enabled"], &body["MaximumRetryAttempts"]), (&json!(false), &json!(-1)));
    assert_eq!(body["MetricsConfig"], json!({"Metrics": ["EventCount"]}));
    assert_eq!(body.get("FilterCriteria"), None);
}

#[tokio::test(start_paused = true)]
async fn a_leftover_mapping_with_another_position_is_not_adopted() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        CREATE => {
            let text = "The event source arn (\" a \") and function (\" C0 \") provided mapping already exists. \
                        Please update or delete the existing mapping with UUID id-7";
            Answer::Error(409, "ResourceConflictException", text.to_owned())
        }
        "GET /2015-03-31/event-source-mappings/id-7" => Answer::Ok(mapping("us-east-2", "id-7", "Disabled")),
        _ => sound(request),
    });
    let failure = perform(&aws, &create()).await.expect_err("conflict");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Conflict, Sent::Refused));
    assert!(failure.message.contains("--uuid id-7"), "{failure}");
    assert_eq!(aws.asked(CREATE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_mappings_are_never_guessed_between() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        LIST => Answer::Ok(json!({"EventSourceMappings": [
            mapping("us-west-2", "id-1", "Enabled"), mapping("us-west-2", "id-2", "Disabled"),
        ]})),
        _ => sound(request),
    });
    let failure = perform(&aws, &toggle(false)).await.expect_err("refused");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Refused, Sent::No));
    assert!(failure.message.contains("id-1") && failure.message.contains("id-2"), "{failure}");
    assert!(aws.asked("PUT").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_busy_mapping_is_waited_for_and_sent_to_once_more() {
    let (sent, looked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        LIST => Answer::Ok(json!({"EventSourceMappings": [mapping("us-west-2", "id-1", "Enabled")]})),
        "GET /2015-03-31/event-source-mappings/id-1" => {
            let is_busy = looked.fetch_add(1, Ordering::Relaxed) < 3;
            Answer::Ok(mapping("us-west-2", "id-1", if is_busy { "Updating" } else { "Enabled" }))
        }
        "PUT /2015-03-31/event-source-mappings/id-1" => match sent.fetch_add(1, Ordering::Relaxed) {
            0 => Answer::Error(400, "ResourceInUseException", "being updated".to_owned()),
            _ => Answer::Ok(mapping("us-west-2", "id-1", "Disabling")),
        },
        _ => sound(request),
    });
    perform(&aws, &toggle(false)).await.expect("applied");
    let sent = aws.asked("PUT");
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].body["Enabled"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_is_done_already() {
    let aws = Scripted::new(sound);
    let effect = Effect::DeleteMapping {
        region: primary(),
        function: "C0".parse().expect("a name"),
        source: source(),
    };
    let done = perform(&aws, &effect).await.expect("already so");
    assert!(matches!(done, Performed::AlreadySo(_)), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn another_region_is_not_written_to() {
    let aws = Scripted::new(sound);
    let effect = Effect::TagStream {
        region: "eu-west-1".parse().expect("a Region"),
        stream: "S0".parse().expect("a name"),
        tags: BTreeMap::new(),
    };
    let failure = perform(&aws, &effect).await.expect_err("refused");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Refused, Sent::No));
}

/// The one case that the script cannot play: no connection at all. A real client, a port where nobody listens.
#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let topology = topology(1);
    let options = crate::aws::ConnectOptions {
        http_client: Some(aws_smithy_http_client::Builder::new().build_http()),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        ..crate::aws::ConnectOptions::new(standby())
    };
    let kdsha =
        crate::aws::Aws::connect(&topology, options, crate::model::Clock::local()).await.expect("clients");
    let effect = Effect::TagStream {
        region: standby(),
        stream: "S0".parse().expect("a name"),
        tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
    };
    let failure = kdsha
        .perform(&topology, &effect, &Permit::grant(), &Interrupt::default())
        .await
        .expect_err("no connection");
    assert_eq!((failure.kind, failure.sent), (FailureKind::Unreachable, Sent::No), "{failure}");
    assert_eq!(kdsha.requests_sent(), 1);
}
