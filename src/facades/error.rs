//! The only place that knows which failure is which HTTP status. Lower layers have errors of their own; each becomes a
//! [`Refusal`] here, and its body is a [`Problem`].
//!
//! A failure of ours (500) is logged here, where it stops travelling, with all its causes; the caller is told nothing of
//! them. What a caller did wrong is told in full, so that it can be done right.
use std::error::Error;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::native::model::Problem;
use crate::accounts::AccountsError;
use crate::blocks::{BlockError, FetchedError, TakeError};
use crate::catalog::CatalogError;
use crate::exchange::iroh::IrohError;
use crate::exchange::libp2p::Libp2pError;
use crate::exchange::webrtc::WebRtcError;
use crate::friends::FriendsError;
use crate::friends::links::LinksError;
use crate::friends::stand_in::HostError;
use crate::library::move_in::MoveInError;
use crate::media::MediaError;
use crate::node::{CoverError, ListensError, PinsError, WebError};
use crate::playback::PlaybackError;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    word: &'static str,
    message: String,
    retry_after: Option<Duration>,
    denied: bool,
}

/// Marks a response as a denial, for the audit. Holds the stable word.
#[derive(Debug, Clone, Copy)]
pub struct Denied(pub &'static str);

/// What a refusal tells people, for dialects that tell it in another form.
#[derive(Debug, Clone)]
pub struct Told(pub String);

impl Refusal {
    fn new(status: StatusCode, word: &'static str, message: impl Into<String>) -> Self {
        Self { status, word, message: message.into(), retry_after: None, denied: false }
    }

    fn denied(self) -> Self {
        Self { denied: true, ..self }
    }

    /// There is no such thing for this caller.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing here")
    }

    /// It is not here, and was not to be looked for elsewhere: the same for what does not exist for this caller.
    #[must_use]
    pub fn not_kept() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "not_kept", "it is not here")
    }

    /// It is as it is, and that is in the way: what.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// There is no such thing: why.
    #[must_use]
    pub fn absent(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// What cannot be had now, told as what is not there.
    #[must_use]
    pub fn as_absent(self) -> Self {
        let now = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if now { Self { status: StatusCode::NOT_FOUND, word: "not_found", ..self } } else { self }
    }

    /// There is such a thing, but not for this caller, who is told what [`Refusal::not_found`] tells.
    #[must_use]
    pub fn hidden() -> Self {
        Self::not_found().denied()
    }

    /// [`Refusal::not_kept`] of what is here, for others.
    #[must_use]
    pub fn hidden_or_not_kept() -> Self {
        Self::not_kept().denied()
    }

    /// The caller must say who it is.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "sign in first").denied()
    }

    /// The caller is a node that is no friend of this one.
    #[must_use]
    pub fn stranger() -> Self {
        let message = "this node does not know yours; ask its owner for an invite";
        Self::new(StatusCode::UNAUTHORIZED, "unknown_node", message).denied()
    }

    /// The caller may not do this, and may know that it can be done.
    #[must_use]
    pub fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message).denied()
    }

    /// The path is there, the method is not.
    #[must_use]
    pub fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take this method")
    }

    /// What was sent cannot be used: what, and what it may be.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// The body is too long.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body may have at most {limit} bytes"))
    }

    /// The caller asks for too much.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "that is too much at once");
        Self { retry_after: Some(retry_after), ..refusal }
    }

    /// The body did not come in time.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not arrive in time")
    }

    /// The node cannot do it now.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// The node of the friend that holds the item is away: whose, and when to try again.
    /// Others did not answer in time.
    pub fn late(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", message)
    }

    fn friend_off(message: String, retry_after: Duration) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "friend_off", message);
        Self { retry_after: Some(retry_after), ..refusal }
    }

    /// The node of a friend answered with what cannot be passed on.
    #[must_use]
    pub fn friend_answered(name: &str, status: StatusCode) -> Self {
        let message = format!("the node of {name} did not give what was asked for (status {})", status.as_u16());
        Self::new(StatusCode::BAD_GATEWAY, "friend_failed", message)
    }

    /// The node of a friend gave something else than what was asked for: what.
    #[must_use]
    pub fn friend_failed(name: &str, error: &(dyn Error + 'static)) -> Self {
        let message = format!("the node of {name} did not give what was asked for: {error}");
        Self::new(StatusCode::BAD_GATEWAY, "friend_failed", message)
    }

    /// Something is broken on our side. Logged with its causes.
    #[must_use]
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %with_causes(error), "a request could not be answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong inside the node; its log says more",
        )
    }
}

/// An error and its sources in one line.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Problem { error: self.word.to_owned(), message: self.message.clone() };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(Told(self.message));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.denied {
            response.extensions_mut().insert(Denied(self.word));
        }
        response
    }
}

impl From<AccountsError> for Refusal {
    fn from(error: AccountsError) -> Self {
        let message = error.to_string();
        match error {
            AccountsError::WrongPassword => Self::new(StatusCode::UNAUTHORIZED, "wrong_password", message).denied(),
            AccountsError::WrongInvite => Self::new(StatusCode::FORBIDDEN, "wrong_invite", message).denied(),
            AccountsError::TooMany(wait) => {
                let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).denied();
                Self { retry_after: Some(wait), ..refusal }
            }
            AccountsError::Busy => Self { retry_after: Some(Duration::from_secs(2)), ..Self::unavailable(message) },
            AccountsError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            AccountsError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", message),
            AccountsError::Invalid(_) => Self::invalid(message),
            AccountsError::Database(_) | AccountsError::Hash(_) => Self::internal(&error),
        }
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        let message = error.to_string();
        match error {
            CatalogError::NotFound(_) => Self::not_found(),
            CatalogError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", message),
            CatalogError::Invalid(_) => Self::invalid(message),
            CatalogError::Database(_) => Self::internal(&error),
        }
    }
}

impl From<CoverError> for Refusal {
    fn from(error: CoverError) -> Self {
        match error {
            CoverError::NotAPicture => Self::invalid(error.to_string()),
            CoverError::Unreadable(MediaError::Start(_)) | CoverError::Io(_) => Self::internal(&error),
            CoverError::Unreadable(_) => Self::invalid(error.to_string()),
            CoverError::Catalog(error) => error.into(),
        }
    }
}

impl From<ListensError> for Refusal {
    fn from(error: ListensError) -> Self {
        match error {
            ListensError::Token => Self::invalid(error.to_string()),
            ListensError::Status(_) | ListensError::Ask(_) => Self::unavailable(error.to_string()),
            ListensError::Accounts(error) => error.into(),
            ListensError::Catalog(error) => error.into(),
        }
    }
}

impl From<PinsError> for Refusal {
    fn from(error: PinsError) -> Self {
        let message = error.to_string();
        match error {
            PinsError::Invalid(_) | PinsError::Web(WebError::Address(_) | WebError::Private(_)) => {
                Self::invalid(message)
            }
            PinsError::Off | PinsError::Conflict(_) => Self::conflict(message),
            PinsError::Token(_) | PinsError::Funds(..) | PinsError::Refused(..) => {
                Self::new(StatusCode::CONFLICT, "service_refused", message)
            }
            PinsError::Missing(_) => Self::absent(message),
            PinsError::Failed(..) | PinsError::Odd(..) | PinsError::Web(_) => Self::unavailable(message),
            PinsError::Accounts(error) => error.into(),
            PinsError::Catalog(error) => error.into(),
            PinsError::Blocks(error) => error.into(),
            PinsError::Tree(_) => Self::internal(&error),
        }
    }
}

impl From<MoveInError> for Refusal {
    fn from(error: MoveInError) -> Self {
        match error {
            MoveInError::Foreign(error) => Self::invalid(with_causes(&error)),
            MoveInError::Catalog(error) => error.into(),
            MoveInError::Accounts(error) => error.into(),
            MoveInError::Stopping => Self::unavailable("the node is stopping"),
        }
    }
}

impl From<FetchedError> for Refusal {
    fn from(error: FetchedError) -> Self {
        match error {
            FetchedError::NotPinned(_) => Self::absent(error.to_string()),
            FetchedError::TooLarge(_) | FetchedError::Wrong(_) | FetchedError::NoRoot => {
                Self::invalid(error.to_string())
            }
            FetchedError::Full => Self::new(StatusCode::INSUFFICIENT_STORAGE, "full", error.to_string()),
            FetchedError::Stopping => Self::unavailable(error.to_string()),
            FetchedError::Io(_) => Self::internal(&error),
        }
    }
}

impl From<TakeError> for Refusal {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Car(_) | TakeError::Read(_) => Self::invalid(error.to_string()),
            TakeError::Store(error) => error.into(),
        }
    }
}

impl From<BlockError> for Refusal {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::NotFound(_) | BlockError::NotAFile(_) => Self::not_found(),
            BlockError::Changed { .. } => {
                Self::unavailable("the file changed and is being read again; try again in a while")
            }
            BlockError::Damaged { .. } => {
                Self::unavailable("the file holds other bytes than when it was imported, so it is not served")
            }
            BlockError::Cancelled => Self::unavailable("the node is stopping"),
            BlockError::Underived { .. } => {
                tracing::warn!(error = %with_causes(&error), "a derived block could not be made again");
                Self::unavailable(
                    "what this block is part of is not kept any more and could not be made again as it was",
                )
            }
            BlockError::Io(_) | BlockError::Index(_) => Self::internal(&error),
        }
    }
}

impl From<PlaybackError> for Refusal {
    fn from(error: PlaybackError) -> Self {
        match error {
            PlaybackError::NotFound => Self::not_found(),
            PlaybackError::Unsupported(reason) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "needs_transcoding", reason)
            }
            PlaybackError::NotPictures(_) => Self::invalid(error.to_string()),
            PlaybackError::OverLimit => {
                Self::new(StatusCode::FORBIDDEN, "over_limit", PlaybackError::OverLimit.to_string())
            }
            PlaybackError::Busy(wait) => {
                let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", error.to_string());
                Self { retry_after: Some(wait), ..refusal }
            }
            PlaybackError::Transcode(sentence) => Self::unavailable(sentence),
            PlaybackError::Media(MediaError::Start(_)) => Self::internal(&error),
            PlaybackError::Media(_) | PlaybackError::Fmp4(_) => {
                tracing::warn!(error = %with_causes(&error), "a file could not be repackaged");
                Self::unavailable("the file could not be repackaged; the node's log says why")
            }
            PlaybackError::Blocks(error) => error.into(),
        }
    }
}

impl From<WebRtcError> for Refusal {
    fn from(error: WebRtcError) -> Self {
        let message = error.to_string();
        match error {
            WebRtcError::Offer(_) => Self::invalid(message),
            WebRtcError::Full => Self { retry_after: Some(Duration::from_secs(10)), ..Self::unavailable(message) },
            WebRtcError::Stopped => Self::unavailable(message),
        }
    }
}

impl From<FriendsError> for Refusal {
    fn from(error: FriendsError) -> Self {
        let message = error.to_string();
        match error {
            FriendsError::Off { retry, .. } => Self::friend_off(message, retry),
            FriendsError::Distrusted { retry, .. } => {
                Self { word: "friend_distrusted", ..Self::friend_off(message, retry) }
            }
            FriendsError::Unlinked => Self::unavailable(message),
        }
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        let message = error.to_string();
        match error {
            HostError::Seal(_) => Self::new(StatusCode::FORBIDDEN, "forged", message).denied(),
            HostError::NotHosted => Self::forbidden(&message),
            HostError::Nonsense(_) => Self::invalid(message),
            HostError::Accounts(error) => error.into(),
            HostError::Catalog(error) => error.into(),
        }
    }
}

impl From<Libp2pError> for Refusal {
    fn from(error: Libp2pError) -> Self {
        let message = error.to_string();
        match error {
            Libp2pError::Address(_) => Self::invalid(message),
            Libp2pError::Unreachable(_) => Self::new(StatusCode::BAD_GATEWAY, "unreachable", message),
            Libp2pError::Start(_) | Libp2pError::Routing(_) | Libp2pError::Stopped => Self::unavailable(message),
        }
    }
}

impl From<LinksError> for Refusal {
    fn from(error: LinksError) -> Self {
        let message = error.to_string();
        match error {
            LinksError::Code(_) | LinksError::OwnInvite | LinksError::Lifetime => Self::invalid(message),
            LinksError::Expired | LinksError::Refused(_) => Self::new(StatusCode::CONFLICT, "refused", message),
            LinksError::Iroh(IrohError::Start(_)) => Self::internal(&error),
            LinksError::Nonsense | LinksError::Iroh(_) => Self::unavailable(message),
            LinksError::Accounts(error) => error.into(),
        }
    }
}

impl From<PathRejection> for Refusal {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}
