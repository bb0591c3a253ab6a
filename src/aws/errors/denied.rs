//! Access denied: who may not do what, on what, and why, out of AWS's own sentence.
//!
//! `User: ARN is not authorized to perform: ACTION on resource: ARN because no identity-based policy allows the
//! ACTION action` (IAM User Guide, "Troubleshoot access denied error messages"). Each part is taken over only if it
//! looks like what it must be; a sentence of another form is left to the caller.

use crate::model::Region;

/// The sentence in kdsha's words; `None` when it is not of the known form.
pub(super) fn words(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User: ")?;
    let (who, rest) = rest.split_once(" is not authorized to perform: ")?;
    let (action, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let action = action.trim_end_matches(['.', ',']);
    if !is_arn(who) || !is_action(action) {
        return None;
    }
    let resource = rest
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(|resource| resource.trim_end_matches(['.', ',']))
        .filter(|resource| is_arn(resource));
    let on = resource.map(|resource| format!(" on {resource}")).unwrap_or_default();
    Some(format!("{who} may not {action}{on} ({})", reason(rest)))
}

fn reason(rest: &str) -> &'static str {
    const REASONS: [(&str, &str, &str); 5] = [
        (
            "service control policy",
            "a service control policy denies it",
            "no service control policy allows it",
        ),
        (
            "permissions boundary",
            "its permissions boundary denies it",
            "its permissions boundary does not allow it",
        ),
        ("session policy", "its session policy denies it", "its session policy does not allow it"),
        (
            "resource-based policy",
            "the resource's own policy denies it",
            "no resource-based policy allows it",
        ),
        ("identity-based policy", "a policy of the caller denies it", "no policy of the caller allows it"),
    ];
    let is_explicit = rest.contains("explicit deny");
    let known = REASONS.iter().find(|(kind, ..)| rest.contains(kind));
    match known {
        Some((_, denied, _)) if is_explicit => denied,
        Some((_, _, missing)) => missing,
        None => "AWS does not say which policy decided",
    }
}

/// What the operator can do.
pub(super) fn way_out(code: &str, region: &Region) -> String {
    match code {
        "OptInRequired" | "RegionDisabledException" => format!(
            "; {region} is not enabled for this account: `aws account enable-region --region-name {region}`"
        ),
        _ => "; `kdsha policy` prints everything that is needed".to_owned(),
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:aws")
        && text.len() <= 300
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_:/.@=+,*$".contains(c))
}

fn is_action(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    text.len() <= 100 && text.split_once(':').is_some_and(|(service, name)| word(service) && word(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "arn:aws:sts::123456789012:assumed-role/OnCall/maria";

    #[test]
    fn aws_s_sentence_comes_to_who_what_and_why() {
        let function = "arn:aws:lambda:us-west-2:123456789012:function:P";
        let action = "lambda:UpdateFunctionConfiguration";
        let denied = format!("User: {WHO} is not authorized to perform: {action}");
        for (tail, expected) in [
            (
                format!(
                    " on resource: {function} because no identity-based policy allows the {action} action"
                ),
                format!("{WHO} may not {action} on {function} (no policy of the caller allows it)"),
            ),
            (
                format!(" on resource: {function} with an explicit deny in a service control policy"),
                format!("{WHO} may not {action} on {function} (a service control policy denies it)"),
            ),
            (
                format!(" because no identity-based policy allows the {action} action"),
                format!("{WHO} may not {action} (no policy of the caller allows it)"),
            ),
            (String::new(), format!("{WHO} may not {action} (AWS does not say which policy decided)")),
        ] {
            assert_eq!(words(&format!("{denied}{tail}")), Some(expected), "{tail}");
        }
    }

    #[test]
    fn what_does_not_look_like_it_is_not_taken_over() {
        for message in [
            "",
            "Access Denied",
            "User: hunter2 is not authorized to perform: lambda:Invoke",
            "User: arn:aws:iam::1:user/x is not authorized to perform: {\"Variables\":{\"A\":\"hunter2\"}}",
        ] {
            assert_eq!(words(message), None, "{message}");
        }
        let odd =
            format!("User: {WHO} is not authorized to perform: lambda:X on resource: {{\"A\":\"hunter2\"}}");
        let told = words(&odd).expect("the known form");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
