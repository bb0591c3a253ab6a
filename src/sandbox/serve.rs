//! The sandbox on a loopback socket, for the compiled binary, the AWS CLI, boto3 and anything else.

use super::subscription::CONTENT_TYPE;
use super::wire::HttpCall;
use super::{Fate, Sandbox};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use tokio::net::{TcpListener, TcpStream};

/// The largest request of the services that are played (PutRecords, 10 MiB) with room for its encoding.
const MOST_BYTES: usize = 16 * 1024 * 1024;

pub(super) async fn serve(
    sandbox: Sandbox,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the sandbox serves loopback addresses only",
        ));
    }
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => return Ok(()),
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::task::spawn_local(connection(sandbox.clone(), stream));
            }
            // A connection that broke before it was accepted is not the end of the server.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

async fn connection(sandbox: Sandbox, stream: TcpStream) {
    // Small answers must not wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(sandbox.clone(), request));
    // A client that goes away in the middle is its own affair.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Body = Either<Full<Bytes>, BoxBody<Bytes, Infallible>>;

async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> io::Result<Response<Body>> {
    match sandbox.handle(read(request).await?).await {
        Fate::Events(granted) => {
            let messages = granted.messages(sandbox.clone()).map(|bytes| Ok(Frame::data(bytes)));
            let body = Either::Right(BodyExt::boxed(StreamBody::new(messages)));
            Response::builder().header("content-type", CONTENT_TYPE).body(body).map_err(io::Error::other)
        }
        Fate::Answer(answer) => {
            let mut response = Response::builder().status(answer.status);
            for (name, value) in answer.headers {
                response = response.header(name, value);
            }
            response.body(Either::Left(Full::new(Bytes::from(answer.body)))).map_err(io::Error::other)
        }
        Fate::Silence => std::future::pending().await,
        Fate::Broken => Err(io::Error::new(io::ErrorKind::ConnectionReset, "broken by a rule")),
    }
}

async fn read(request: Request<Incoming>) -> io::Result<HttpCall> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(io::Error::other)?;
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(HttpCall {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(k, v)| (k.as_str().to_owned(), text(v))).collect(),
        body: body.to_bytes().to_vec(),
    })
}
