//! STS: who am I.

use super::{At, World};
use crate::sandbox::call::{ApiReply, ApiResult};
use serde_json::json;

impl World {
    pub(super) fn sts(&mut self, at: At, operation: &str) -> Option<ApiResult> {
        let account = &self.places[at.place.0].account;
        (operation == "GetCallerIdentity").then(|| {
            Ok(ApiReply::ok(json!({
                "UserId": "AIDASANDBOXSANDBOX123",
                "Account": account.as_str(),
                "Arn": format!("arn:aws:iam::{account}:user/sandbox"),
            })))
        })
    }
}
