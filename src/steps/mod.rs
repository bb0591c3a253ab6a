//! One file a kind of step: pure data and a check.
