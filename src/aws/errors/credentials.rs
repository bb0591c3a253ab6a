//! Credentials that do not come, or are no longer taken: the command that renews them.

use crate::model::Region;

fn with_profile(command: &str, profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("`{command} --profile {profile}`"),
        None => format!("`{command}` (with --profile where you use one)"),
    }
}

/// For a chain of providers that gave nothing.
pub(super) fn way_in(why: &str, timed_out: bool, profile: Option<&str>) -> String {
    let why = why.to_lowercase();
    if why.contains("sso") {
        format!("run {}", with_profile("aws sso login", profile))
    } else if why.contains("login") || why.contains("signin") {
        format!("run {}", with_profile("aws login", profile))
    } else if why.contains("assumerole") || why.contains("assume_role") || why.contains("assume role") {
        "the role could not be assumed: check role_arn and source_profile of the profile, and the role's trust policy"
            .to_owned()
    } else if why.contains("process") {
        "the profile's credential_process failed: run that command by hand and see what it says".to_owned()
    } else if why.contains("expired") {
        "renew the credentials of this shell or profile".to_owned()
    } else if timed_out {
        "the source of the credentials does not answer; try another profile, or export keys".to_owned()
    } else {
        "give --profile, or set AWS_PROFILE, or log in (`aws sso login`, `aws login`)".to_owned()
    }
}

/// For credentials that AWS refused.
pub(super) fn renewal(code: &str, region: &Region, profile: Option<&str>) -> String {
    let login = with_profile("aws sso login", profile);
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => format!(
            "; the credentials have expired: renew them ({login}, `aws login`, or whatever issued them) and run the \
             command again, it goes on where it stopped"
        ),
        // Both are also what a Region says that is not enabled for the account (IAM and Account Management guides).
        "UnrecognizedClientException" | "InvalidClientTokenId" => format!(
            "; renew the credentials ({login}, `aws login`), or, if they work in the other Region, enable {region} for \
             this account: `aws account enable-region --region-name {region}`"
        ),
        "RequestTimeTooSkewed" | "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "; signatures fail when this machine's clock is off by five minutes: synchronise it, else check the secret \
             key"
            .to_owned()
        }
        _ => format!("; renew the credentials ({login}, `aws login`, or whatever issued them)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_own_way_in() {
        let profile = Some("oncall");
        for (why, expected) in [
            ("the SSO session has expired", "`aws sso login --profile oncall`"),
            ("the login session is not valid", "`aws login --profile oncall`"),
            ("an error occurred: AssumeRole failed", "trust policy"),
            ("error retrieving credentials from external process", "credential_process"),
            ("token expired", "renew"),
            ("no providers in chain provided credentials", "AWS_PROFILE"),
        ] {
            assert!(way_in(why, false, profile).contains(expected), "{why}");
        }
        assert!(way_in("", true, None).contains("does not answer"));
    }

    #[test]
    fn a_refused_token_is_told_from_a_region_that_is_not_enabled() {
        let region: Region = "us-east-2".parse().expect("a Region");
        assert!(renewal("ExpiredTokenException", &region, Some("x")).contains("aws sso login --profile x"));
        assert!(
            renewal("UnrecognizedClientException", &region, None)
                .contains("enable-region --region-name us-east-2")
        );
        assert!(renewal("SignatureDoesNotMatch", &region, None).contains("clock"));
    }
}
