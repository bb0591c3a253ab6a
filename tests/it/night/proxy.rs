//! A fault proxy in front of anything that plays AWS: one loopback port a Region, faults by Region, service and
//! operation, and a log of everything that came. It runs on a thread of its own and ends with the test.

use super::wire::{self, About, Asked};
use super::worst;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kdsha::model::Region;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// What happens to a request. Nothing of it reaches AWS, unless it says so.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Read, and never answered.
    Silence,
    /// The connection is reset (RST) when the request is there.
    Reset,
    /// Passed on, and answered so much later.
    Slow(Duration),
    /// Passed on; half of the answer's body comes, and nothing after it.
    Stall,
    /// An error of the service's.
    Error(u16, &'static str),
    /// The service's own throttling error.
    Throttle,
    /// Passed on, and the connection is reset in place of the answer.
    CutAfterApply,
    /// Passed on, and never answered.
    HangAfterApply,
}

/// Which requests a fault meets. Empty parts meet all.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Only this Region.
    pub region: Option<Region>,
    /// Only this service, by its name in IAM actions.
    pub service: Option<&'static str>,
    /// Only this operation.
    pub operation: Option<&'static str>,
    /// So many are met; `None` is all.
    pub times: Option<u32>,
}

impl Rule {
    /// Everything that is for a Region.
    pub fn region(name: &str) -> Rule {
        Rule { region: Some(name.parse().expect("a Region")), ..Rule::default() }
    }
    /// Everything that is for a service of a Region.
    pub fn service(name: &str, service: &'static str) -> Rule {
        Rule { service: Some(service), ..Rule::region(name) }
    }
    /// One operation, wherever.
    pub fn operation(operation: &'static str) -> Rule {
        Rule { operation: Some(operation), ..Rule::default() }
    }
    /// Only so many of them.
    pub fn times(self, times: u32) -> Rule {
        Rule { times: Some(times), ..self }
    }
    fn meets(&self, about: &About) -> bool {
        self.region.as_ref().is_none_or(|region| *region == about.region)
            && self.service.is_none_or(|service| service == about.service)
            && self.operation.is_none_or(|operation| operation == about.operation)
            && self.times != Some(0)
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it was complete.
    pub at: Instant,
    /// What it was about.
    pub about: About,
    /// The ARN of what it names, where it names one.
    pub resource: Option<String>,
    /// The access key that it was signed with.
    pub who: String,
    /// The Region of the port it came to.
    pub door: Region,
    /// The fault it met.
    pub met: Option<Fault>,
}

struct Shared {
    upstream: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    rules: Mutex<Vec<(Rule, Fault)>>,
    seen: Mutex<Vec<Seen>>,
}

/// A running proxy; ended when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    doors: BTreeMap<Region, SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Starts a proxy with a port for each of the two Regions.
    pub fn start(upstream: SocketAddr) -> Proxy {
        let shared = Arc::new(Shared {
            upstream,
            client: Client::builder(TokioExecutor::new()).build_http(),
            rules: Mutex::default(),
            seen: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (told, doors) = std::sync::mpsc::channel();
        let inside = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut doors = BTreeMap::new();
                for name in ["us-west-2", "us-east-2"] {
                    let region: Region = name.parse().expect("a Region");
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                    doors.insert(region.clone(), listener.local_addr().expect("an address"));
                    tokio::spawn(serve(inside.clone(), region, listener));
                }
                told.send(doors).expect("somebody waits for the doors");
                let _ = stopped.await;
            });
        });
        let doors = doors.recv().expect("a started proxy");
        Proxy { shared, doors, stop: Some(stop), thread: Some(thread) }
    }

    /// The endpoint of a Region.
    pub fn url(&self, region: &str) -> String {
        let region: Region = region.parse().expect("a Region");
        format!("http://{}", self.doors[&region])
    }

    /// `[endpoints]` of `kdsha.toml`, each Region with a port of its own.
    pub fn endpoints(&self) -> String {
        let line = |(region, address): (&Region, &SocketAddr)| format!("{region} = \"http://{address}\"\n");
        format!("[endpoints]\n{}", self.doors.iter().map(line).collect::<String>())
    }

    /// From now on, requests that the rule meets have this fault. The first rule that meets one decides.
    pub fn inject(&self, rule: Rule, fault: Fault) {
        lock(&self.shared.rules).push((rule, fault));
    }

    /// All faults end. What already hangs goes on hanging.
    pub fn heal(&self) {
        lock(&self.shared.rules).clear();
    }

    /// Everything that came since the last time this was asked.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.shared.seen))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The thread may have ended over a panic of its own, which `join` then tells.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended
            && !std::thread::panicking()
        {
            panic!("the proxy's thread panicked");
        }
    }
}

async fn serve(shared: Arc<Shared>, door: Region, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, door) = (shared.clone(), door.clone());
        tokio::spawn(async move {
            // A client that goes away is its own affair.
            let _ = connection(&shared, &door, &stream).await;
        });
    }
}

async fn connection(shared: &Shared, door: &Region, stream: &TcpStream) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    loop {
        let asked = loop {
            match Asked::parse(&bytes) {
                Some((asked, taken)) => {
                    bytes.drain(..taken);
                    break asked;
                }
                None if !read_more(stream, &mut bytes).await? => return Ok(()),
                None => {}
            }
        };
        if !one(shared, door, stream, asked).await? {
            return Ok(());
        }
    }
}

/// One request; whether the connection goes on.
async fn one(shared: &Shared, door: &Region, stream: &TcpStream, asked: Asked) -> io::Result<bool> {
    let about = asked.about();
    let met = {
        let mut rules = lock(&shared.rules);
        let rule = rules.iter_mut().find(|(rule, _)| rule.meets(&about));
        rule.map(|(rule, fault)| {
            rule.times = rule.times.map(|times| times - 1);
            fault.clone()
        })
    };
    let seen = Seen {
        at: Instant::now(),
        about: about.clone(),
        resource: asked.resource(),
        who: asked.access_key(),
        door: door.clone(),
        met: met.clone(),
    };
    lock(&shared.seen).push(seen);
    met.iter().for_each(worst::met);
    match met {
        None => write(stream, &pass_on(shared, asked).await?).await?,
        Some(Fault::Slow(delay)) => {
            let answer = pass_on(shared, asked).await?;
            tokio::time::sleep(delay).await;
            write(stream, &answer).await?;
        }
        Some(Fault::Silence) => return silence(stream).await,
        Some(Fault::HangAfterApply) => {
            pass_on(shared, asked).await?;
            return silence(stream).await;
        }
        Some(Fault::Stall) => {
            let answer = pass_on(shared, asked).await?;
            let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
            write(stream, &answer[..body + (answer.len() - body) / 2]).await?;
            return silence(stream).await;
        }
        Some(Fault::Reset) => return reset(stream),
        Some(Fault::CutAfterApply) => {
            pass_on(shared, asked).await?;
            return reset(stream);
        }
        Some(Fault::Error(status, code)) => {
            write(stream, &framed(wire::refusal(&about, status, code))).await?
        }
        Some(Fault::Throttle) => {
            let (status, code) = wire::throttle(&about);
            write(stream, &framed(wire::refusal(&about, status, code))).await?;
        }
    }
    Ok(true)
}

/// Sends the request on and gives the answer, framed anew.
async fn pass_on(shared: &Shared, asked: Asked) -> io::Result<Vec<u8>> {
    let mut request = hyper::Request::builder()
        .method(asked.method.as_str())
        .uri(format!("http://{}{}", shared.upstream, asked.target));
    for (name, value) in asked.headers.iter().filter(|(name, _)| name != "connection") {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(asked.body))).map_err(io::Error::other)?;
    let answer = shared.client.request(request).await.map_err(io::Error::other)?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut out = format!("HTTP/1.1 {}\r\n", parts.status.as_u16()).into_bytes();
    for (name, value) in &parts.headers {
        if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            out.extend(format!("{name}: ").bytes());
            out.extend(value.as_bytes());
            out.extend(b"\r\n");
        }
    }
    out.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
    out.extend(body);
    Ok(out)
}

fn framed((status, headers, body): (u16, Vec<(&'static str, String)>, Vec<u8>)) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} proxy\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out += &format!("{name}: {value}\r\n");
    }
    let mut out = (out + "\r\n").into_bytes();
    out.extend(body);
    out
}

/// Whether there was something to read.
async fn read_more(stream: &TcpStream, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0_u8; 16 * 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut part) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                into.extend(&part[..count]);
                return Ok(true);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Says nothing until the client has had enough.
async fn silence(stream: &TcpStream) -> io::Result<bool> {
    let mut ignored = Vec::new();
    while read_more(stream, &mut ignored).await? {}
    Ok(false)
}

/// Closing with a linger of zero sends RST in place of FIN.
fn reset(stream: &TcpStream) -> io::Result<bool> {
    stream.set_zero_linger()?;
    Ok(false)
}

/// A port that drops every SYN: a listener that never accepts and whose backlog is full. Linux then answers
/// nothing to further connections, which is what a Region behind a dead network looks like.
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _stuffing: Vec<TcpStream>,
    _runtime: tokio::runtime::Runtime,
}

impl BlackHole {
    /// Opens the port and fills its backlog.
    pub fn open() -> BlackHole {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (listener, address, stuffing) = runtime.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
            let listener = socket.listen(1).expect("a listener");
            let address = listener.local_addr().expect("an address");
            let mut stuffing = Vec::new();
            // A connection that is not through in a moment was dropped: the backlog is full.
            while let Ok(connected) =
                tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
            {
                stuffing.push(connected.expect("a connection"));
                assert!(stuffing.len() < 64, "the backlog does not fill");
            }
            (listener, address, stuffing)
        });
        BlackHole { address, _listener: listener, _stuffing: stuffing, _runtime: runtime }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
