//! The sink: a bounded scan of its table in the active Region, of the one attribute that names the Region.

use super::Look;
use crate::aws::errors::Asked;
use crate::model::{AwsFailure, Observed, PipelineName, PipelineView, Region, Side, SinkView};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::{BTreeMap, HashMap};

/// Items a page and pages a look: enough to see who writes, cheap enough for any table.
const ITEMS_A_PAGE: i32 = 500;
const MOST_PAGES: u32 = 4;

impl Look<'_> {
    /// Reads the sinks of the pipelines that have one.
    pub(super) async fn sinks(&self, pipelines: &mut BTreeMap<PipelineName, PipelineView>) {
        for pipeline in self.pipelines() {
            let (Some(sink), Some(view)) = (&pipeline.sink, pipelines.get_mut(&pipeline.name)) else {
                continue;
            };
            let side = self.active(view);
            let seen = self.scan(side, &sink.table, &sink.region_attribute).await;
            view.sink = Some(Observed::from(seen));
        }
    }

    /// Where the producers write; the standby where that is not known.
    fn active(&self, view: &PipelineView) -> Side {
        let value = view.producers.first().and_then(|p| p.region_value.known()?.as_deref());
        let region = value.and_then(|text| text.parse::<Region>().ok());
        region.and_then(|region| self.topology.regions.side_of(&region)).unwrap_or(Side::Standby)
    }

    async fn scan(&self, side: Side, table: &str, attribute: &str) -> Result<SinkView, AwsFailure> {
        let clients = self.aws.clients(side);
        let asked = Asked { operation: "dynamodb:Scan", resource: table, region: &clients.region };
        let mut view = SinkView {
            region: clients.region.clone(),
            items: 0,
            is_sample: false,
            by_region: BTreeMap::new(),
        };
        let mut from: Option<HashMap<String, AttributeValue>> = None;
        for page in 0..MOST_PAGES {
            let call = clients
                .dynamodb
                .scan()
                .table_name(table)
                .limit(ITEMS_A_PAGE)
                .projection_expression("#region")
                .expression_attribute_names("#region", attribute)
                .set_exclusive_start_key(from.take());
            let output = self.ask(asked, 2 + page, call.send()).await?;
            for item in output.items() {
                view.items += 1;
                if let Some(AttributeValue::S(region)) = item.get(attribute) {
                    *view.by_region.entry(region.clone()).or_default() += 1;
                }
            }
            match output.last_evaluated_key() {
                Some(key) => from = Some(key.clone()),
                None => return Ok(view),
            }
        }
        view.is_sample = true;
        Ok(view)
    }
}
