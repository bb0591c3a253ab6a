//! Smithy RPC v2 CBOR: what the current CloudWatch clients speak. Timestamps are tag 1; doubles are doubles even
//! when they are whole, since clients read them strictly.

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

/// Members of CloudWatch that are timestamps, by the service model `cloudwatch/2010-08-01`.
const TIMESTAMPS: [&str; 4] = ["Timestamp", "Timestamps", "StartTime", "EndTime"];
/// Members that are doubles.
const DOUBLES: [&str; 8] =
    ["Average", "Sum", "Minimum", "Maximum", "SampleCount", "Values", "Value", "Counts"];

/// Reads a request's body. Nothing at all is an empty structure.
pub(super) fn decode(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    value(&mut decoder, 0).map_err(|e| format!("not CBOR: {e}"))
}

type Decoded = Result<Value, minicbor::decode::Error>;

/// Deeper than any request; a body must not overflow the stack.
const DEEPEST: u32 = 64;

fn value(d: &mut Decoder<'_>, depth: u32) -> Decoded {
    if depth > DEEPEST {
        return Err(minicbor::decode::Error::message("nested too deeply"));
    }
    Ok(match d.datatype()? {
        Type::Null | Type::Undefined => {
            d.skip()?;
            Value::Null
        }
        Type::Bool => Value::Bool(d.bool()?),
        Type::F16 => float(f64::from(d.f16()?)),
        Type::F32 => float(f64::from(d.f32()?)),
        Type::F64 => float(d.f64()?),
        Type::String => Value::String(d.str()?.to_owned()),
        Type::StringIndef => {
            let mut text = String::new();
            for part in d.str_iter()? {
                text.push_str(part?);
            }
            Value::String(text)
        }
        Type::Array | Type::ArrayIndef => array(d, depth)?,
        Type::Map | Type::MapIndef => map(d, depth)?,
        Type::Tag => {
            d.tag()?;
            value(d, depth + 1)?
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Value::from(d.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => Value::from(d.i64()?),
        other => return Err(minicbor::decode::Error::message(format!("unexpected {other}"))),
    })
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn array(d: &mut Decoder<'_>, depth: u32) -> Decoded {
    let mut all = Vec::new();
    let mut left = d.array()?;
    while more(d, &mut left)? {
        all.push(value(d, depth + 1)?);
    }
    Ok(Value::Array(all))
}

fn map(d: &mut Decoder<'_>, depth: u32) -> Decoded {
    let mut all = Map::new();
    let mut left = d.map()?;
    while more(d, &mut left)? {
        let key = match value(d, depth + 1)? {
            Value::String(key) => key,
            _ => return Err(minicbor::decode::Error::message("a key is not text")),
        };
        all.insert(key, value(d, depth + 1)?);
    }
    Ok(Value::Object(all))
}

/// Whether another element follows, in a collection of known or of indefinite length.
fn more(d: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, minicbor::decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(n) => {
            *n -= 1;
            Ok(true)
        }
        None if d.datatype()? == Type::Break => {
            d.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Writes an answer's body.
pub(super) fn encode(members: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory cannot fail.
    let _ = write(&mut encoder, "", members);
    encoder.into_writer()
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(e: &mut Encoder<Vec<u8>>, key: &str, value: &Value) -> Written {
    match value {
        Value::Null => e.null()?.ok(),
        Value::Bool(b) => e.bool(*b)?.ok(),
        Value::String(text) => e.str(text)?.ok(),
        Value::Number(number) => write_number(e, key, number),
        Value::Array(all) => {
            e.array(all.len() as u64)?;
            all.iter().try_for_each(|one| write(e, key, one))
        }
        Value::Object(all) => {
            let present: Vec<_> = all.iter().filter(|(_, v)| !v.is_null()).collect();
            e.map(present.len() as u64)?;
            present.into_iter().try_for_each(|(key, one)| {
                e.str(key)?;
                write(e, key, one)
            })
        }
    }
}

fn write_number(e: &mut Encoder<Vec<u8>>, key: &str, number: &Number) -> Written {
    if TIMESTAMPS.contains(&key) {
        e.tag(Tag::new(1))?.f64(number.as_f64().unwrap_or_default())?.ok()
    } else if DOUBLES.contains(&key) {
        e.f64(number.as_f64().unwrap_or_default())?.ok()
    } else if let Some(whole) = number.as_i64() {
        e.i64(whole)?.ok()
    } else {
        e.f64(number.as_f64().unwrap_or_default())?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        let members = json!({"MetricDataResults": [{"Id": "m0", "Timestamps": [1_772_420_400.0], "Values": [3.0],
                             "StatusCode": "Complete"}], "Period": 60, "Flag": true});
        assert_eq!(decode(&encode(&members)), Ok(members));
    }

    #[test]
    fn indefinite_lengths_are_read() {
        // {_ "a": [_ 1, 2], "b": (_ "x", "y")}
        let bytes =
            [0xbf, 0x61, b'a', 0x9f, 0x01, 0x02, 0xff, 0x61, b'b', 0x7f, 0x61, b'x', 0x61, b'y', 0xff, 0xff];
        assert_eq!(decode(&bytes), Ok(json!({"a": [1, 2], "b": "xy"})));
    }

    #[test]
    fn garbage_and_depth_are_errors() {
        assert!(decode(&[0xff]).is_err());
        assert!(decode(&vec![0x81; 10_000]).is_err());
    }
}
