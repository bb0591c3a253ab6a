//! DynamoDB: tables and items.

use super::super::clock::seconds;
use super::super::replication::Key;
use super::super::streams::Status;
use super::super::tables::{Attributes, Item, Table, TableId};
use super::{At, Input, World, empty, put};
use crate::model::Arn;
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Map, Value, json};

impl World {
    pub(super) fn dynamodb(&mut self, at: At, operation: &str, input: Input) -> Option<ApiResult> {
        Some(match operation {
            "CreateTable" => self.create_table_call(at, input),
            "DeleteTable" => self.delete_table(at, input),
            "DescribeTable" => self.describe_table_call(at, input),
            "ListTables" => self.list_tables(at, input),
            "PutItem" => self.put_item(at, input),
            "GetItem" => self.get_item(at, input),
            "DeleteItem" => self.delete_item(at, input),
            "Scan" => self.scan(at, input),
            "Query" => self.query(at, input),
            _ => return None,
        })
    }

    fn create_table_call(&mut self, at: At, input: Input) -> ApiResult {
        let name = input.text("TableName").unwrap_or_default();
        if self.places[at.place.0].tables.contains_key(name) {
            let text = format!("Table already exists: {name}");
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        let attribute = |key: &Value| Some(key.get("AttributeName")?.as_str()?.to_owned());
        let keys: Vec<String> = input.list("KeySchema").iter().filter_map(attribute).collect();
        if keys.is_empty() || keys.len() > 2 {
            return Err(validation("KeySchema must have one or two attributes."));
        }
        let copy = |name: &str| input.get(name).cloned().unwrap_or_else(|| json!([]));
        let id = self.create_table(at.place, name, keys, copy("KeySchema"), copy("AttributeDefinitions"));
        Ok(ApiReply::ok(json!({ "TableDescription": self.describe_table(&self.tables[id.0]) })))
    }

    /// The table in any state; TableName may be an ARN.
    fn table_of(&self, at: At, input: Input) -> Result<TableId, ApiError> {
        let text = input.text("TableName").unwrap_or_default();
        let arn = Arn::new(text);
        let name = arn.resource().strip_prefix("table/").unwrap_or(text);
        self.places[at.place.0].tables.get(name).copied().ok_or_else(|| {
            ApiError::new(
                400,
                "ResourceNotFoundException",
                format!("Requested resource not found: Table: {name} not found"),
            )
        })
    }

    /// The table, if it answers reads and writes.
    fn open_table(&self, at: At, input: Input) -> Result<TableId, ApiError> {
        let not_found = || ApiError::new(400, "ResourceNotFoundException", "Requested resource not found");
        let id = self.table_of(at, input).map_err(|_| not_found())?;
        if self.tables[id.0].is_open() { Ok(id) } else { Err(not_found()) }
    }

    fn delete_table(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.table_of(at, input)?;
        let until = self.now + self.delays.table.draw(&mut self.rng);
        let table = &mut self.tables[id.0];
        (table.status, table.until) = (Status::Deleting, Some(until));
        if let Some(other) = table.replica.take() {
            self.tables[other.0].replica = None;
        }
        self.due(until);
        Ok(ApiReply::ok(json!({ "TableDescription": self.describe_table(&self.tables[id.0]) })))
    }

    fn describe_table_call(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.table_of(at, input)?;
        Ok(ApiReply::ok(json!({ "Table": self.describe_table(&self.tables[id.0]) })))
    }

    fn describe_table(&self, table: &Table) -> Value {
        let mut output = json!({
            "TableName": table.name,
            "TableArn": table.arn,
            "TableId": table.id,
            "TableStatus": table.status.as_str(),
            "CreationDateTime": seconds(table.created),
            "KeySchema": table.key_schema,
            "AttributeDefinitions": table.attribute_definitions,
            "ItemCount": table.items.len(),
            "TableSizeBytes": 64 * table.items.len(),
            "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
            "DeletionProtectionEnabled": false,
            "WarmThroughput": {
                "ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE",
            },
            "ProvisionedThroughput": {
                "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0,
            },
        });
        if let Some(replica) = table.replica {
            let region = &self.places[self.tables[replica.0].place.0].region;
            output["GlobalTableVersion"] = json!("2019.11.21");
            output["Replicas"] = json!([{ "RegionName": region.as_str(), "ReplicaStatus": "ACTIVE" }]);
        }
        output
    }

    fn list_tables(&mut self, at: At, input: Input) -> ApiResult {
        let after = input.text("ExclusiveStartTableName").unwrap_or_default();
        let most = input.count("Limit").unwrap_or(100).max(1) as usize;
        let names: Vec<&String> =
            self.places[at.place.0].tables.keys().filter(|name| name.as_str() > after).collect();
        let mut output = Map::new();
        let last = names.get(most - 1).filter(|_| names.len() > most);
        put(&mut output, "LastEvaluatedTableName", last.map(|name| (*name).clone()));
        put(&mut output, "TableNames", Some(json!(names.iter().take(most).collect::<Vec<_>>())));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn put_item(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_table(at, input)?;
        let item = input.map("Item").cloned().unwrap_or_default();
        let key = self.tables[id.0].key_of(&item).ok_or_else(|| {
            validation("One or more parameter values were invalid: Missing a key of the table in the item")
        })?;
        let written = self.now;
        self.write_item(
            id,
            Key::Text(key),
            Item { written, record: None, attributes: Attributes::Document(item) },
        );
        empty()
    }

    fn get_item(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_table(at, input)?;
        let table = &self.tables[id.0];
        let key = self.key_in(table, input, "Key")?;
        let wanted = Projection::read(input);
        let item = table.items.get(&key).map(|item| Value::Object(wanted.of(self.item(table, item))));
        let mut output = Map::new();
        put(&mut output, "Item", item);
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn delete_item(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_table(at, input)?;
        let key = self.key_in(&self.tables[id.0], input, "Key")?;
        self.tables[id.0].items.remove(&key);
        empty()
    }

    fn key_in(&self, table: &Table, input: Input, member: &str) -> Result<String, ApiError> {
        let key = input.map(member).and_then(|key| table.key_of(key));
        key.ok_or_else(|| validation("The provided key element does not match the schema"))
    }

    fn item(&self, table: &Table, item: &Item) -> Map<String, Value> {
        item.to_json(&table.region_attribute, |place| self.places[place.0].region.to_string())
    }

    fn scan(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_table(at, input)?;
        self.page_of(id, input, |_| true)
    }

    /// Query by key: every `NAME = :VALUE` of KeyConditionExpression must hold.
    fn query(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_table(at, input)?;
        let expression = input.text("KeyConditionExpression").unwrap_or_default();
        let names = Projection::names(input);
        let mut conditions = Vec::new();
        for condition in expression.replace(" and ", " AND ").split(" AND ") {
            let (name, value) = condition.split_once('=').ok_or_else(|| {
                validation("The sandbox plays key conditions of the form NAME = :VALUE only")
            })?;
            let name = name.trim();
            let value = input.within("ExpressionAttributeValues").get(value.trim()).ok_or_else(|| {
                validation("Invalid KeyConditionExpression: An expression attribute value is not defined")
            })?;
            conditions.push((names.get(name).cloned().unwrap_or_else(|| name.to_owned()), value.clone()));
        }
        self.page_of(id, input, |item| conditions.iter().all(|(name, value)| item.get(name) == Some(value)))
    }

    fn page_of(&self, id: TableId, input: Input, wanted: impl Fn(&Map<String, Value>) -> bool) -> ApiResult {
        let table = &self.tables[id.0];
        let after = match input.get("ExclusiveStartKey") {
            None => None,
            Some(_) => Some(self.key_in(table, input, "ExclusiveStartKey")?),
        };
        let most = input.count("Limit").map_or(usize::MAX, |n| n.max(1) as usize);
        let projection = Projection::read(input);
        let rest = table.items.iter().filter(|(key, _)| after.as_ref().is_none_or(|a| *key > a));
        let mut found = rest.map(|(_, item)| self.item(table, item)).filter(|item| wanted(item));
        let page: Vec<Map<String, Value>> = found.by_ref().take(most).collect();
        let mut output = Map::new();
        put(&mut output, "Count", Some(page.len()));
        put(&mut output, "ScannedCount", Some(page.len()));
        if found.next().is_some()
            && let Some(last) = page.last()
        {
            let key = last.iter().filter(|(name, _)| table.keys.contains(name));
            let key: Map<String, Value> = key.map(|(k, v)| (k.clone(), v.clone())).collect();
            put(&mut output, "LastEvaluatedKey", Some(Value::Object(key)));
        }
        let items: Vec<Value> = page.into_iter().map(|item| Value::Object(projection.of(item))).collect();
        if input.text("Select") != Some("COUNT") {
            put(&mut output, "Items", Some(items));
        }
        Ok(ApiReply::ok(Value::Object(output)))
    }
}

/// ProjectionExpression with its names put in; empty: everything.
struct Projection(Vec<String>);

impl Projection {
    fn names(input: Input) -> std::collections::BTreeMap<String, String> {
        input.strings("ExpressionAttributeNames")
    }
    fn read(input: Input) -> Projection {
        let names = Projection::names(input);
        let parts = input.text("ProjectionExpression").unwrap_or_default().split(',');
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        Projection(parts.map(|part| names.get(part).cloned().unwrap_or_else(|| part.to_owned())).collect())
    }
    fn of(&self, item: Map<String, Value>) -> Map<String, Value> {
        match self.0.is_empty() {
            true => item,
            false => item.into_iter().filter(|(name, _)| self.0.contains(name)).collect(),
        }
    }
}

fn validation(text: &str) -> ApiError {
    ApiError::new(400, "ValidationException", text)
}
