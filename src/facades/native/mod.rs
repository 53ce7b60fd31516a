//! Potluck's own JSON API under `/api/v1`.
pub mod model;
