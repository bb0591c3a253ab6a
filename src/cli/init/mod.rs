//! `kdsha init`: writes `kdsha.toml` by looking at the account.
//!
//! ```text
//! Regions -> survey of both (reads) -> discover (pure) -> what is open is asked -> aliases, the sink's attribute (reads)
//!         -> the file's text, read back by the loader -> written whole or not at all -> verify
//! ```

mod ask;
mod file;
pub(super) mod show;

use super::args::{Global, InitArgs, Mode};
use super::failure::Failure;
use crate::aws::{ConnectOptions, Surveyor};
use crate::config::{Regions, Remarks, Sink, StandbyMode, Topology};
use crate::model::{Clock, Exit, FailureKind, Observed, PipelineName, Region, RegionSurvey, Side, Survey};
use crate::plan::discover::{Evidence, Found, FoundPipeline, Open, Wishes, standby_candidates};
use crate::ui::Ui;
use ask::Asker;
use std::path::PathBuf;

/// Looks, asks, writes. Gives the file that was written; none for a dry run.
///
/// # Errors
/// When the file is there already, when nothing can be found, or when what is open cannot be asked.
pub async fn run(ui: &Ui, global: &Global, args: &InitArgs) -> Result<Option<PathBuf>, Failure> {
    let path = file::target(global);
    if !args.dry_run {
        file::refuse_to_overwrite(&path, args.force)?;
    }
    let mut asker = Asker::new(ui, &path);
    let looked = look(ui, global, args, &mut asker).await?;
    let mut found = asker.settle(&looked.regions, &looked.survey, wishes(global, args))?;
    check_wishes(global, args, &found)?;
    let mut remarks = Remarks { head: looked.head(), ..Remarks::default() };
    for one in &mut found.pipelines {
        complete(&looked, args, one).await;
        remark(one, &mut remarks);
    }
    let topology = topology(&looked, &found);
    let text = file::text(&topology, &remarks, &path)?;
    if !args.dry_run {
        file::write(&path, &text, args.force)?;
    }
    show::found(ui, &looked, &found, &text, (!args.dry_run).then_some(path.as_path()));
    Ok((!args.dry_run).then_some(path))
}

/// What was looked at.
struct Looked {
    surveyor: Surveyor,
    regions: Regions,
    /// How the standby Region is known.
    standby_because: String,
    survey: Survey,
}

impl Looked {
    fn head(&self) -> Vec<String> {
        let account = match &self.survey.identity {
            Observed::Known(identity) => format!("account {}", identity.account),
            Observed::Unknown(_) => "the account".to_owned(),
        };
        vec![
            format!(
                "Written by `kdsha init` from what {account} holds. Read it once and correct what is wrong;"
            ),
            "`kdsha verify` then says whether a failover could run.".to_owned(),
            format!("The standby Region: {}.", self.standby_because),
        ]
    }
}

async fn look(ui: &Ui, global: &Global, args: &InitArgs, asker: &mut Asker) -> Result<Looked, Failure> {
    let primary = primary(global, args, asker).await?;
    let options = ConnectOptions { profile: global.profile.clone(), ..ConnectOptions::new(primary.clone()) };
    let surveyor = Surveyor::connect(options, Clock::local()).await?;
    ui.note(&format!("looking at {primary}"));
    let (identity, here) = tokio::join!(surveyor.identify(&primary), surveyor.survey(&primary));
    if let Some(reason) = identity.reason().filter(|reason| reason.kind == FailureKind::Credentials) {
        return Err(Failure::new(Exit::Usage, reason.text.clone())
            .hint("renew the credentials, or choose others with --profile"));
    }
    let (standby, standby_because) = standby(args, asker, &here)?;
    let regions = Regions { primary, standby };
    surveyor.check_endpoints(&regions)?;
    ui.note(&format!("looking at {}", regions.standby));
    let there = surveyor.survey(&regions.standby).await;
    let survey = Survey { identity, primary: here, standby: there };
    Ok(Looked { surveyor, regions, standby_because, survey })
}

async fn primary(global: &Global, args: &InitArgs, asker: &mut Asker) -> Result<Region, Failure> {
    if let Some(region) = &args.primary {
        return Ok(region.clone());
    }
    let default = crate::aws::default_region(global.profile.as_deref()).await;
    match default.filter(|region| args.standby.as_ref() != Some(region)) {
        Some(region) => Ok(region),
        None => asker.region("In which Region do the pipelines belong?", "--primary REGION", None),
    }
}

/// The standby Region, and how it is known.
fn standby(args: &InitArgs, asker: &mut Asker, here: &RegionSurvey) -> Result<(Region, String), Failure> {
    let primary = &here.region;
    if let Some(region) = &args.standby {
        return match region == primary {
            true => {
                let message = format!("{region} cannot be both the primary and the standby Region");
                Err(Failure::new(Exit::Usage, message).hint("say which: --primary REGION --standby REGION"))
            }
            false => Ok((region.clone(), "as --standby says".to_owned())),
        };
    }
    // Without the lists nothing can be told, least of all that no function names a Region.
    if let Err(open @ Open::Unread(_)) = readable(here) {
        return Err(ask::unread(&open));
    }
    match &standby_candidates(here)[..] {
        [(region, candidate)] => Ok((region.clone(), candidate.because.clone())),
        [] => {
            let region = asker.region("To which Region do they go?", "--standby REGION", Some(primary))?;
            Ok((region, "as it was typed in".to_owned()))
        }
        several => {
            let chosen = asker.one_of("To which Region do the pipelines go?", "--standby REGION", several)?;
            Ok((chosen.0.clone(), chosen.1.because.clone()))
        }
    }
}

fn readable(here: &RegionSurvey) -> Result<(), Open> {
    let reasons = [here.mappings.reason(), here.functions.reason(), here.streams.reason()];
    let unread: Vec<String> = reasons.into_iter().flatten().map(|reason| reason.text.clone()).collect();
    if unread.is_empty() { Ok(()) } else { Err(Open::Unread(unread)) }
}

fn wishes(global: &Global, args: &InitArgs) -> Wishes {
    Wishes {
        streams: args.streams.clone(),
        names: global.pipelines.clone(),
        consumers: args.consumers.clone(),
        replicators: args.replicators.clone(),
        no_replicator: args.no_replicator,
        producers: args.producers.clone(),
        region_variables: args.region_variables.clone(),
        stream_variables: args.stream_variables.clone(),
        tables: args.tables.clone(),
        mode: args.standby_mode.map(|mode| match mode {
            Mode::Cold => StandbyMode::Cold,
            Mode::Warm => StandbyMode::Warm,
        }),
        answers: Default::default(),
    }
}

/// Everything that was asked for has to be there, and something has to be.
fn check_wishes(global: &Global, args: &InitArgs, found: &Found) -> Result<(), Failure> {
    let count = found.pipelines.len();
    let reasons = || found.left_out.iter().map(|left| format!("{}: {}", left.what, left.why));
    let with_reasons = |failure: Failure| reasons().fold(failure, Failure::hint);
    if count == 0 {
        let message =
            "no pipeline was found: no stream with a twin in the other Region has a consumer and a producer";
        let failure = with_reasons(Failure::new(Exit::Blocked, message));
        return Err(failure.hint("the README has a commented kdsha.toml to fill in by hand"));
    }
    if count < args.streams.len() {
        let message = "not every stream that --stream names is a pipeline's";
        return Err(with_reasons(Failure::new(Exit::Blocked, message)));
    }
    match global.pipelines.get(count) {
        Some(name) => {
            let names: Vec<&str> =
                found.pipelines.iter().map(|p| p.pipeline.stream.primary.as_str()).collect();
            let message = format!("--pipeline {name} names one more than there are: {}", names.join(", "));
            Err(Failure::new(Exit::Usage, message)
                .hint("--pipeline names them in the order of their streams"))
        }
        None => Ok(()),
    }
}

/// What only further reads can tell: the aliases of the producers, the attribute of the table.
async fn complete(looked: &Looked, args: &InitArgs, one: &mut FoundPipeline) {
    for producer in &one.pipeline.producers {
        let (function, region) = (&producer.function, looked.regions.of(producer.side));
        match looked.surveyor.aliases(region, function).await {
            Observed::Known(names) if names.is_empty() => {}
            Observed::Known(names) => one.doubts.push(format!(
                "{function} has aliases ({}); where it is invoked through one, set `alias`",
                names.join(", ")
            )),
            Observed::Unknown(reason) => {
                one.doubts.push(format!("the aliases of {function} are not known: {}", reason.text));
            }
        }
    }
    let Some(table) = &one.table else { return };
    let attribute = match &args.region_attribute {
        Some(name) => Ok((name.clone(), "as --region-attribute says".to_owned())),
        None => attribute(looked, &table.name).await,
    };
    match attribute {
        Ok((region_attribute, because)) => {
            one.evidence.push(Evidence {
                part: "sink",
                name: table.name.clone(),
                because: format!("{}; attribute {region_attribute}: {because}", table.because),
            });
            one.pipeline.sink = Some(Sink { table: table.name.clone(), region_attribute });
        }
        Err(why) => {
            one.doubts.push(format!("table {} is not a sink: {why}; --region-attribute NAME", table.name))
        }
    }
}

/// The attribute that names Regions: in the primary's table, else in the standby's.
async fn attribute(looked: &Looked, table: &str) -> Result<(String, String), String> {
    let mut why = String::new();
    for side in [Side::Primary, Side::Standby] {
        let region = looked.regions.of(side);
        match looked.surveyor.region_attribute(region, table, &looked.regions).await {
            Observed::Known(Some(name)) => return Ok((name, format!("holds Regions in {region}"))),
            Observed::Known(None) => {
                why = "no attribute of the items that were looked at holds Regions".to_owned()
            }
            Observed::Unknown(reason) => why = reason.text,
        }
    }
    Err(why)
}

/// The evidence and the doubts as comments of the file.
fn remark(one: &FoundPipeline, remarks: &mut Remarks) {
    let name: PipelineName = one.pipeline.name.clone();
    let known = one.evidence.iter().map(|e| format!("{} {}: {}", e.part, e.name, e.because));
    let doubts = one.doubts.iter().map(|doubt| format!("LOOK AT THIS: {doubt}"));
    remarks.pipelines.insert(name.clone(), known.chain(doubts).collect());
    let spare = one.spare.iter().flat_map(file::spare).collect::<Vec<String>>();
    if !spare.is_empty() {
        remarks.spare.insert(name, spare);
    }
}

fn topology(looked: &Looked, found: &Found) -> Topology {
    Topology {
        account: looked.survey.identity.known().map(|identity| identity.account.clone()),
        pipelines: found.pipelines.iter().map(|one| one.pipeline.clone()).collect(),
        ..Topology::of_regions(looked.regions.clone())
    }
}
