//! The events of a SubscribeToShard call, as an `application/vnd.amazon.eventstream` body: one message an event, each
//! with its length and checksums, written while the subscription lives.

use super::Sandbox;
use super::world::Pushed;
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use serde_json::{Value, json};
use std::time::Duration;

/// The type of the body.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// How often the world is asked for more, in its own time.
const LOOKS: Duration = Duration::from_millis(250);
/// But not more often than this.
const SHORTEST: Duration = Duration::from_millis(20);

/// A subscription that was granted.
#[derive(Debug)]
pub(super) struct Granted(pub usize);

enum Next {
    Greeting,
    Events,
}

impl Granted {
    /// Its messages. It ends when the subscription does.
    pub fn messages(self, sandbox: Sandbox) -> impl Stream<Item = Bytes> {
        let Granted(number) = self;
        unfold((sandbox, Next::Greeting), move |(sandbox, next)| async move {
            let message = match next {
                Next::Greeting => message("initial-response", &json!({})),
                Next::Events => message("SubscribeToShardEvent", &event(&sandbox, number).await?),
            };
            Some((message, (sandbox, Next::Events)))
        })
    }
}

async fn event(sandbox: &Sandbox, number: usize) -> Option<Value> {
    loop {
        match sandbox.with_world(|world| world.pushed(number)) {
            Pushed::Event(event) => return Some(event),
            Pushed::Over => return None,
            Pushed::Nothing => tokio::time::sleep(sandbox.in_real_time(LOOKS).max(SHORTEST)).await,
        }
    }
}

fn message(kind: &'static str, payload: &Value) -> Bytes {
    let header =
        |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(payload.to_string())
        .add_header(header(":event-type", kind))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut bytes = Vec::new();
    // A message that is too large for its frame is not sent; no event comes near it.
    match write_message_to(&message, &mut bytes) {
        Ok(()) => Bytes::from(bytes),
        Err(_) => Bytes::new(),
    }
}
