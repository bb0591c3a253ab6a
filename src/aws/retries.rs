//! The SDK's own retries keep the pace too. A call waits for its turn before it is sent (`pacer`), but the SDK sends
//! it again by itself after a 429 or a 500, and just then every call fails: without this, three times the rate of
//! healthy days would go to a service that is asking for less.

use super::pacer::{Family, Lanes};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::Arc;

/// An HTTP client, or its connector, whose second and third attempts wait for their turn.
#[derive(Debug, Clone)]
struct Paced<T> {
    inner: T,
    lanes: Arc<Lanes>,
}

/// The client with paced retries.
pub(super) fn paced(inner: SharedHttpClient, lanes: Arc<Lanes>) -> SharedHttpClient {
    SharedHttpClient::new(Paced { inner, lanes })
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, lanes: self.lanes.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !is_retry(request.headers().get("amz-sdk-request")) {
            return self.inner.call(request);
        }
        let target = request.headers().get("x-amz-target");
        let family = family(request.method(), request.uri(), target);
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            this.lanes.turn(family).await;
            this.inner.call(request).await
        })
    }
}

/// `attempt=2; max=3` (AWS SDKs and Tools Reference Guide, "Retry behavior").
fn is_retry(header: Option<&str>) -> bool {
    let attempt =
        header.and_then(|text| text.split(';').find_map(|part| part.trim().strip_prefix("attempt=")));
    attempt.is_some_and(|number| number != "1")
}

/// The quota that a request counts against, told from what is sent.
fn family(method: &str, uri: &str, target: Option<&str>) -> Family {
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = path.find('/').map_or("", |at| &path[at..]);
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (target.and_then(|target| target.rsplit('.').next()), parts.as_slice()) {
        (Some("DescribeStreamSummary"), _) => Family::StreamSummary,
        (Some("ListTagsForStream" | "AddTagsToStream"), _) => Family::StreamTags,
        (None, [version, "functions", _]) if method == "GET" && is_date(version) => Family::GetFunction,
        (None, [version, ..]) if is_date(version) => Family::LambdaControl,
        _ => Family::Roomy,
    }
}

/// Lambda's paths begin with the version of the API, e.g. `2015-03-31`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_told_from_a_first_attempt() {
        assert!(!is_retry(None));
        assert!(!is_retry(Some("attempt=1; max=3")));
        assert!(is_retry(Some("attempt=2; max=3")));
        assert!(is_retry(Some("ttl=20261122T104501Z; attempt=3; max=3")));
    }

    #[test]
    fn the_quota_is_told_from_what_is_sent() {
        let lambda = "https://lambda.us-east-2.amazonaws.com/2015-03-31";
        let of = |method, path: &str| family(method, &format!("{lambda}{path}"), None);
        assert_eq!(of("GET", "/functions/F"), Family::GetFunction);
        assert_eq!(of("GET", "/functions/F?Qualifier=live"), Family::GetFunction);
        assert_eq!(of("GET", "/functions/F/configuration"), Family::LambdaControl);
        assert_eq!(of("GET", "/event-source-mappings/"), Family::LambdaControl);
        let kinesis = |target| family("POST", "https://kinesis.us-east-2.amazonaws.com/", Some(target));
        assert_eq!(kinesis("Kinesis_20131202.DescribeStreamSummary"), Family::StreamSummary);
        assert_eq!(kinesis("Kinesis_20131202.GetRecords"), Family::Roomy);
        assert_eq!(
            family("POST", "/service/GraniteServiceVersion20100801/operation/GetMetricData", None),
            Family::Roomy
        );
    }
}
