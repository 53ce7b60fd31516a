//! What was refused, for admins.
use axum::extract::State;

use super::model::{AuditLine, AuditQuery, Problem};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Query;

/// The newest refused calls, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "status", params(AuditQuery),
    responses((status = 200, body = Vec<AuditLine>), (status = 403, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<Vec<AuditLine>>, Refusal> {
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let lines = app.node().accounts().audit_lines(limit).await?;
    Ok(axum::Json(lines.into_iter().map(AuditLine::from).collect()))
}
