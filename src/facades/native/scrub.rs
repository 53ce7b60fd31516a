//! Reading files again, and repairing them.
use axum::extract::{Path, Query, State};

use super::model::{DueFile, DueQuery, Problem, Verdict, VerifyProgress, VerifyQuery};
use super::shapes;
use crate::blocks::Pace;
use crate::content::Cid;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;

const HOUR_MS: i64 = 60 * 60 * 1000;
const MIB: u64 = 1024 * 1024;

/// Our files that can be read again (admin); those that were verified longest ago come first.
#[utoipa::path(get, path = "/api/v1/scrub/due", tag = "status", params(DueQuery),
    responses((status = 200, body = [DueFile]), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(in crate::facades) async fn due(
    State(app): State<App>,
    Query(query): Query<DueQuery>,
) -> Result<axum::Json<Vec<DueFile>>, Refusal> {
    let now = jiff::Timestamp::now().as_millisecond();
    let before = query.older_than_hours.map_or(i64::MAX, |hours| now.saturating_sub(i64::from(hours) * HOUR_MS));
    let files = app.node().catalog().to_verify(before).await?;
    let shown = files.into_iter().map(|file| DueFile {
        item: file.item,
        title: file.title,
        cid: file.cid.to_string(),
        size: file.size,
    });
    Ok(axum::Json(shown.collect()))
}

/// Reads the whole file again and checks every block (admin); what is damaged is repaired from another copy here or a friend's. The
/// answer comes when it is done.
#[utoipa::path(post, path = "/api/v1/items/{id}/verify", tag = "items", params(("id" = String, Path), VerifyQuery),
    responses((status = 200, body = Verdict), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(in crate::facades) async fn verify(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Query(query): Query<VerifyQuery>,
) -> Result<axum::Json<Verdict>, Refusal> {
    let cid = own_file(&app, &id, caller.id()).await?;
    if query.rate_mib == Some(0) {
        return Err(Refusal::invalid("rate_mib: must be at least 1"));
    }
    let pace = Pace { bytes_per_second: query.rate_mib.map(|rate| u64::from(rate) * MIB) };
    let found = app.node().verify(&cid, pace).await?;
    let healed = found.healed.map(|healed| shapes::healed(&app, healed));
    Ok(axum::Json(Verdict { problem: found.problem, healed }))
}

/// How far the reading of a file is that somebody asked for, or that is due (admin).
#[utoipa::path(get, path = "/api/v1/items/{id}/verify", tag = "items", params(("id" = String, Path)),
    responses((status = 200, body = VerifyProgress), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(in crate::facades) async fn verify_progress(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<axum::Json<VerifyProgress>, Refusal> {
    let cid = own_file(&app, &id, caller.id()).await?;
    Ok(axum::Json(VerifyProgress { bytes: app.node().verified_bytes(&cid) }))
}

async fn own_file(app: &App, id: &str, caller: &str) -> Result<Cid, Refusal> {
    let item = app.node().catalog().item(id, caller).await?.item;
    if item.friend.is_some() {
        return Err(Refusal::invalid("this is of a friend's library: only the friend's node can read its file"));
    }
    item.file.and_then(|file| file.cid).ok_or_else(Refusal::not_found)
}
