//! Signing in and out, and recognising callers by what they bring.
use std::net::IpAddr;
use std::time::Duration;

use super::credentials::{TokenHash, random_token};
use super::directory::{Directory, Person, Session, name_key};
use super::{Account, Accounts, AccountsError, Caller, Credential, foreign_password, friends, record};

/// How often a session's time of last use is moved on: often enough to slide, seldom enough to cost nothing.
const TOUCH_MS: i64 = 10 * 60 * 1_000;

/// A reading program's session ends after this long without a request.
const READER_IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
/// What a program remembers its account by is good for this long.
const REMEMBERED: Duration = Duration::from_secs(365 * 24 * 3600);

/// For what a session is. Its token opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// The page.
    Page,
    /// A reading program, which got its token by a call with a password or a key.
    Reader,
    /// The token with which such a program begins another session by itself.
    Remembered,
}

impl SessionKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Reader => "reader",
            Self::Remembered => "remembered",
        }
    }

    /// What is not known is a session for the least.
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "page" => Self::Page,
            "remembered" => Self::Remembered,
            _ => Self::Reader,
        }
    }
}

/// A new session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The secret for the cookie: here and never again.
    pub token: String,
    /// How long a browser should keep it. The session itself ends earlier when it is not used.
    pub longest: Duration,
    /// Whose it is.
    pub account: Account,
}

impl Accounts {
    /// Checks name and password and begins a session.
    ///
    /// # Errors
    /// [`AccountsError::WrongPassword`], [`AccountsError::TooMany`] after too many of them, [`AccountsError::Busy`].
    pub async fn sign_in(&self, name: &str, password: &str, address: IpAddr) -> Result<SignedIn, AccountsError> {
        let (account, _) = self.check_password(name, password, address).await?;
        self.begin(SessionKind::Page, account, None).await
    }

    /// Begins a session of a reading program for a caller that came with a password, an API key or what it was remembered by. One
    /// that was begun with a key ends with it.
    ///
    /// # Errors
    /// [`AccountsError::WrongPassword`] where the account or the key went meanwhile, [`AccountsError::NotFound`] for a caller without an account.
    pub async fn begin_session(&self, caller: &Caller, kind: SessionKind) -> Result<SignedIn, AccountsError> {
        let account = caller.account.clone().ok_or(AccountsError::NotFound("account"))?;
        let key = match &caller.credential {
            Credential::ApiKey(id) => Some(id.clone()),
            Credential::Session(hash) => {
                self.shared.directory.read().sessions.get(hash).and_then(|session| session.api_key.clone())
            }
            _ => None,
        };
        self.begin(kind, account, key).await
    }

    async fn begin(
        &self,
        kind: SessionKind,
        account: Account,
        api_key: Option<String>,
    ) -> Result<SignedIn, AccountsError> {
        let token = random_token();
        let (hash, now) = (TokenHash::of(&token), self.now());
        let session = Session {
            kind,
            api_key,
            account: account.id.clone(),
            created_at: now,
            used_at: now,
            expires_at: now.saturating_add(milliseconds(self.idle(kind))),
        };
        let keep = self.shared.options.sessions_per_account.max(1);
        self.change(move |t| {
            let key = session.api_key.as_deref().map_or(Ok(true), |key| record::key_exists(t, key))?;
            if !key || !record::person_exists(t, &session.account)? {
                return Ok(Err(AccountsError::WrongPassword));
            }
            record::drop_expired_sessions(t, now)?;
            record::insert_session(t, &hash, &session)?;
            record::drop_oldest_sessions(t, &session.account, kind, keep)?;
            Ok(Ok(()))
        })
        .await?;
        Ok(SignedIn { token, longest: self.longest(kind), account })
    }

    /// After how long without a request a session ends.
    fn idle(&self, kind: SessionKind) -> Duration {
        match kind {
            SessionKind::Page => self.shared.options.session_idle,
            SessionKind::Reader => READER_IDLE,
            SessionKind::Remembered => REMEMBERED,
        }
    }

    fn longest(&self, kind: SessionKind) -> Duration {
        match kind {
            SessionKind::Page | SessionKind::Reader => self.shared.options.session_longest,
            SessionKind::Remembered => REMEMBERED,
        }
    }

    /// Ends the session with this token, if there is one of this kind.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn end_session(&self, kind: SessionKind, token: &str) -> Result<(), AccountsError> {
        let hash = TokenHash::of(token);
        if !self.shared.directory.read().sessions.get(&hash).is_some_and(|session| session.kind == kind) {
            return Ok(());
        }
        self.change(move |t| record::delete_session(t, &hash).map(|_| Ok(()))).await
    }

    /// Ends the session a caller came with. Nothing happens to callers that came with something else.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), AccountsError> {
        let Credential::Session(hash) = caller.credential else { return Ok(()) };
        self.change(move |t| record::delete_session(t, &hash).map(|_| Ok(()))).await
    }

    /// The caller that the token of one of the page's sessions belongs to; slides its end.
    #[must_use]
    pub fn by_session(&self, token: &str, address: IpAddr) -> Option<Caller> {
        self.by_session_of(SessionKind::Page, token, address)
    }

    /// The same for a session of any kind.
    #[must_use]
    pub fn by_session_of(&self, kind: SessionKind, token: &str, address: IpAddr) -> Option<Caller> {
        let hash = TokenHash::of(token);
        let caller = {
            let directory = self.shared.directory.read();
            directory.sessions.get(&hash).filter(|session| session.kind == kind)?;
            session_caller(&directory, &hash, address, self.now())?
        };
        self.touch_session(&hash);
        Some(caller)
    }

    /// The caller that an API key belongs to.
    #[must_use]
    pub fn by_api_key(&self, secret: &str, address: IpAddr) -> Option<Caller> {
        let (hash, id, account) = {
            let directory = self.shared.directory.read();
            // Of a key that was made elsewhere, only another hash is known.
            let forms = [TokenHash::of, TokenHash::through_sha512];
            let (hash, key) = forms.iter().find_map(|form| directory.keys.get_key_value(&form(secret)))?;
            (*hash, key.id.clone(), directory.people.get(&key.account)?.account.clone())
        };
        self.touch_key(&hash);
        Some(Caller { account: Some(account), credential: Credential::ApiKey(id), address })
    }

    /// The caller that a name with a password or one of its API keys belongs to (HTTP Basic). A password that was right
    /// is remembered for a few minutes, keyed with a secret of this process, because such clients send it with each call.
    ///
    /// # Errors
    /// As [`Accounts::sign_in`].
    pub async fn by_name(&self, name: &str, secret: &str, address: IpAddr) -> Result<Caller, AccountsError> {
        if let Some(caller) = self.by_api_key(secret, address)
            && caller.account.as_ref().is_some_and(|a| name_key(&a.name) == name_key(name))
        {
            return Ok(caller);
        }
        let (account, stored) = self.check_password(name, secret, address).await?;
        Ok(Caller { account: Some(account), credential: Credential::Password(TokenHash::of(&stored)), address })
    }

    /// Whether a caller proved itself by its password, with this call or when its session began; not by a key.
    #[must_use]
    pub fn came_by_password(&self, caller: &Caller) -> bool {
        match &caller.credential {
            Credential::Password(_) => true,
            Credential::Session(hash) => {
                let directory = self.shared.directory.read();
                directory.sessions.get(hash).is_some_and(|session| session.api_key.is_none())
            }
            _ => false,
        }
    }

    /// What a caller may do now; `None` where the credential it came with is no longer good.
    #[must_use]
    pub fn current(&self, caller: &Caller) -> Option<Caller> {
        let directory = self.shared.directory.read();
        let account = match &caller.credential {
            Credential::Absent => return Some(caller.clone()),
            Credential::Local => return Some(directory.local()),
            Credential::Session(hash) => return session_caller(&directory, hash, caller.address, self.now()),
            node @ (Credential::Endpoint(_) | Credential::Sent { .. }) => {
                let now = friends::caller(&directory, node.clone(), caller.address);
                // A node that was never known lost nothing.
                return (now.account.is_some() || caller.account.is_none()).then_some(now);
            }
            Credential::ApiKey(id) => directory.keys.values().find(|key| key.id == *id)?.account.as_str(),
            Credential::App(id) => directory.apps.values().find(|app| app.id == *id)?.account.as_str(),
            Credential::Password(hash) => {
                let person = directory.person(caller.id())?;
                (TokenHash::of(&person.password) == *hash).then(|| caller.id())?
            }
        };
        Some(Caller { account: Some(directory.account(account)?), ..caller.clone() })
    }

    /// The account and its stored hash, when name and password are right and the attempt is allowed now.
    async fn check_password(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<(Account, String), AccountsError> {
        let key = name_key(name);
        let person = self.shared.directory.read().by_name(&key);
        if let Some(person) = &person
            && self.shared.passwords.remembered(&person.password, password, self.now())
        {
            return Ok((person.account.clone(), person.password.clone()));
        }
        self.shared.limits.lock().begin(address, &key, self.now()).map_err(AccountsError::TooMany)?;
        let stored = person.as_ref().map(|p| p.password.clone());
        let right = self.shared.passwords.check(stored, password).await;
        if matches!(right, Ok(true) | Err(_)) {
            self.shared.limits.lock().succeeded(address, &key);
        }
        match (right?, person) {
            (true, Some(person)) => {
                let stored = self.renewed(&person, password).await;
                self.shared.passwords.remember(&stored, password, self.now());
                Ok((person.account, stored))
            }
            _ => Err(AccountsError::WrongPassword),
        }
    }

    /// What is stored for a password that was right: one that was hashed elsewhere is hashed as ours are, the first time.
    async fn renewed(&self, person: &Person, password: &str) -> String {
        if !foreign_password::is_one(&person.password) {
            return person.password.clone();
        }
        let (id, old) = (person.account.id.clone(), person.password.clone());
        let renewed = async {
            let new = self.shared.passwords.hash_again(password).await?;
            self.change(move |t| record::renew_password(t, &id, &old, &new).map(|_| Ok(new))).await
        };
        renewed.await.unwrap_or_else(|error: AccountsError| {
            tracing::warn!(%error, "a password keeps the hash that it came with for now");
            person.password.clone()
        })
    }

    fn touch_session(&self, hash: &TokenHash) {
        let now = self.now();
        let due = |s: &Session| now - s.used_at >= TOUCH_MS;
        if !self.shared.directory.read().sessions.get(hash).is_some_and(due) {
            return;
        }
        if let Some(session) = self.shared.directory.write().sessions.get_mut(hash) {
            session.used_at = now;
            let last = session.created_at.saturating_add(milliseconds(self.longest(session.kind)));
            session.expires_at = now.saturating_add(milliseconds(self.idle(session.kind))).min(last);
            self.shared.notes.session_used(*hash, now, session.expires_at);
        }
    }

    fn touch_key(&self, hash: &TokenHash) {
        let now = self.now();
        let due = |used: Option<i64>| used.is_none_or(|at| now - at >= TOUCH_MS);
        if !self.shared.directory.read().keys.get(hash).is_some_and(|key| due(key.used_at)) {
            return;
        }
        if let Some(key) = self.shared.directory.write().keys.get_mut(hash) {
            key.used_at = Some(now);
            self.shared.notes.key_used(*hash, now);
        }
    }
}

fn session_caller(directory: &Directory, hash: &TokenHash, address: IpAddr, now: i64) -> Option<Caller> {
    let session = directory.sessions.get(hash).filter(|s| s.expires_at > now)?;
    let account = directory.account(&session.account)?;
    Some(Caller { account: Some(account), credential: Credential::Session(*hash), address })
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
