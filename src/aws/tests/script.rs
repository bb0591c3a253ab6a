//! AWS as a script: the real SDK asks, a closure answers, tokio's paused clock passes the time.

use crate::aws::{Aws, ConnectOptions};
use crate::config::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, StandbyMode, Timing,
    Topology,
};
use crate::model::{Clock, Region, Side, Timestamp};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as the script sees it.
#[derive(Debug, Clone)]
pub struct Request {
    pub region: String,
    /// `DescribeStreamSummary`, or for Lambda the method and the path from the version on.
    pub operation: String,
    pub query: String,
    pub body: Value,
}

/// What comes of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    Ok(Value),
    Error(u16, &'static str, String),
    Raw(u16, &'static str, Vec<u8>),
    /// Taken, and never answered.
    Silence,
    /// The connection breaks after the request was sent.
    Broken,
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// The script as the SDK's connector, and everything that was asked of it.
#[derive(Clone)]
pub struct Scripted {
    script: Script,
    pub asked: Arc<Mutex<Vec<Request>>>,
    /// The `Date` header of every answer.
    pub date: Option<&'static str>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    pub fn new(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Scripted {
        Scripted { script: Arc::new(script), asked: Arc::new(Mutex::new(Vec::new())), date: None }
    }
    pub fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
    /// The requests whose operation begins so.
    pub fn asked(&self, operation: &str) -> Vec<Request> {
        let asked = self.asked.lock().expect("not poisoned");
        asked.iter().filter(|request| request.operation.starts_with(operation)).cloned().collect()
    }
    /// Clients of both Regions that ask this script.
    pub async fn connect(&self, topology: &Topology) -> Aws {
        let now: Timestamp = "2026-11-22T10:45:00Z".parse().expect("an instant");
        let options = ConnectOptions { http_client: Some(self.client()), ..ConnectOptions::new(standby()) };
        Aws::connect(topology, options, Clock::starting_at(now)).await.expect("clients")
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = read(&request);
        self.asked.lock().expect("not poisoned").push(request.clone());
        let answer = (self.script)(&request);
        let date = self.date;
        HttpConnectorFuture::new(async move {
            // Every answer takes a round trip of virtual time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let answer = match answer {
                Answer::Ok(value) => Ok(response(200, "application/json", value.to_string().into_bytes())),
                Answer::Error(status, code, message) => {
                    let body =
                        json!({"__type": code, "Type": "User", "message": message, "Message": message});
                    let mut response = response(status, "application/json", body.to_string().into_bytes());
                    response.headers_mut().insert("x-amzn-errortype", code);
                    Ok(response)
                }
                Answer::Raw(status, kind, body) => Ok(response(status, kind, body)),
                Answer::Silence => std::future::pending().await,
                Answer::Broken => Err(ConnectorError::io("connection reset by peer".into())),
            };
            answer.map(|mut response| {
                if let Some(date) = date {
                    response.headers_mut().insert("date", date);
                }
                response
            })
        })
    }
}

fn response(status: u16, kind: &'static str, body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
    response.headers_mut().insert("content-type", kind);
    response.headers_mut().insert("x-amzn-requestid", "request-1");
    if kind == "application/cbor" {
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    }
    response
}

fn read(request: &HttpRequest) -> Request {
    let headers = request.headers();
    let scope = headers.get("authorization").and_then(|a| a.split('/').nth(2)).unwrap_or_default();
    let path_and_query = request.uri().split_once("amazonaws.com").map_or(request.uri(), |(_, path)| path);
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let operation = match headers.get("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None if path.contains("/operation/") => path.rsplit('/').next().unwrap_or_default().to_owned(),
        None => format!("{} {}", request.method(), path),
    };
    let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
    Request { region: scope.to_owned(), operation, query: query.to_owned(), body: body.unwrap_or_default() }
}

pub fn primary() -> Region {
    "us-west-2".parse().expect("a Region")
}

pub fn standby() -> Region {
    "us-east-2".parse().expect("a Region")
}

/// One pipeline or many, each with a stream `S0`, a producer `P0` in the primary Region and a consumer `C0`.
pub fn topology(pipelines: usize) -> Topology {
    let pipeline = |n: usize| Pipeline {
        name: format!("pipeline-{n}").parse().expect("a name"),
        standby: StandbyMode::Cold,
        stream: both(format!("S{n}").parse().expect("a name")),
        overlap_buffer: Duration::from_secs(300),
        producers: vec![Producer {
            function: format!("P{n}").parse().expect("a name"),
            side: Side::Primary,
            alias: None,
            region_variable: "REGION".to_owned(),
            stream_variable: None,
        }],
        consumer: Consumer {
            function: both(format!("C{n}").parse().expect("a name")),
            stream_consumer: None,
            overrides: MappingOverrides::default(),
        },
        replicator: None,
        sink: None,
    };
    Topology {
        path: None,
        regions: Regions { primary: primary(), standby: standby() },
        account: None,
        objectives: Objectives::default(),
        timing: Timing::default(),
        endpoints: std::collections::BTreeMap::new(),
        pipelines: (0..pipelines).map(pipeline).collect(),
    }
}

fn both<T: Clone>(value: T) -> PerSide<T> {
    PerSide { primary: value.clone(), standby: value }
}

/// A function whose environment is this.
pub fn function(region: &str, name: &str, revision: &str, environment: Value) -> Answer {
    Answer::Ok(json!({"Configuration": {
        "FunctionName": name,
        "FunctionArn": format!("arn:aws:lambda:{region}:123456789012:function:{name}"),
        "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": revision, "Timeout": 30,
        "Environment": environment,
    }}))
}

/// A mapping of `C0` on `S0`.
pub fn mapping(region: &str, id: &str, state: &str) -> Value {
    json!({
        "UUID": id, "State": state, "BatchSize": 100, "StartingPosition": "TRIM_HORIZON",
        "FunctionArn": format!("arn:aws:lambda:{region}:123456789012:function:C0"),
        "EventSourceArn": format!("arn:aws:kinesis:{region}:123456789012:stream/S0"),
    })
}

/// A sound Region: everything exists, no mapping, no data point.
pub fn sound(request: &Request) -> Answer {
    let region = &request.region;
    let name = request.body["StreamName"].as_str().unwrap_or("S0");
    match request.operation.as_str() {
        "DescribeStreamSummary" => Answer::Ok(json!({"StreamDescriptionSummary": {
            "StreamName": name, "StreamARN": format!("arn:aws:kinesis:{region}:123456789012:stream/{name}"),
            "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1_700_000_000,
            "EnhancedMonitoring": [], "OpenShardCount": 1,
        }})),
        "ListTagsForStream" => Answer::Ok(json!({"Tags": [], "HasMoreTags": false})),
        // {"MetricDataResults": []} in CBOR.
        "GetMetricData" => Answer::Raw(200, "application/cbor", b"\xa1\x71MetricDataResults\x80".to_vec()),
        "POST /" => Answer::Raw(200, "text/xml", IDENTITY.as_bytes().to_vec()),
        "GET /2015-03-31/event-source-mappings" => Answer::Ok(json!({"EventSourceMappings": []})),
        "GET /2016-08-19/account-settings" => {
            Answer::Ok(json!({"AccountLimit": {"UnreservedConcurrentExecutions": 900}}))
        }
        other => match other.strip_prefix("GET /2015-03-31/functions/") {
            Some(name) => function(region, name, "r1", json!({"Variables": {"REGION": "us-west-2"}})),
            None => Answer::Error(404, "ResourceNotFoundException", format!("not in the script: {other}")),
        },
    }
}

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>U</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
