//! Just enough HTTP and SigV4 for a proxy: where a request ends, and which Region, service and operation it is for.

use kdsha::model::Region;
use serde_json::Value;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    /// From the signature's credential scope.
    pub region: Region,
    /// The name of the service in IAM actions: `lambda`, `kinesis`, `cloudwatch`, `dynamodb`, `sts`.
    pub service: String,
    /// The operation, as IAM spells it.
    pub operation: String,
}

impl Asked {
    /// The first request in the bytes, and how many of them it takes; `None` while it is not complete.
    pub fn parse(bytes: &[u8]) -> Option<(Asked, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let length: usize =
            find(&headers, "content-length").map_or(0, |text| text.parse().expect("a length"));
        let body = bytes.get(end..end + length)?.to_vec();
        Some((Asked { method, target, headers, body }, end + length))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// What it is about; the signature and the protocol say it.
    pub fn about(&self) -> About {
        let scope = self.header("authorization").and_then(|text| text.split("Credential=").nth(1));
        let mut parts = scope.expect("a signed request").split(['/', ',']).skip(2);
        let region = parts.next().expect("a Region in the scope").parse().expect("a Region");
        let signing_name = parts.next().expect("a service in the scope").to_owned();
        let service = if signing_name == "monitoring" { "cloudwatch".to_owned() } else { signing_name };
        About { region, service, operation: self.operation() }
    }

    /// The ARN of the function, the stream or the table that it names, as a policy without an account writes it.
    pub fn resource(&self) -> Option<String> {
        let about = self.about();
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let named =
            |key: &str| body[key].as_str().map(|text| text.rsplit('/').next().unwrap_or(text).to_owned());
        let (kind, name) = match about.service.as_str() {
            "kinesis" => ("stream/", named("StreamName").or_else(|| named("StreamARN"))?),
            "dynamodb" => ("table/", named("TableName")?),
            "lambda" => ("function:", self.function()?),
            _ => return None,
        };
        Some(format!("arn:aws:{}:{}:*:{kind}{name}", about.service, about.region))
    }

    /// The function in the path, with the alias or version that the query names.
    fn function(&self) -> Option<String> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let name = path.split_once("/functions/")?.1.split('/').next()?;
        let qualifier = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
        Some(qualifier.map_or_else(|| name.to_owned(), |qualifier| format!("{name}:{qualifier}")))
    }

    /// The access key that it is signed with.
    pub fn access_key(&self) -> String {
        let scope = self.header("authorization").and_then(|text| text.split("Credential=").nth(1));
        scope.and_then(|scope| scope.split('/').next()).unwrap_or_default().to_owned()
    }

    fn operation(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or(target).to_owned();
        }
        let path = self.target.split('?').next().unwrap_or_default();
        if let Some((_, operation)) = path.split_once("/operation/") {
            return operation.to_owned();
        }
        let form = String::from_utf8_lossy(&self.body).into_owned();
        if let Some(action) = form.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
            return action.to_owned();
        }
        lambda(&self.method, path).to_owned()
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Lambda's operations by method and path (Lambda API Reference).
fn lambda(method: &str, path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, &parts[1..]) {
        ("GET", ["event-source-mappings"]) => "ListEventSourceMappings",
        ("POST", ["event-source-mappings"]) => "CreateEventSourceMapping",
        ("GET", ["event-source-mappings", _]) => "GetEventSourceMapping",
        ("PUT", ["event-source-mappings", _]) => "UpdateEventSourceMapping",
        ("DELETE", ["event-source-mappings", _]) => "DeleteEventSourceMapping",
        ("GET", ["account-settings"]) => "GetAccountSettings",
        ("GET", ["functions", _]) => "GetFunction",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("GET", ["functions", _, "concurrency"]) => "GetFunctionConcurrency",
        ("GET", ["functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", ["functions", _, "versions"]) => "PublishVersion",
        ("GET", ["functions", _, "aliases"]) => "ListAliases",
        ("GET", ["functions", _, "aliases", _]) => "GetAlias",
        ("PUT", ["functions", _, "aliases", _]) => "UpdateAlias",
        _ => panic!("{method} {path}: an operation that the proxy does not know"),
    }
}

/// An error as the service words it, in its protocol: status, headers and body.
pub fn refusal(about: &About, status: u16, code: &str) -> (u16, Vec<(&'static str, String)>, Vec<u8>) {
    let message = "sent by the fault proxy";
    match about.service.as_str() {
        "cloudwatch" => {
            let mut body = Vec::new();
            let mut to = minicbor::Encoder::new(&mut body);
            let text = to.map(2).and_then(|e| e.str("__type")).and_then(|e| e.str(code));
            text.and_then(|e| e.str("message")).and_then(|e| e.str(message)).expect("a vector takes all");
            let kind = vec![
                ("content-type", "application/cbor".to_owned()),
                ("smithy-protocol", "rpc-v2-cbor".to_owned()),
            ];
            (status, kind, body)
        }
        "sts" => {
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{message}</Message></Error><RequestId>proxy</RequestId></ErrorResponse>"
            );
            (status, vec![("content-type", "text/xml".to_owned())], body.into_bytes())
        }
        _ => {
            let body =
                format!("{{\"__type\":\"{code}\",\"Message\":\"{message}\",\"message\":\"{message}\"}}");
            let kind =
                vec![("content-type", "application/json".to_owned()), ("x-amzn-errortype", code.to_owned())];
            (status, kind, body.into_bytes())
        }
    }
}

/// How each service says that it is throttling.
pub fn throttle(about: &About) -> (u16, &'static str) {
    match about.service.as_str() {
        "lambda" => (429, "TooManyRequestsException"),
        "kinesis" => (400, "LimitExceededException"),
        "dynamodb" => (400, "ThrottlingException"),
        _ => (400, "Throttling"),
    }
}

#[test]
fn a_request_is_read_when_it_is_complete_and_known_by_its_signature() {
    let scope =
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-west-2/monitoring/aws4_request, SignedHeaders=host";
    let text = format!(
        "POST /service/GraniteServiceVersion20100801/operation/GetMetricData HTTP/1.1\r\nAuthorization: {scope}\r\n\
         Content-Length: 3\r\n\r\nabc"
    );
    assert!(Asked::parse(&text.as_bytes()[..text.len() - 1]).is_none());
    let (asked, taken) = Asked::parse(text.as_bytes()).expect("complete");
    assert_eq!((taken, asked.body.as_slice()), (text.len(), b"abc".as_slice()));
    let about = asked.about();
    assert_eq!(
        (about.region.as_str(), about.service.as_str(), about.operation.as_str()),
        ("us-west-2", "cloudwatch", "GetMetricData")
    );
}
