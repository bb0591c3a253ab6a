//! The SDK's connector, answered by the sandbox: no socket, no thread, and tokio's clock may be paused.

use super::subscription::CONTENT_TYPE;
use super::wire::HttpCall;
use super::{Fate, Sandbox};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::StreamExt;

#[derive(Debug, Clone)]
struct InProcess(Sandbox);

pub(super) fn client(sandbox: Sandbox) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(sandbox))
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            match sandbox.handle(read(request)).await {
                // In one piece, when the subscription has ended.
                Fate::Events(granted) => {
                    let messages: Vec<Bytes> = granted.messages(sandbox.clone()).collect().await;
                    let ok = StatusCode::try_from(200).map_err(|e| ConnectorError::other(e.into(), None))?;
                    let mut response = HttpResponse::new(ok, SdkBody::from(messages.concat()));
                    response.headers_mut().insert("content-type", CONTENT_TYPE);
                    Ok(response)
                }
                Fate::Answer(answer) => {
                    let status = StatusCode::try_from(answer.status)
                        .map_err(|e| ConnectorError::other(e.into(), None))?;
                    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
                    for (name, value) in answer.headers {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                // The SDK's own time-out ends it.
                Fate::Silence => std::future::pending().await,
                Fate::Broken => Err(ConnectorError::io("connection reset by the sandbox".into())),
            }
        })
    }
}

fn read(request: HttpRequest) -> HttpCall {
    let uri = request.uri().to_owned();
    let after_scheme = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    let target = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = request.headers().iter().map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()));
    HttpCall {
        method: request.method().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.collect(),
        body: request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default(),
    }
}
