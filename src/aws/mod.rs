//! The only room that names `aws_sdk_*`: clients, observe, perform, errors, rate limits.
