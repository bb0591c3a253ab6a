//! Every source of credentials that AWS tools know is one of kdsha's too: the compiled binary with each of them, and
//! the access key that its requests are then signed with. Who hands them out is a loopback stub.

use super::scene::Scene;
use super::stub::Stub;
use super::wire::Asked;
use crate::support::process::{self, Finished};
use kdsha::sandbox::call::Service;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

const LATER: &str = "2099-01-01T00:00:00Z";

/// A command without the keys that the tests' environment has.
fn command(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.command(arguments);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_CONFIG_FILE", scene.home.path().join("config"));
    command
}

fn run(mut command: Command) -> Finished {
    process::run(&mut command, Duration::from_secs(60)).expect("it ends")
}

/// All requests of a `status` were signed with this key.
fn must_sign_with(scene: &Scene, command: Command, key: &str) {
    scene.proxy.take_seen();
    let finished = run(command);
    assert_eq!(finished.code(), Some(0), "{key}: {}{}", finished.stdout, finished.stderr);
    let seen = scene.proxy.take_seen();
    assert!(seen.len() > 10, "{key}: {seen:?}");
    for one in seen {
        assert_eq!(one.who, key, "{one:?}");
    }
}

fn write(scene: &Scene, name: &str, text: &str) {
    fs::write(scene.home.path().join(name), text).expect("a writable folder");
}

/// What STS answers to AssumeRole and AssumeRoleWithWebIdentity.
fn sts(asked: &Asked) -> (u16, String) {
    let form = String::from_utf8_lossy(&asked.body).into_owned();
    let action =
        if form.contains("AssumeRoleWithWebIdentity") { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
    let key = if action == "AssumeRole" { "AKIAROLE" } else { "AKIAWEB" };
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{LATER}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/R/b</Arn></AssumedRoleUser></{action}Result>\
         <ResponseMetadata><RequestId>stub</RequestId></ResponseMetadata></{action}Response>"
    );
    (200, body)
}

fn key_document(key: &str) -> String {
    format!(
        "{{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"Version\":1,\"AccessKeyId\":\"{key}\",\"SecretAccessKey\":\"s\",\
         \"Token\":\"t\",\"SessionToken\":\"t\",\"Expiration\":\"{LATER}\",\"LastUpdated\":\"2026-01-01T00:00:00Z\"}}"
    )
}

#[test]
fn keys_of_a_profile_and_of_a_process() {
    let scene = Scene::of(71, 1.0);
    let script = scene.home.path().join("keys.sh");
    fs::write(&script, format!("#!/bin/sh\necho '{}'\n", key_document("AKIAPROCESS"))).expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("an executable file");
    let config = format!(
        "[profile plain]\naws_access_key_id = AKIAPLAIN\naws_secret_access_key = s\n\
         [profile process]\ncredential_process = {}\n",
        script.display()
    );
    write(&scene, "config", &config);
    must_sign_with(&scene, command(&scene, &["status", "--profile", "plain"]), "AKIAPLAIN");
    must_sign_with(&scene, command(&scene, &["status", "--profile", "process"]), "AKIAPROCESS");
    // What was typed wins over what happens to be exported, as with the AWS CLI.
    let mut exported = command(&scene, &["status", "--profile", "plain"]);
    exported.env("AWS_ACCESS_KEY_ID", "AKIAEXPORTED").env("AWS_SECRET_ACCESS_KEY", "s");
    must_sign_with(&scene, exported, "AKIAPLAIN");
    let mut unknown = command(&scene, &["status", "--profile", "plian"]);
    unknown.env("AWS_ACCESS_KEY_ID", "AKIAEXPORTED").env("AWS_SECRET_ACCESS_KEY", "s");
    let finished = run(unknown);
    assert_eq!(finished.code(), Some(2), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stderr.contains("plian"), "{}", finished.stderr);
    let mut by_variable = command(&scene, &["status"]);
    by_variable.env("AWS_PROFILE", "plain");
    must_sign_with(&scene, by_variable, "AKIAPLAIN");
}

/// Twenty minutes are enough for the post's functions, but not where a producer's invocation may take a quarter of one.
#[test]
fn keys_that_may_expire_before_the_run_ends_are_warned_of() {
    let scene = Scene::of(75, 1.0);
    let script = scene.home.path().join("keys.sh");
    write(&scene, "config", &format!("[profile process]\ncredential_process = {}\n", script.display()));
    let verdict = || {
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(20);
        let keys =
            key_document("AKIAPROCESS").replace(LATER, &expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        fs::write(&script, format!("#!/bin/sh\necho '{keys}'\n")).expect("a file");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("an executable file");
        let over = ["failover", "--to", "us-east-2", "--dry-run", "--output", "json", "--profile", "process"];
        let finished = run(command(&scene, &over));
        assert_eq!(finished.code(), Some(0), "{}{}", finished.stdout, finished.stderr);
        let plan: Value = serde_json::from_str(finished.stdout.trim()).expect("one document");
        let checks = plan["checks"].as_array().expect("checks");
        let ours = checks.iter().find(|check| check["check"] == "credentials").expect("a check");
        (ours["verdict"].as_str().expect("a word").to_owned(), ours["evidence"].to_string())
    };
    let (sound, evidence) = verdict();
    assert_eq!(sound, "ok", "{evidence}");
    let slow = json!({ "FunctionName": "KDS-HA-ProducerLambda", "Timeout": 900 });
    scene.call(Service::Lambda, "us-west-2", "UpdateFunctionConfiguration", slow);
    scene.pass(Duration::from_secs(10));
    let (warned, evidence) = verdict();
    assert_eq!(warned, "warn", "{evidence}");
}

/// The role is assumed through the STS of the standby Region, never through the failing one's.
#[test]
fn an_assumed_role_and_a_web_identity() {
    let scene = Scene::of(72, 1.0);
    let stub = Stub::serve(|asked| {
        let scope = asked.header("authorization").unwrap_or("(unsigned)");
        match scope.contains("/us-east-2/sts/") || scope == "(unsigned)" {
            true => sts(asked),
            false => (500, format!("{{\"message\":\"asked as {}\"}}", scope.len())),
        }
    });
    write(
        &scene,
        "config",
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n\
         [profile role]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = base\n",
    );
    let mut role = command(&scene, &["status", "--profile", "role"]);
    role.env("AWS_ENDPOINT_URL_STS", stub.url());
    must_sign_with(&scene, role, "AKIAROLE");
    write(&scene, "token", "a.b.c");
    let mut web = command(&scene, &["status"]);
    web.env("AWS_ENDPOINT_URL_STS", stub.url())
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", scene.home.path().join("token"))
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R");
    must_sign_with(&scene, web, "AKIAWEB");
}

#[test]
fn a_container_and_an_instance() {
    let scene = Scene::of(73, 1.0);
    let container = Stub::serve(|_| (200, key_document("AKIACONTAINER")));
    let mut in_container = command(&scene, &["status"]);
    in_container.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/keys", container.url()));
    must_sign_with(&scene, in_container, "AKIACONTAINER");

    let instance = Stub::serve(|asked| match asked.target.as_str() {
        "/latest/api/token" => (200, "token".to_owned()),
        path if path.ends_with("security-credentials/") => (200, "role".to_owned()),
        path if path.ends_with("/role") => (200, key_document("AKIAINSTANCE")),
        _ => (404, String::new()),
    });
    let mut on_instance = command(&scene, &["status"]);
    on_instance
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url());
    must_sign_with(&scene, on_instance, "AKIAINSTANCE");
    assert!(!instance.asked().is_empty());
}

/// What the operator is told when a source gives nothing.
#[test]
fn a_source_that_gives_nothing_says_what_to_run() {
    let scene = Scene::of(74, 1.0);
    write(
        &scene,
        "config",
        "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = OnCall\n\
         [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.example.com/start\n\
         sso_registration_scopes = sso:account:access\n\
         [profile process]\ncredential_process = false\n",
    );
    for (arguments, expected) in [
        (&["status", "--profile", "sso"][..], "aws sso login --profile sso"),
        (&["status", "--profile", "process"], "credential_process failed"),
        (&["status"], "AWS_PROFILE"),
    ] {
        let finished = run(command(&scene, arguments));
        let told = format!("{}{}", finished.stdout, finished.stderr);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
}

/// A proxy that is set is used, and `-v` says so, without the password in its URL.
#[test]
fn a_proxy_is_used_and_said() {
    let scene = Scene::of(75, 1.0);
    let proxy = Stub::serve(|_| (502, "{}".to_owned()));
    let url = proxy.url().replace("http://", "http://maria:hunter2@");
    let mut through = scene.command(&["status", "-v"]);
    through.env_remove("NO_PROXY").env("HTTP_PROXY", &url);
    let finished = run(through);
    assert_eq!(finished.code(), Some(7), "{}{}", finished.stdout, finished.stderr);
    let told = format!("{}{}", finished.stdout, finished.stderr);
    assert!(told.contains("HTTP_PROXY") && told.contains(&proxy.url().replace("http://", "")), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    assert!(proxy.asked().iter().any(|asked| asked.contains("http://")), "{:?}", proxy.asked());
    assert!(scene.proxy.take_seen().is_empty(), "something went past the proxy");
}

/// A proxy that is down looks like two dead Regions; the emergency that invites would be a mistake.
#[test]
fn a_dead_proxy_is_named_and_not_taken_for_two_dead_regions() {
    let scene = Scene::of(76, 1.0);
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let mut through = scene.command(&["status"]);
    through.env_remove("NO_PROXY").env("HTTP_PROXY", format!("http://{nobody}"));
    let finished = run(through);
    assert_eq!(finished.code(), Some(7), "{}{}", finished.stdout, finished.stderr);
    let told = &finished.stderr;
    assert!(
        told.contains("nothing answered from this machine") && told.contains(&nobody.to_string()),
        "{told}"
    );
}
