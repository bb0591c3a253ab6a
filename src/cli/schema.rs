//! `kdsha schema`: the JSON Schemas of what the commands print with `--output json`.
//!
//! They are generated from the types that are serialised, by the test below, and kept in `src/ui/schemas`, so that a
//! change of a document is a change of a file. Within `/1`, keys are only ever added.

use super::args::SchemaArgs;
use super::failure::Failure;
use crate::model::Exit;
use crate::ui::Ui;

macro_rules! schemas {
    ($($name:ident: $about:literal),+ $(,)?) => {
        /// Every document: its name, what prints it, its schema.
        pub const SCHEMAS: &[(&str, &str, &str)] = &[
            $((stringify!($name), $about, include_str!(concat!("../ui/schemas/", stringify!($name), ".json")))),+
        ];
    };
}

schemas! {
    error: "any command that ends badly",
    event: "failover, failback, resume: one a line; runs RUN",
    init: "init",
    plan: "failover --dry-run, failback --dry-run",
    policy: "policy --output json",
    rehearsal: "rehearse, at its end",
    report: "report",
    runs: "runs",
    scenarios: "rehearse --list",
    status: "status",
    verify: "verify; init, after the file is written",
}

/// Prints one schema, or lists them.
///
/// # Errors
/// When there is none of that name.
pub fn run(ui: &Ui, args: &SchemaArgs) -> Result<Exit, Failure> {
    let Some(name) = &args.name else {
        let rows: Vec<Vec<String>> = SCHEMAS
            .iter()
            .map(|(name, about, _)| vec![format!("kdsha.{name}/1"), (*about).to_owned()])
            .collect();
        ui.raw(&rows.iter().map(|row| format!("{:<20}{}\n", row[0], row[1])).collect::<String>());
        return Ok(Exit::Done);
    };
    let plain = name.strip_prefix("kdsha.").unwrap_or(name);
    let plain = plain.strip_suffix("/1").unwrap_or(plain);
    match SCHEMAS.iter().find(|(known, ..)| *known == plain) {
        Some((.., text)) => {
            ui.raw(text);
            Ok(Exit::Done)
        }
        None => Err(Failure::new(Exit::Usage, format!("there is no document `{name}`"))
            .hint("`kdsha schema` lists them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::json;
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema};
    use serde_json::{Value, json};
    use std::path::Path;

    /// The schema of a document: that of its body, which also has the `schema` key.
    fn document<T: JsonSchema>(name: &str) -> Value {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut schema: Schema = generator.into_root_schema_for::<T>();
        let id = format!("kdsha.{name}/1");
        schema.insert("title".to_owned(), json!(id));
        let mut schema = schema.to_value();
        schema["properties"]["schema"] = json!({ "const": id });
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let others = required.into_iter().filter(|key| key != "schema");
        schema["required"] = std::iter::once(json!("schema")).chain(others).collect();
        schema["type"] = json!("object");
        schema
    }

    fn generated(name: &str) -> Value {
        match name {
            "error" => document::<json::ErrorBody<'_>>(name),
            "event" => document::<json::EventBody<'_>>(name),
            "init" => document::<crate::cli::init::show::Document<'_>>(name),
            "plan" => document::<json::PlanBody<'_>>(name),
            "policy" => document::<crate::cli::policy::Document>(name),
            "rehearsal" => document::<crate::cli::rehearse::score::Account<'_>>(name),
            "report" => document::<crate::cli::report::Document<'_>>(name),
            "runs" => document::<crate::cli::runs::Listing>(name),
            "scenarios" => document::<crate::cli::rehearse::score::Scenarios<'_>>(name),
            "status" => document::<json::StatusBody<'_>>(name),
            "verify" => document::<json::VerifyBody<'_>>(name),
            other => panic!("no type is known for {other}"),
        }
    }

    /// `KDSHA_BLESS=1 cargo test schemas` writes them anew.
    #[test]
    fn the_published_schemas_are_those_of_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/schemas");
        for (name, _, published) in SCHEMAS {
            let text = serde_json::to_string_pretty(&generated(name)).expect("JSON") + "\n";
            if std::env::var_os("KDSHA_BLESS").is_some_and(|v| v == "1") {
                std::fs::write(folder.join(format!("{name}.json")), &text).expect("the file can be written");
                continue;
            }
            let advice = "write it anew: KDSHA_BLESS=1 cargo test schemas";
            assert!(text == *published, "src/ui/schemas/{name}.json is out of date; {advice}");
        }
    }

    /// A document that has no schema yet is found by its name in the sources.
    #[test]
    fn the_published_schemas_are_all_there_are() {
        let mut named = std::collections::BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(path).expect("text");
                    let quoted = text.split("\"kdsha.").skip(1).filter_map(|rest| rest.split_once("/1\""));
                    named.extend(
                        quoted
                            .map(|(name, _)| name.to_owned())
                            .filter(|name| !name.contains(['<', '{', ' '])),
                    );
                }
            }
        }
        let published: std::collections::BTreeSet<String> =
            SCHEMAS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(named, published);
    }
}
