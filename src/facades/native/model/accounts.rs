//! Accounts, sign-in, API keys and the audit trail.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `POST /login`.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// Not case-sensitive. Of somebody whose own node is a friend's: `name@home`, or the name where only one home has it.
    pub username: String,
    /// In the clear: TLS or the owner's proxy protects it.
    pub password: String,
}

/// Who is signed in: `GET /account`, and the answer to `POST /login`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// UUID.
    pub id: String,
    /// As shown.
    pub name: String,
    /// May change libraries, accounts and settings, and sees paths.
    pub admin: bool,
    /// Libraries it may see; absent for all of them.
    pub libraries: Option<Vec<String>>,
    /// Bits a second that a film may have for it, picture and sound; absent without a limit.
    pub max_bit_rate: Option<u64>,
    /// Of a guest: the friend whose node is its home. What it may do is decided there.
    pub home: Option<String>,
}

/// `POST /accounts` (admin).
#[derive(Deserialize, ToSchema)]
pub struct NewAccount {
    /// 1 to 64 characters.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
    #[serde(default)]
    pub admin: bool,
    /// Absent: all libraries.
    pub libraries: Option<Vec<String>>,
    /// Bits a second at most; absent: no limit.
    pub max_bit_rate: Option<u64>,
}

/// `PATCH /accounts/{id}` (admin). What is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
pub struct AccountChange {
    pub name: Option<String>,
    /// Signs the account out everywhere and revokes its API keys and app passwords.
    pub password: Option<String>,
    /// The last admin stays one.
    pub admin: Option<bool>,
    /// `null` for all libraries.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub libraries: Option<Option<Vec<String>>>,
    /// `null` for no limit.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_bit_rate: Option<Option<u64>>,
}

/// `PUT /account/password`: of the caller.
#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    /// The one until now.
    pub old: String,
    /// At least 8 characters. Other sessions end; API keys and app passwords are revoked.
    pub new: String,
}

/// A refused call: `GET /audit` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// Unix milliseconds.
    pub at: i64,
    /// Name of the account, or the name that was tried.
    pub account: Option<String>,
    /// Where it came from.
    pub address: String,
    pub method: String,
    pub path: String,
    /// HTTP status of the refusal.
    pub status: u16,
    /// Why, in a stable word.
    pub reason: String,
}

/// Query of `GET /audit`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// 1 to 1000, default 100.
    pub limit: Option<u32>,
}

/// `POST /api-keys`.
#[derive(Deserialize, ToSchema)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
}

/// `GET /api-keys`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub used_at: Option<i64>,
    /// The secret: only in the answer to `POST`, never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// `POST /app-passwords`.
#[derive(Deserialize, ToSchema)]
pub struct NewAppPassword {
    /// Which program on which device it is for: 1 to 64 characters.
    pub name: String,
}

/// `GET /app-passwords`: what a program of the account's signs in with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AppPassword {
    pub id: String,
    pub name: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds, within ten minutes.
    pub used_at: Option<i64>,
    /// The password: in the answers to `POST` and to `GET /app-passwords/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
