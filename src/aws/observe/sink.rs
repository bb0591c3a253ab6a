//! Where the result lands: a bounded sample of a DynamoDB table, counted by the Region that wrote each item.

use super::look::{Look, Read};
use crate::aws::pacer::Family;
use crate::config::Sink;
use crate::model::{AwsFailure, SinkView};
use std::collections::BTreeMap;

const SCAN: &str = "dynamodb:Scan";
/// Items a page and pages: a look costs the table at most 1,000 items' worth of reads.
const PAGE: i32 = 250;
const MOST_PAGES: u32 = 4;
/// Under this an item is counted that does not have the attribute.
const MISSING: &str = "(no region)";

/// Samples the table in the look's Region. `depth` is the place of its first call in the chain.
pub(super) async fn sample(look: &Look<'_>, sink: &Sink, depth: u32) -> Result<SinkView, AwsFailure> {
    let mut view =
        SinkView { region: look.at.region.clone(), items: 0, is_sample: false, by_region: BTreeMap::new() };
    let mut after = None;
    for page in 0..MOST_PAGES {
        let request = look
            .at
            .dynamodb()
            .scan()
            .table_name(&sink.table)
            .limit(PAGE)
            .projection_expression("#region")
            .expression_attribute_names("#region", &sink.region_attribute)
            .set_exclusive_start_key(after);
        let answer =
            look.ask(Read::needed(depth + page, Family::Roomy, SCAN, &sink.table), request.send()).await?;
        for item in answer.items() {
            let region = item.get(&sink.region_attribute).and_then(|value| value.as_s().ok());
            let region = region.map_or(MISSING, String::as_str).to_owned();
            *view.by_region.entry(region).or_default() += 1;
            view.items += 1;
        }
        after = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if after.is_none() {
            return Ok(view);
        }
    }
    view.is_sample = true;
    Ok(view)
}
