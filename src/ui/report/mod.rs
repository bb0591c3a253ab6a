//! The page for the post-mortem: [`Facts`] laid out once, written as one HTML file or as Markdown.
//!
//! | file | makes |
//! |---|---|
//! | `facts` | what is known of a run; also the JSON |
//! | `sections` | the page: what is said, in which order, as blocks of a `document` |
//! | `chart` | lag and stages over time, as SVG |
//! | `html`, `markdown` | the two forms |

mod chart;
mod document;
mod facts;
mod html;
mod markdown;
mod sections;

pub use facts::{
    AtRisk, Call, Change, Debt, Decision, Facts, Happening, Lag, Requests, StageFact, Standing, StepFact,
};

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One file that needs nothing else.
    Html,
    /// GitHub's dialect.
    Markdown,
}

/// The page.
pub fn page(facts: &Facts, form: Form) -> String {
    let document = sections::document(facts);
    match form {
        Form::Html => html::render(&document),
        Form::Markdown => markdown::render(&document),
    }
}

#[cfg(test)]
mod tests;
