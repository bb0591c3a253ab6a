//! The built-in two-Region AWS, served in process or on loopback.
//!
//! `world/` is what happens; `wire/` is how clients say it; this file joins them: time, faults, the log of calls.

pub mod call;
mod connect;
pub mod faults;
mod serve;
mod shapes;
mod subscription;
mod wire;
pub mod world;

use crate::model::{Region, Timestamp};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use call::{ApiCall, ApiError, ApiResult, Service};
use faults::{Fault, Rule};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subscription::Granted;
use tokio::time::Instant;
use wire::{Decoded, HttpAnswer, HttpCall};
use world::{Outage, World, is_mutating};

/// How long an answer takes when nothing is wrong.
const LATENCY: Duration = Duration::from_millis(20);

/// How much later a call arrives than the one that overtook it: what that one changes has settled by then.
const OVERTAKEN_BY: Duration = Duration::from_secs(8);

/// One call, for the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// When it arrived, by the sandbox's clock: whatever befalls it comes later.
    pub at: Timestamp,
    /// Whose it is: the access key that signed it.
    pub access_key: String,
    /// The Region.
    pub region: Region,
    /// The service.
    pub service: Service,
    /// The operation.
    pub operation: String,
    /// Its members, where it changes something; what reads ask for would fill the memory.
    pub input: Value,
    /// Whether it changes something.
    pub is_mutating: bool,
    /// Whether it reached the world.
    pub applied: bool,
    /// Whether it is the second delivery of one request: the client sent it once.
    pub is_repeat: bool,
}

/// What becomes of a request.
enum Fate {
    Answer(HttpAnswer),
    /// A subscription: its events come one by one.
    Events(Granted),
    /// Never answered.
    Silence,
    /// The connection breaks.
    Broken,
}

/// A simulated AWS. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    world: Mutex<World>,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Logged>>,
    /// Calls of other people that rules let arrive, and whether they were taken.
    overtaking: Mutex<Vec<(ApiCall, bool)>>,
    /// How many calls of the log change something.
    mutating: AtomicUsize,
    start: Timestamp,
    begun: Instant,
    speed: f64,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("now", &self.now()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// A world whose time is tokio's: under the paused clock, virtual.
    pub fn new(world: World) -> Sandbox {
        Sandbox::with_speed(world, 1.0)
    }

    /// A world in which `speed` seconds pass in a second.
    pub fn with_speed(world: World, speed: f64) -> Sandbox {
        Sandbox(Arc::new(Inner {
            start: world.now(),
            begun: Instant::now(),
            speed,
            world: Mutex::new(world),
            rules: Mutex::default(),
            log: Mutex::default(),
            overtaking: Mutex::default(),
            mutating: AtomicUsize::new(0),
        }))
    }

    /// Now, in the sandbox.
    pub fn now(&self) -> Timestamp {
        self.0.start + self.0.begun.elapsed().mul_f64(self.0.speed)
    }

    /// How long a span of the sandbox's time takes.
    fn in_real_time(&self, span: Duration) -> Duration {
        span.div_f64(self.0.speed)
    }

    /// The world as it is now.
    pub fn with_world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        let now = self.now();
        let mut world = lock(&self.0.world);
        world.advance_to(now);
        f(&mut world)
    }

    /// Adds a fault.
    pub fn inject(&self, rule: Rule) {
        lock(&self.0.rules).push(rule);
    }

    /// Takes all faults away; says which there were.
    pub fn mend(&self) -> Vec<Rule> {
        std::mem::take(&mut *lock(&self.0.rules))
    }

    /// The calls of [`Fault::Overtaken`] that arrived since this was asked last, and whether they were taken.
    pub fn overtaking(&self) -> Vec<(ApiCall, bool)> {
        std::mem::take(&mut *lock(&self.0.overtaking))
    }

    /// The calls from the given one on, counted from 0.
    pub fn log_from(&self, first: usize) -> Vec<Logged> {
        lock(&self.0.log).get(first..).unwrap_or_default().to_vec()
    }

    /// Every call so far.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.0.log).clone()
    }

    /// How many calls there were so far, and how many of them were to change something.
    pub fn calls(&self) -> (usize, usize) {
        (lock(&self.0.log).len(), self.0.mutating.load(Ordering::Relaxed))
    }

    /// The SDK's connection to this sandbox, without a socket.
    pub fn http_client(&self) -> SharedHttpClient {
        connect::client(self.clone())
    }

    /// Serves it on a loopback address until `shutdown` is over.
    ///
    /// # Errors
    /// For an address that other machines can reach, or when the listener fails.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        serve::serve(self.clone(), listener, shutdown).await
    }

    async fn handle(&self, request: HttpCall) -> Fate {
        let decoded = match wire::decode(&request) {
            Ok(decoded) => decoded,
            Err((protocol, error)) => {
                return Fate::Answer(self.stamped(wire::encode(protocol, "", &request_id(), &Err(error))));
            }
        };
        let entry = self.arrives(&decoded);
        if self.with_world(|world| world.outage(&decoded.call.region)) == Some(Outage::Silent) {
            self.decided(entry, false);
            return Fate::Silence;
        }
        let fault = faults::fault_for(&mut lock(&self.0.rules), &decoded.call, self.now());
        tokio::time::sleep(self.in_real_time(LATENCY)).await;
        self.meet(fault, decoded, entry).await
    }

    async fn meet(&self, fault: Option<Fault>, decoded: Decoded, entry: usize) -> Fate {
        let Decoded { call, protocol, .. } = &decoded;
        let protocol = *protocol;
        let refuse = |error: ApiError| {
            self.decided(entry, false);
            Fate::Answer(self.stamped(wire::encode(protocol, &call.operation, &request_id(), &Err(error))))
        };
        match fault {
            Some(Fault::Throttle) => return refuse(faults::throttled(call.service)),
            Some(Fault::Error { status, code }) => {
                return refuse(ApiError::new(status, &code, "injected by a rule of the sandbox"));
            }
            Some(Fault::Hang) => {
                self.decided(entry, false);
                return Fate::Silence;
            }
            Some(Fault::Drop) => {
                self.decided(entry, false);
                return Fate::Broken;
            }
            Some(Fault::ApplyThenDrop) => {
                let _ = self.apply(call, entry);
                return Fate::Broken;
            }
            Some(Fault::ApplyThenHang) => {
                let _ = self.apply(call, entry);
                return Fate::Silence;
            }
            Some(Fault::Twice) => {
                let again = self.arrives(&decoded);
                lock(&self.0.log)[again].is_repeat = true;
                let _ = self.apply(call, again);
            }
            Some(Fault::Overtaken(other)) => {
                let was_taken = self.with_world(|world| world.call(&other)).is_ok();
                lock(&self.0.overtaking).push((*other, was_taken));
                tokio::time::sleep(self.in_real_time(OVERTAKEN_BY)).await;
            }
            Some(Fault::Slow(delay)) => tokio::time::sleep(self.in_real_time(delay)).await,
            None => {}
        }
        let result = self.apply(call, entry);
        if let Some(granted) = granted(call, &result) {
            return Fate::Events(granted);
        }
        Fate::Answer(self.stamped(wire::encode(protocol, &call.operation, &request_id(), &result)))
    }

    fn apply(&self, call: &ApiCall, entry: usize) -> ApiResult {
        self.decided(entry, true);
        self.with_world(|world| world.call(call))
    }

    /// Writes a call down; answers with its place in the log.
    fn arrives(&self, decoded: &Decoded) -> usize {
        let call = &decoded.call;
        let is_mutating = is_mutating(&call.operation);
        let logged = Logged {
            at: self.now(),
            access_key: decoded.access_key.clone(),
            region: call.region.clone(),
            service: call.service,
            operation: call.operation.clone(),
            input: if is_mutating { call.input.clone() } else { Value::Null },
            is_mutating,
            applied: false,
            is_repeat: false,
        };
        let mut log = lock(&self.0.log);
        log.push(logged);
        log.len() - 1
    }

    /// Writes down what became of a call. One whose client goes away before that never counts as sent.
    fn decided(&self, entry: usize, applied: bool) {
        let logged = &mut lock(&self.0.log)[entry];
        logged.applied = applied;
        self.0.mutating.fetch_add(usize::from(logged.is_mutating), Ordering::Relaxed);
    }

    /// Every answer says what time it is.
    fn stamped(&self, mut answer: HttpAnswer) -> HttpAnswer {
        let date = self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers.push(("date".to_owned(), date));
        answer
    }
}

/// The subscription that a call was granted.
fn granted(call: &ApiCall, result: &ApiResult) -> Option<Granted> {
    let answer = result.as_ref().ok().filter(|_| call.operation == "SubscribeToShard")?;
    let number = answer.output.get("Subscription").and_then(Value::as_u64)?;
    usize::try_from(number).ok().map(Granted)
}

fn request_id() -> String {
    let n = fastrand::u128(..);
    let (a, b, c) = ((n >> 96) as u32, (n >> 80) as u16, (n >> 64) as u16);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", (n >> 48) as u16, n & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests;
