//! Signing in and out, and the caller's own account.
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::model::{Account, Login, NewPassword, Problem};
use crate::accounts::{AccountChange, AccountsError, Credential};
use crate::facades::App;
use crate::facades::caller::{COOKIE, TriedName};
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};
use crate::facades::proxies::Front;

/// Signs in: the answer sets the session cookie.
#[utoipa::path(post, path = "/api/v1/login", tag = "account", request_body = Login,
    responses((status = 200, body = Account), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(in crate::facades) async fn login(
    State(app): State<App>,
    Asker(caller): Asker,
    front: Option<Extension<Front>>,
    Json(login): Json<Login>,
) -> Response {
    let secure = front.is_some_and(|Extension(front)| front.secure);
    match app.node().accounts().sign_in(&login.username, &login.password, caller.address).await {
        Ok(signed_in) => {
            let cookie = cookie(&signed_in.token, signed_in.longest.as_secs(), secure);
            let account = Account::from(signed_in.account);
            ([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store())], axum::Json(account)).into_response()
        }
        Err(error) => {
            let mut response = Refusal::from(error).into_response();
            response.extensions_mut().insert(TriedName(login.username));
            response
        }
    }
}

/// Ends the session; its data channels and event streams close.
#[utoipa::path(post, path = "/api/v1/logout", tag = "account",
    responses((status = 204), (status = 401, body = Problem)))]
pub(in crate::facades) async fn logout(
    State(app): State<App>,
    Asker(caller): Asker,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    app.node().accounts().sign_out(&caller).await?;
    let secure = front.is_some_and(|Extension(front)| front.secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0, secure))]).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/account", tag = "account",
    responses((status = 200, body = Account), (status = 401, body = Problem)))]
pub(in crate::facades) async fn show(Asker(caller): Asker) -> Result<axum::Json<Account>, Refusal> {
    caller.account.map(|account| axum::Json(account.into())).ok_or_else(Refusal::unauthenticated)
}

/// Sets another password. All other sessions end, and API keys are revoked.
#[utoipa::path(put, path = "/api/v1/account/password", tag = "account", request_body = NewPassword,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn change_password(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(passwords): Json<NewPassword>,
) -> Result<StatusCode, Refusal> {
    let accounts = app.node().accounts();
    let account = caller.account.as_ref().ok_or_else(Refusal::unauthenticated)?;
    if caller.credential == Credential::Local {
        return Err(AccountsError::NotFound("account behind the local owner").into());
    }
    if caller.is_guest() {
        return Err(Refusal::forbidden("your password is changed at your own node"));
    }
    let proved = accounts.by_name(&account.name, &passwords.old, caller.address).await?;
    if !matches!(proved.credential, Credential::Password(_)) {
        return Err(AccountsError::WrongPassword.into());
    }
    let change = AccountChange { password: Some(passwords.new), ..AccountChange::default() };
    accounts.update(&account.id, change, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `Lax`: a link from elsewhere finds a person signed in; calls that change something are checked besides.
fn cookie(token: &str, seconds: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("a token is base32")
}

fn no_store() -> HeaderValue {
    HeaderValue::from_static("no-store")
}
