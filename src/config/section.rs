//! One table of the file while it is read: unknown keys are reported at once, values by key.

use super::problem::{Finding, is_unfit};
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// Everything that was found so far.
pub(super) type Findings = RefCell<Vec<Finding>>;

/// What is wrong with a value: what was expected instead, as a noun phrase, and a way out.
pub(super) struct Wrong {
    /// Follows "must be".
    pub expected: String,
    /// The way out.
    pub hint: Option<String>,
}

impl Wrong {
    /// Expected this.
    pub fn expected(what: impl Into<String>) -> Wrong {
        Wrong { expected: what.into(), hint: None }
    }
    /// Adds the way out.
    pub fn hint(self, hint: Option<String>) -> Wrong {
        Wrong { hint: hint.or(self.hint), ..self }
    }
}

/// What a reader of a value gives back.
pub(super) type Read<T> = Result<T, Wrong>;

/// The keys that each table of the file may hold, by the name it goes by in messages.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("the file", &["regions", "account", "objectives", "timing", "endpoints", "pipeline"]),
    ("[regions]", &["primary", "standby"]),
    ("[account]", &["id"]),
    ("[objectives]", &["rto", "rpo", "error_rate", "error_window"]),
    ("[timing]", &["poll", "settle", "fresh", "quiet", "timeout", "metric_period"]),
    // `[endpoints]` has Regions for keys.
    (
        "[[pipeline]]",
        &["name", "standby", "stream", "overlap_buffer", "producer", "consumer", "replicator", "sink"],
    ),
    ("[[pipeline.producer]]", &["function", "region", "alias", "region_variable", "stream_variable"]),
    (
        "[pipeline.consumer]",
        &[
            "function",
            "stream_consumer",
            "batch_size",
            "batching_window",
            "parallelization_factor",
            "on_failure",
        ],
    ),
    ("[pipeline.replicator]", &["function", "stream_consumer"]),
    ("[pipeline.sink]", &["table", "region_attribute"]),
];

/// The keys of a table in the file; free where it is not in [`KEYS`].
fn keys_of(label: &str) -> Option<&'static [&'static str]> {
    KEYS.iter().find(|(name, _)| *name == label).map(|(_, keys)| *keys)
}

/// A table with its name, its place and the keys it may hold.
pub(super) struct Section<'t> {
    /// `[timing]`, or a key such as `` `stream` ``.
    pub label: String,
    /// Where its header is.
    pub span: Range<usize>,
    table: &'t DeTable<'t>,
    findings: &'t Findings,
    /// Keys that an unknown one was taken for: not to be called missing as well.
    meant: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// Opens a table whose keys are free.
    pub fn free(
        label: &str,
        span: Range<usize>,
        table: &'t DeTable<'t>,
        findings: &'t Findings,
    ) -> Section<'t> {
        Section { label: label.to_owned(), span, table, findings, meant: Vec::new() }
    }

    /// Opens a table and reports the keys that are not of it.
    pub fn open(
        label: &str,
        keys: &'static [&'static str],
        span: Range<usize>,
        table: &'t DeTable<'t>,
        findings: &'t Findings,
    ) -> Section<'t> {
        let mut section = Section::free(label, span, table, findings);
        for key in table.keys().filter(|k| !keys.contains(&k.get_ref().as_ref())) {
            section.unknown(key.get_ref(), key.span(), keys);
        }
        section
    }

    fn unknown(&mut self, key: &str, span: Range<usize>, keys: &'static [&'static str]) {
        let near = nearest(key, keys);
        self.meant.extend(near);
        let elsewhere = || KEYS.iter().find(|(_, keys)| keys.contains(&key)).map(|(label, _)| *label);
        let hint = match (near, elsewhere()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(label)) if label != "the file" => format!("`{key}` belongs in {label}"),
            _ => format!("known here: {}", keys.join(", ")),
        };
        self.report(
            Finding::at(span, format!("unknown key `{}` in {}", printable(key), self.label)).hint(hint),
        );
    }

    /// Adds a finding.
    pub fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Where everything that is found goes.
    pub fn findings(&self) -> &'t Findings {
        self.findings
    }

    /// The raw value of a key.
    pub fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table.get(key)
    }

    /// All keys with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&'t str, Range<usize>, &'t Value<'t>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
    }

    /// The place of a key's value, or of the table where the key is not given.
    pub fn place(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// A value that may be left out: `Some(None)` when it is, `None` when it was wrong and reported.
    pub fn optional<T>(&self, key: &str, read: impl FnOnce(&'t Value<'t>) -> Read<T>) -> Option<Option<T>> {
        let Some(value) = self.get(key) else { return Some(None) };
        match read(value) {
            Ok(read) => Some(Some(read)),
            Err(Wrong { expected, hint }) => {
                let message = format!("`{key}` must be {expected}, not {}", shown(value.get_ref()));
                self.report(Finding { span: Some(value.span()), message, hint });
                None
            }
        }
    }

    /// A value that has a default.
    pub fn or<T>(&self, key: &str, default: T, read: impl FnOnce(&'t Value<'t>) -> Read<T>) -> Option<T> {
        self.optional(key, read).map(|value| value.unwrap_or(default))
    }

    /// A value that must be there; `example` is what it may look like, in TOML.
    pub fn required<T>(
        &self,
        key: &str,
        example: &str,
        read: impl FnOnce(&'t Value<'t>) -> Read<T>,
    ) -> Option<T> {
        let value = self.optional(key, read)?;
        if value.is_none() {
            self.missing(key, format!("{} has no `{key}`", self.label), &format!("add: {key} = {example}"));
        }
        value
    }

    /// Reports a key that must be there, unless a misspelt one was taken for it.
    pub fn missing(&self, key: &str, message: String, hint: &str) {
        if !self.meant.contains(&key) {
            let span = (self.label != "the file").then(|| self.span.clone());
            self.report(Finding { span, message, hint: Some(hint.to_owned()) });
        }
    }

    fn inner(&self, label: &str, span: Range<usize>, table: &'t DeTable<'t>) -> Section<'t> {
        match keys_of(label) {
            Some(keys) => Section::open(label, keys, span, table, self.findings),
            None => Section::free(label, span, table, self.findings),
        }
    }

    /// A table inside this one, where it is given.
    pub fn table(&self, key: &str, label: &str) -> Option<Section<'t>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.inner(label, value.span(), table)),
            other => {
                let message = format!("`{key}` must be a table {label}, not {}", shown(other));
                self.report(Finding::at(value.span(), message));
                None
            }
        }
    }

    /// Tables of the same name inside this one; `None` when what is there is something else (reported).
    pub fn tables(&self, key: &str, label: &str) -> Option<Vec<Section<'t>>> {
        let Some(value) = self.get(key) else { return Some(Vec::new()) };
        let wrong = |value: &Value<'t>| {
            let message =
                format!("`{key}` must be one or more tables {label}, not {}", shown(value.get_ref()));
            self.report(Finding::at(value.span(), message).hint(format!("write {label} in double brackets")));
        };
        let DeValue::Array(items) = value.get_ref() else {
            wrong(value);
            return None;
        };
        let open = |item: &'t Value<'t>| match item.get_ref() {
            DeValue::Table(table) => Some(self.inner(label, item.span(), table)),
            _ => {
                wrong(item);
                None
            }
        };
        items.iter().map(open).collect()
    }
}

/// The known word that a misspelt one is close to: `Overlap-Buffer`, `overlap_bufer`.
pub(super) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(&word, &plain(k)), *k))
        .filter(|(distance, k)| *distance <= (k.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// A value as a message shows it: short, quoted where it is text, fit for a terminal.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", printable(text)),
        DeValue::Integer(number) => printable(&number.to_string()),
        DeValue::Float(number) => printable(&number.to_string()),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// At most 60 characters, those that a terminal would obey escaped.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(60) {
        match is_unfit(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if text.chars().count() > 60 {
        shown.push_str("...");
    }
    shown
}
