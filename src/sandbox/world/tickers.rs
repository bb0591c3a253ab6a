//! The post's payload: stock tickers with prices.

use super::ledger::RecordId;
use std::fmt::Write;

/// The symbols of the traffic; they are the partition keys and the keys of the table.
pub(super) const TICKERS: [&str; 40] = [
    "AAPL", "ABBV", "ADBE", "AMD", "AMGN", "AMZN", "AVGO", "BAC", "BKNG", "CAT", "COST", "CRM", "CSCO", "CVX",
    "DIS", "GE", "GOOG", "HD", "HON", "IBM", "INTC", "INTU", "JNJ", "JPM", "KO", "MCD", "META", "MRK", "MSFT",
    "NFLX", "NKE", "NVDA", "ORCL", "PEP", "PFE", "QCOM", "TSLA", "TXN", "V", "WMT",
];

/// One price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticker {
    index: u16,
    cents: u32,
}

impl Ticker {
    /// Any symbol at any price.
    pub fn draw(rng: &mut fastrand::Rng) -> Ticker {
        Ticker { index: rng.u16(..TICKERS.len() as u16), cents: rng.u32(1_000..50_000) }
    }
    pub fn index(self) -> usize {
        usize::from(self.index)
    }
    pub fn symbol(self) -> &'static str {
        TICKERS[self.index()]
    }
    pub fn price(self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
    /// The record's data. The id lets whoever copies the data be recognised as copying this record.
    pub fn to_json(self, id: RecordId) -> String {
        let mut text = String::with_capacity(72);
        // Writing to a string cannot fail.
        let _ = write!(text, r#"{{"ticker":"{}","price":{},"id":"{id}"}}"#, self.symbol(), self.price());
        text
    }
}
