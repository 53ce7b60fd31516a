//! Who calls: `u` with `p`, `u` with `t` and `s`, `apiKey`, or a header of HTTP.
//!
//! App passwords are what opens this dialect, in each of these ways. The account's own password is taken as `p` where
//! [`LoginPasswords`] says so; no token can be checked against it, for only its hash is kept. Programs that come with a token of it are told so, by a
//! number upon which DSub goes over to `p`.
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER_PERMISSIVE;

use super::fault::{API_KEY, CONFLICTING, CREDENTIALS, Fault, MISSING, NO_TOKENS};
use super::methods;
use super::params::{Params, letters};
use crate::accounts::{Accounts, AccountsError, Caller};
use crate::facades::App;
use crate::facades::caller::{TriedName, from_own_page, name_and_secret};
use crate::facades::proxies::Front;

/// Where the account's own password may stand in a call, and with it anything that is good as a password elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoginPasswords {
    /// Nowhere.
    Never,
    /// Where nobody on the way can read it.
    #[default]
    Https,
    /// Everywhere.
    Always,
}

impl LoginPasswords {
    fn allow(self, front: &Front) -> bool {
        match self {
            Self::Never => false,
            Self::Https => front.secure,
            Self::Always => true,
        }
    }
}

/// What a call brings.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    Nothing,
    Password {
        name: String,
        secret: String,
    },
    Token {
        name: String,
        token: String,
        salt: String,
    },
    ApiKey(String),
    /// A key of the node's own API, which never stands in an address.
    Bearer(String),
}

impl Brought {
    /// The header counts where the call itself says nothing: some programs send it beside.
    fn by(params: &Params, headers: &HeaderMap) -> Result<Self, Fault> {
        let [user, password, token, salt, key] = ["u", "p", "t", "s", "apiKey"].map(|name| params.one(name));
        let conflict = |what| Err(Fault::new(CONFLICTING, what));
        match (user, password, token.or(salt), key) {
            (None, None, None, Some(key)) => Ok(Self::ApiKey(key.to_owned())),
            (_, _, _, Some(_)) => conflict("apiKey comes without u, p, t and s"),
            (_, Some(_), Some(_), _) => conflict("p comes without t and s"),
            (None, Some(_), None, _) | (None, None, Some(_), _) => Err(Fault::missing("u")),
            (Some(user), Some(password), None, _) => {
                Ok(Self::Password { name: user.to_owned(), secret: plain(password) })
            }
            (Some(user), None, Some(_), _) => {
                let (token, salt) = (params.need("t")?.to_owned(), params.need("s")?.to_owned());
                Ok(Self::Token { name: user.to_owned(), token, salt })
            }
            (user, None, None, _) => match (Self::by_header(headers), user) {
                (Self::Nothing, Some(_)) => Err(Fault::new(MISSING, "p, or t with s, is missing")),
                (brought, _) => Ok(brought),
            },
        }
    }

    fn by_header(headers: &HeaderMap) -> Self {
        let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match told.and_then(|value| value.trim().split_once(' ')) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Self::Bearer(key.trim().to_owned()),
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => match name_and_secret(pair.trim()) {
                Some((name, secret)) => Self::Password { name, secret },
                None => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Password { name, .. } | Self::Token { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// `enc:` and hexadecimal, or as it is. What only looks like it is a password too.
pub(super) fn plain(password: &str) -> String {
    let encoded = password.strip_prefix("enc:").and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
    encoded.map_or_else(|| password.to_owned(), letters)
}

/// Names the caller of the method with this path; nobody where nothing was brought, or where nothing is asked for.
///
/// # Errors
/// The answer to credentials that are wrong, incomplete or too many.
pub(in crate::facades) async fn enter(
    app: &App,
    front: &Front,
    path: &str,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Caller, Response> {
    if methods::of(path).is_some_and(|method| method.right == methods::Right::Anyone) {
        return Ok(Caller::nobody(front.address));
    }
    let brought = Brought::by(params, headers).map_err(IntoResponse::into_response)?;
    // What stands in the call itself no browser adds; a name and password that it keeps for this node it sends by itself.
    let by_itself = matches!(brought, Brought::Password { .. }) && params.one("p").is_none();
    if by_itself && !from_own_page(headers, front) {
        return Err(Fault::forbidden("this call came from another site's page").into_response());
    }
    let entered = admit(app.node().accounts(), app.options().login_passwords, front, &brought).await;
    entered.map_err(|fault| {
        let mut response = fault.into_response();
        if let Some(name) = brought.name() {
            response.extensions_mut().insert(TriedName(name.to_owned()));
        }
        response
    })
}

async fn admit(accounts: &Accounts, rule: LoginPasswords, front: &Front, brought: &Brought) -> Result<Caller, Fault> {
    let address = front.address;
    match brought {
        Brought::Nothing => Ok(Caller::nobody(address)),
        Brought::Bearer(key) => {
            let known = accounts.by_api_key(key, address);
            known.ok_or_else(|| Fault::new(API_KEY, "this API key is not known"))
        }
        Brought::ApiKey(key) => accounts.by_app_password(key, address).ok_or_else(|| {
            let wrong = "this key is not known; the key is an app password, made on the node's page under Account";
            told(accounts.refuse(None, address), API_KEY, wrong)
        }),
        Brought::Token { name, token, salt } => {
            let known = accounts.by_app_token(name, token, salt, address);
            known.ok_or_else(|| {
                let refused = accounts.refuse(Some(name), address);
                match rule.allow(front) {
                    true => told(refused, NO_TOKENS, "tokens are made of app passwords, and this is of none"),
                    false => told(refused, CREDENTIALS, wrong_password(false)),
                }
            })
        }
        Brought::Password { name, secret } => {
            let app = accounts.by_app_password(secret, address).filter(|caller| is_called(caller, name));
            match app {
                Some(caller) => Ok(caller),
                None if rule.allow(front) => {
                    let known = accounts.by_name(name, secret, address).await;
                    known.map_err(|error| told(error, CREDENTIALS, wrong_password(true)))
                }
                None => Err(told(accounts.refuse(Some(name), address), CREDENTIALS, wrong_password(false))),
            }
        }
    }
}

fn is_called(caller: &Caller, name: &str) -> bool {
    caller.account.as_ref().is_some_and(|account| account.name.trim().to_lowercase() == name.trim().to_lowercase())
}

fn wrong_password(login: bool) -> &'static str {
    match login {
        true => "wrong user name or password",
        false => "wrong user name or app password; app passwords are made on the node's page under Account",
    }
}

/// Other failures than of the credentials say so themselves.
fn told(error: AccountsError, code: u16, message: &str) -> Fault {
    match error {
        AccountsError::WrongPassword => Fault::new(code, message),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::facades::proxies::Mount;

    fn brought(query: &str, header: Option<&'static str>) -> Result<Brought, u16> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        Brought::by(&Params::parse(query, ""), &headers).map_err(|fault| fault.code)
    }

    fn password(name: &str, secret: &str) -> Result<Brought, u16> {
        Ok(Brought::Password { name: name.into(), secret: secret.into() })
    }

    #[test]
    fn each_way_is_told_from_the_others_and_two_at_once_conflict() {
        let token = Brought::Token { name: "ada".into(), token: "00".into(), salt: "x".into() };
        for (query, wanted) in [
            ("u=ada&p=secret", password("ada", "secret")),
            ("u=ada&t=00&s=x", Ok(token)),
            ("apiKey=k", Ok(Brought::ApiKey("k".into()))),
            ("", Ok(Brought::Nothing)),
            ("u=ada&p=", Err(MISSING)),
            ("p=x", Err(MISSING)),
            ("t=00&s=x", Err(MISSING)),
            ("u=ada&t=00", Err(MISSING)),
            ("u=ada&s=x", Err(MISSING)),
            ("u=ada", Err(MISSING)),
            ("u=ada&p=x&t=00&s=x", Err(CONFLICTING)),
            ("u=ada&p=x&s=x", Err(CONFLICTING)),
            ("u=ada&apiKey=k", Err(CONFLICTING)),
            ("apiKey=k&p=x", Err(CONFLICTING)),
            ("apiKey=k&t=x", Err(CONFLICTING)),
        ] {
            assert_eq!(brought(query, None), wanted, "{query}");
        }
    }

    #[test]
    fn a_header_is_good_alone_and_no_trouble_beside() {
        // ada:secret
        let basic = Some("Basic YWRhOnNlY3JldA==");
        assert_eq!(brought("", basic), password("ada", "secret"));
        assert_eq!(brought("u=bob&p=other", basic), password("bob", "other"));
        assert_eq!(brought("apiKey=k", basic), Ok(Brought::ApiKey("k".into())));
        assert_eq!(brought("", Some("Basic ???")), Ok(Brought::Nothing));
        assert_eq!(brought("", Some("Bearer pk_x")), Ok(Brought::Bearer("pk_x".into())));
    }

    #[test]
    fn a_password_is_decoded_and_one_that_only_looks_encoded_is_itself() {
        for (told, meant) in [
            ("sesame", "sesame"),
            ("enc:736573616d65", "sesame"),
            ("enc:736573616D65", "sesame"),
            ("enc:c3a9", "é"),
            ("enc:E9", "é"),
            ("enc:zz", "enc:zz"),
            ("enc:7", "enc:7"),
            ("enc:", ""),
        ] {
            assert_eq!(plain(told), meant, "{told}");
        }
    }

    #[test]
    fn login_passwords_are_for_lines_that_nobody_reads() {
        let front = |secure| Front {
            address: "::1".parse().unwrap(),
            secure,
            host: None,
            port: None,
            prefix: String::new(),
            mount: Mount::Node,
            veiled: false,
        };
        let allowed = |rule: LoginPasswords| [false, true].map(|secure| rule.allow(&front(secure)));
        assert_eq!(allowed(LoginPasswords::Never), [false, false]);
        assert_eq!(allowed(LoginPasswords::default()), [false, true]);
        assert_eq!(allowed(LoginPasswords::Always), [true, true]);
    }
}
