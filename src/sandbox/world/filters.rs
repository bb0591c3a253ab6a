//! The filters of an event source mapping: which records of a stream its function is handed (Lambda Developer Guide,
//! "Control which events Lambda sends to your function").
//!
//! A record has to fit one of the patterns; all keys of a pattern hold, and one rule of each key. Patterns are those of
//! EventBridge (its user guide, "Comparison operators for use in event patterns"), with the operators that the guide of
//! Lambda lists.

use serde_json::{Map, Value};

/// The key of the record's own content.
const DATA: &str = "data";

/// A pattern that Lambda would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invalid;

/// All filters of a mapping; without any, every record is handed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Filters(Vec<Filter>);

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    /// As it was given, and is answered.
    text: String,
    pattern: Pattern,
}

/// Members that have to fit, and alternatives of which one has to.
#[derive(Debug, Clone, Default, PartialEq)]
struct Pattern {
    members: Vec<(String, Node)>,
    either: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Inner(Pattern),
    Leaf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Equals(Value),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    AnythingBut(Vec<Value>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Filters {
    /// The patterns as they are written in FilterCriteria.
    pub fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Filters, Invalid> {
        texts.map(Filter::read).collect::<Result<_, _>>().map(Filters)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|filter| filter.text.as_str())
    }

    /// A record is handed to the function.
    pub fn take(&self, metadata: Map<String, Value>, data: &[u8]) -> bool {
        let data: Option<Value> = serde_json::from_slice(data).ok();
        let is_json = data.is_some();
        let mut event = metadata;
        event.extend(data.map(|data| (DATA.to_owned(), data)));
        let event = Value::Object(event);
        // Data that is no JSON is dropped by a pattern for data, even where that asks for a key that is not there.
        let may_fit = |pattern: &Pattern| is_json || !pattern.names(DATA);
        self.is_empty() || self.0.iter().any(|f| may_fit(&f.pattern) && f.pattern.fits(Some(&event)))
    }
}

impl Filter {
    fn read(text: &str) -> Result<Filter, Invalid> {
        let value: Value = serde_json::from_str(text).map_err(|_| Invalid)?;
        let members = value.as_object().ok_or(Invalid)?;
        // Refused when the mapping is created: a pattern for data that is not one of JSON (the guide, "Properly filtering
        // Kinesis and DynamoDB messages").
        if members.get(DATA).is_some_and(|data| !data.is_object()) {
            return Err(Invalid);
        }
        // `{}` is not described: here it fits every record.
        Ok(Filter { text: text.to_owned(), pattern: Pattern::read(members)? })
    }
}

impl Pattern {
    fn read(members: &Map<String, Value>) -> Result<Pattern, Invalid> {
        let mut pattern = Pattern::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("$or", Value::Array(either)) => {
                    pattern.either = either.iter().map(Pattern::alternative).collect::<Result<_, _>>()?;
                }
                _ => pattern.members.push((name.clone(), Node::read(value)?)),
            }
        }
        Ok(pattern)
    }

    fn alternative(value: &Value) -> Result<Pattern, Invalid> {
        Pattern::read(value.as_object().ok_or(Invalid)?)
    }

    fn names(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// Of a list of objects, one has to fit as a whole.
    fn fits(&self, found: Option<&Value>) -> bool {
        if let Some(Value::Array(items)) = found {
            return items.iter().any(|item| self.fits(Some(item)));
        }
        let member = |name: &str| found.and_then(|object| object.get(name));
        self.members.iter().all(|(name, node)| node.fits(member(name)))
            && (self.either.is_empty() || self.either.iter().any(|pattern| pattern.fits(found)))
    }
}

impl Node {
    fn read(value: &Value) -> Result<Node, Invalid> {
        match value {
            Value::Object(members) if !members.is_empty() => Ok(Node::Inner(Pattern::read(members)?)),
            Value::Array(rules) if !rules.is_empty() => {
                Ok(Node::Leaf(rules.iter().map(Rule::read).collect::<Result<_, _>>()?))
            }
            _ => Err(Invalid),
        }
    }

    fn fits(&self, found: Option<&Value>) -> bool {
        match self {
            Node::Inner(pattern) => pattern.fits(found),
            Node::Leaf(rules) => rules.iter().any(|rule| rule.fits(found)),
        }
    }
}

impl Rule {
    fn read(value: &Value) -> Result<Rule, Invalid> {
        match value {
            Value::Array(_) => Err(Invalid),
            Value::Object(members) => {
                let mut members = members.iter();
                let (Some((name, operand)), None) = (members.next(), members.next()) else {
                    return Err(Invalid);
                };
                Rule::of(name, operand).ok_or(Invalid)
            }
            plain => Ok(Rule::Equals(plain.clone())),
        }
    }

    fn of(name: &str, operand: &Value) -> Option<Rule> {
        let text = || Some(operand.as_str()?.to_owned());
        match name {
            "prefix" => Some(Rule::Prefix(text()?)),
            "suffix" => Some(Rule::Suffix(text()?)),
            "equals-ignore-case" => Some(Rule::EqualsIgnoreCase(text()?)),
            "exists" => Some(Rule::Exists(operand.as_bool()?)),
            "anything-but" => Some(Rule::AnythingBut(excluded(operand)?)),
            "numeric" => Some(Rule::Numeric(comparisons(operand.as_array()?)?)),
            _ => None,
        }
    }

    /// Of a list of values, one has to fit. What holds further keys has no value of its own, so it does not exist.
    fn fits(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Rule::Exists(wanted), _) => found.is_some_and(has_value) == *wanted,
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.fits(Some(item))),
            (_, None | Some(Value::Object(_))) => false,
            (_, Some(value)) => self.holds(value),
        }
    }

    fn holds(&self, value: &Value) -> bool {
        let text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_some_and(fits);
        match self {
            // Numbers are compared as they are written: 300 is neither 300.0 nor 3.0e2 (the guide).
            Rule::Equals(wanted) => value == wanted,
            Rule::Prefix(prefix) => text(&|it| it.starts_with(prefix.as_str())),
            Rule::Suffix(suffix) => text(&|it| it.ends_with(suffix.as_str())),
            Rule::EqualsIgnoreCase(wanted) => text(&|it| it.to_lowercase() == wanted.to_lowercase()),
            Rule::AnythingBut(excluded) => !excluded.contains(value),
            Rule::Numeric(all) => {
                value.as_f64().is_some_and(|number| all.iter().all(|(how, than)| how.holds(number, *than)))
            }
            Rule::Exists(wanted) => *wanted,
        }
    }
}

impl Comparison {
    fn read(text: &str) -> Option<Comparison> {
        match text {
            "=" => Some(Comparison::Equal),
            ">" => Some(Comparison::Above),
            ">=" => Some(Comparison::AtLeast),
            "<" => Some(Comparison::Below),
            "<=" => Some(Comparison::AtMost),
            _ => None,
        }
    }

    fn holds(self, number: f64, than: f64) -> bool {
        match self {
            Comparison::Equal => number == than,
            Comparison::Above => number > than,
            Comparison::AtLeast => number >= than,
            Comparison::Below => number < than,
            Comparison::AtMost => number <= than,
        }
    }
}

fn has_value(found: &Value) -> bool {
    match found {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().any(has_value),
        _ => true,
    }
}

/// One value, or a list of them.
fn excluded(operand: &Value) -> Option<Vec<Value>> {
    let values = operand.as_array().cloned().unwrap_or_else(|| vec![operand.clone()]);
    let are_plain = values.iter().all(|value| value.is_string() || value.is_number());
    (are_plain && !values.is_empty()).then_some(values)
}

/// `["=", 1]`, or the two ends of a range.
fn comparisons(operand: &[Value]) -> Option<Vec<(Comparison, f64)>> {
    if !matches!(operand.len(), 2 | 4) {
        return None;
    }
    operand.chunks(2).map(|pair| Some((Comparison::read(pair[0].as_str()?)?, pair[1].as_f64()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Whether these patterns take a record of this key with this data.
    fn take(patterns: &[Value], key: &str, data: &[u8]) -> bool {
        let texts: Vec<String> = patterns.iter().map(Value::to_string).collect();
        let filters = Filters::read(texts.iter().map(String::as_str)).expect("valid patterns");
        let metadata = Map::from_iter([("partitionKey".to_owned(), json!(key))]);
        filters.take(metadata, data)
    }

    /// Whether a pattern with this one rule for `a` takes a record with this data.
    fn rule(rule: Value, data: Value) -> bool {
        take(&[json!({"data": {"a": [rule]}})], "k", data.to_string().as_bytes())
    }

    #[test]
    fn plain_values_fit_what_is_the_same() {
        assert!(rule(json!("x"), json!({"a": "x"})) && !rule(json!("x"), json!({"a": "X"})));
        assert!(rule(json!(""), json!({"a": ""})) && !rule(json!(""), json!({"a": null})));
        assert!(rule(json!(null), json!({"a": null})) && !rule(json!(null), json!({})));
        assert!(rule(json!(300), json!({"a": 300})) && !rule(json!(300), json!({"a": "300"})));
        assert!(!rule(json!(300), json!({"a": 300.0})), "compared as they are written");
        assert!(rule(json!(true), json!({"a": true})) && !rule(json!(true), json!({"a": false})));
    }

    #[test]
    fn text_is_compared_at_both_ends_and_without_case() {
        assert!(rule(json!({"prefix": "us-"}), json!({"a": "us-east-2"})));
        assert!(!rule(json!({"prefix": "us-"}), json!({"a": "eu-us-"})));
        assert!(rule(json!({"suffix": ".png"}), json!({"a": "b.png"})));
        assert!(!rule(json!({"suffix": ".png"}), json!({"a": ".png.gz"})));
        assert!(rule(json!({"equals-ignore-case": "AlicE"}), json!({"a": "aLICe"})));
        assert!(!rule(json!({"prefix": "1"}), json!({"a": 12})));
    }

    #[test]
    fn numbers_are_compared_and_text_is_none() {
        let between = json!({"numeric": [">", 10, "<=", 20.5]});
        for (number, fits) in [(10.0, false), (10.1, true), (20.5, true), (20.6, false)] {
            assert_eq!(rule(between.clone(), json!({"a": number})), fits, "{number}");
        }
        assert!(rule(json!({"numeric": ["=", 100]}), json!({"a": 100.0})));
        assert!(rule(json!({"numeric": [">=", 5]}), json!({"a": 5})));
        assert!(!rule(json!({"numeric": ["<", 5]}), json!({"a": 5})));
        assert!(!rule(json!({"numeric": ["<", 5]}), json!({"a": "4"})));
    }

    #[test]
    fn anything_but_asks_for_another_value_that_is_there() {
        for but in [json!("x"), json!(["x", 1])] {
            let but = json!({ "anything-but": but });
            assert!(rule(but.clone(), json!({"a": "y"})) && !rule(but.clone(), json!({"a": "x"})));
            assert!(!rule(but, json!({})));
        }
    }

    /// A key that holds further keys does not count as one that exists (the guide).
    #[test]
    fn what_exists_has_a_value_of_its_own() {
        let (exists, does_not) = (json!({"exists": true}), json!({"exists": false}));
        for (data, there) in [
            (json!({"a": 1}), true),
            (json!({"a": null}), true),
            (json!({"a": [1]}), true),
            (json!({}), false),
            (json!({"a": {"b": 1}}), false),
            (json!({"a": []}), false),
        ] {
            assert_eq!(rule(exists.clone(), data.clone()), there, "{data}");
            assert_eq!(rule(does_not.clone(), data.clone()), !there, "{data}");
        }
    }

    #[test]
    fn keys_are_all_needed_and_of_rules_and_patterns_one() {
        let both = json!({"partitionKey": ["k", "l"], "data": {"a": {"b": ["x"]}, "c": [1, 2]}});
        let data = br#"{"a":{"b":"x"},"c":2,"d":0}"#;
        assert!(take(std::slice::from_ref(&both), "l", data));
        assert!(!take(std::slice::from_ref(&both), "m", data));
        assert!(!take(std::slice::from_ref(&both), "k", br#"{"a":{"b":"x"},"c":3}"#));
        assert!(take(&[both, json!({"partitionKey": ["m"]})], "m", data));
        let either = json!({"data": {"$or": [{"a": ["x"]}, {"c": [2]}]}});
        assert!(take(std::slice::from_ref(&either), "k", data) && !take(&[either], "k", br#"{"c":3}"#));
    }

    #[test]
    fn of_a_list_one_item_has_to_fit() {
        assert!(rule(json!("x"), json!({"a": ["w", "x"]})) && !rule(json!("x"), json!({"a": ["w"]})));
        let one = json!({"data": {"l": {"a": [1], "b": [2]}}});
        assert!(take(std::slice::from_ref(&one), "k", br#"{"l":[{"a":0,"b":2},{"a":1,"b":2}]}"#));
        assert!(!take(&[one], "k", br#"{"l":[{"a":0,"b":2},{"a":1,"b":0}]}"#));
    }

    #[test]
    fn data_that_is_no_json_is_left_out_by_patterns_for_data_only() {
        for pattern in [json!({"data": {"a": ["x"]}}), json!({"data": {"a": [{"exists": false}]}})] {
            assert!(!take(&[pattern], "k", b"plain"));
        }
        assert!(take(&[json!({"partitionKey": ["k"]})], "k", b"plain"));
        assert!(take(&[], "k", b"plain") && take(&[json!({})], "k", b"plain"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "plain",
            "null",
            "[]",
            r#"[{"eventName": ["INSERT"=123}]"#,
            r#"{"a": "x"}"#,
            r#"{"a": []}"#,
            r#"{"a": {}}"#,
            r#"{"a": [["x"]]}"#,
            r#"{"data": ["x"]}"#,
            r#"{"a": [{"like": "x"}]}"#,
            r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#,
            r#"{"a": [{"prefix": 1}]}"#,
            r#"{"a": [{"exists": "true"}]}"#,
            r#"{"a": [{"anything-but": []}]}"#,
            r#"{"a": [{"numeric": [">"]}]}"#,
            r#"{"a": [{"numeric": ["!", 1]}]}"#,
            r#"{"$or": ["x"]}"#,
        ] {
            assert_eq!(Filters::read([text].into_iter()), Err(Invalid), "{text}");
        }
    }
}
