use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::database::{DatabaseOptions, migrations};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse";

struct Bench {
    accounts: Accounts,
    clock: Arc<AtomicI64>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut AccountsOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
        let mut options = cheap(&clock);
        set(&mut options);
        let accounts = Accounts::open(database(&folder), options).await.unwrap();
        Self { accounts, clock, folder }
    }

    async fn add(&self, name: &str, admin: bool) -> Account {
        let new =
            NewAccount { name: name.into(), password: PASSWORD.into(), admin, libraries: None, max_bit_rate: None };
        self.accounts.add(new).await.unwrap()
    }

    async fn signed_in(&self, name: &str) -> (String, Caller) {
        let signed_in = self.accounts.sign_in(name, PASSWORD, HERE).await.unwrap();
        let caller = self.accounts.by_session(&signed_in.token, HERE).unwrap();
        (signed_in.token, caller)
    }

    fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

fn cheap(clock: &Arc<AtomicI64>) -> AccountsOptions {
    let clock = Arc::clone(clock);
    AccountsOptions {
        argon2_memory_kib: 64,
        argon2_passes: 1,
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        ..AccountsOptions::default()
    }
}

fn database(folder: &tempfile::TempDir) -> Database {
    Database::open(&folder.path().join("catalog.db"), &DatabaseOptions::default(), migrations::CATALOG).unwrap()
}

#[tokio::test]
async fn a_session_names_its_account_until_it_is_ended() {
    let bench = Bench::new().await;
    bench.add("Ada", true).await;
    let (token, caller) = bench.signed_in("ada").await;
    assert_eq!(caller.account.as_ref().unwrap().name, "Ada");
    bench.accounts.sign_out(&caller).await.unwrap();
    assert!(bench.accounts.by_session(&token, HERE).is_none());
    assert!(bench.accounts.current(&caller).is_none());
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_told_alike() {
    let bench = Bench::new().await;
    bench.add("ada", true).await;
    for (name, password) in [("ada", "wrong password"), ("nobody", PASSWORD), ("", "")] {
        let refused = bench.accounts.sign_in(name, password, HERE).await.unwrap_err();
        assert!(matches!(refused, AccountsError::WrongPassword), "{name}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_even_for_the_right_password() {
    let bench = Bench::new().await;
    bench.add("ada", true).await;
    for _ in 0..5 {
        bench.accounts.sign_in("ada", "wrong password", HERE).await.unwrap_err();
    }
    let refused = bench.accounts.sign_in("ADA", PASSWORD, HERE).await.unwrap_err();
    assert!(matches!(refused, AccountsError::TooMany(_)));
    bench.pass(Duration::from_secs(2));
    bench.accounts.sign_in("ada", PASSWORD, HERE).await.unwrap();
}

#[tokio::test]
async fn a_session_slides_while_it_is_used_and_ends_when_it_is_not() {
    let bench = Bench::with(|o| {
        o.session_idle = Duration::from_secs(3600);
        o.session_longest = Duration::from_secs(3 * 3600);
    })
    .await;
    bench.add("ada", true).await;
    let (token, _) = bench.signed_in("ada").await;
    for _ in 0..3 {
        bench.pass(Duration::from_secs(3000));
        assert!(bench.accounts.by_session(&token, HERE).is_some());
    }
    bench.pass(Duration::from_secs(3000));
    assert!(bench.accounts.by_session(&token, HERE).is_none(), "longer than the longest session");
    let (token, _) = bench.signed_in("ada").await;
    bench.pass(Duration::from_secs(3601));
    assert!(bench.accounts.by_session(&token, HERE).is_none(), "idle for too long");
}

#[tokio::test]
async fn sessions_and_keys_survive_a_restart_and_their_secrets_are_not_in_the_file() {
    let bench = Bench::new().await;
    let ada = bench.add("ada", true).await;
    let (token, _) = bench.signed_in("ada").await;
    let (_, secret) = bench.accounts.add_api_key(&ada.id, "phone").await.unwrap();
    bench.accounts.stop().await;
    let again = Accounts::open(database(&bench.folder), cheap(&bench.clock)).await.unwrap();
    assert!(again.by_session(&token, HERE).is_some());
    assert!(again.by_api_key(&secret, HERE).is_some());
    again.stop().await;
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in [token.as_str(), &secret, PASSWORD] {
            assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "a secret is stored");
        }
    }
}

#[tokio::test]
async fn the_last_admin_can_be_neither_removed_nor_demoted() {
    let bench = Bench::new().await;
    let ada = bench.add("ada", true).await;
    bench.add("bob", false).await;
    assert!(matches!(bench.accounts.remove(&ada.id).await, Err(AccountsError::Conflict(_))));
    let demote = AccountChange { admin: Some(false), ..AccountChange::default() };
    let refused = bench.accounts.update(&ada.id, demote.clone(), &Caller::local()).await;
    assert!(matches!(refused, Err(AccountsError::Conflict(_))));
    let cleo = bench.add("cleo", true).await;
    bench.accounts.update(&ada.id, demote, &Caller::local()).await.unwrap();
    assert!(matches!(bench.accounts.remove(&cleo.id).await, Err(AccountsError::Conflict(_))));
}

#[tokio::test]
async fn a_new_password_ends_other_sessions_and_keys_but_not_the_one_it_was_set_from() {
    let bench = Bench::new().await;
    let ada = bench.add("ada", true).await;
    let (here, caller) = bench.signed_in("ada").await;
    let (elsewhere, _) = bench.signed_in("ada").await;
    let (_, secret) = bench.accounts.add_api_key(&ada.id, "phone").await.unwrap();
    let basic = bench.accounts.by_name("ada", PASSWORD, HERE).await.unwrap();
    let change = AccountChange { password: Some("another password".into()), ..AccountChange::default() };
    bench.accounts.update(&ada.id, change, &caller).await.unwrap();
    assert!(bench.accounts.by_session(&here, HERE).is_some());
    assert!(bench.accounts.by_session(&elsewhere, HERE).is_none());
    assert!(bench.accounts.by_api_key(&secret, HERE).is_none());
    assert!(bench.accounts.current(&basic).is_none());
    assert!(bench.accounts.by_name("ada", PASSWORD, HERE).await.is_err());
}

#[tokio::test]
async fn a_removed_account_is_nobody_on_every_path() {
    let bench = Bench::new().await;
    bench.add("ada", true).await;
    let bob = bench.add("bob", false).await;
    let (token, caller) = bench.signed_in("bob").await;
    let mut revoked = bench.accounts.revoked();
    revoked.mark_unchanged();
    bench.accounts.remove(&bob.id).await.unwrap();
    assert!(revoked.has_changed().unwrap());
    assert!(bench.accounts.by_session(&token, HERE).is_none());
    assert!(bench.accounts.current(&caller).is_none());
}

#[tokio::test]
async fn access_that_changes_is_seen_by_callers_that_are_there_already() {
    let bench = Bench::new().await;
    bench.add("ada", true).await;
    let bob = bench.add("bob", false).await;
    let (_, caller) = bench.signed_in("bob").await;
    assert!(caller.may_see("films"));
    let change = AccountChange { libraries: Some(Some(vec!["talks".into()])), ..AccountChange::default() };
    bench.accounts.update(&bob.id, change, &Caller::local()).await.unwrap();
    let now = bench.accounts.current(&caller).unwrap();
    assert!(!now.may_see("films"));
    assert!(now.may_see("talks"));
}

#[tokio::test]
async fn basic_takes_a_password_or_a_key_of_that_very_account() {
    let bench = Bench::new().await;
    let ada = bench.add("ada", true).await;
    bench.add("bob", false).await;
    let (_, secret) = bench.accounts.add_api_key(&ada.id, "vlc").await.unwrap();
    assert_eq!(bench.accounts.by_name("Ada", &secret, HERE).await.unwrap().id(), ada.id);
    assert_eq!(bench.accounts.by_name("ada", PASSWORD, HERE).await.unwrap().id(), ada.id);
    assert!(bench.accounts.by_name("bob", &secret, HERE).await.is_err());
}

#[tokio::test]
async fn names_are_unique_without_case_and_have_no_colon() {
    let bench = Bench::new().await;
    bench.add("Ada", true).await;
    for (name, conflict) in [("aDA ", true), ("", false), ("a:b", false), ("a\nb", false), (&"x".repeat(65), false)] {
        let new = NewAccount {
            name: name.into(),
            password: PASSWORD.into(),
            admin: false,
            libraries: None,
            max_bit_rate: None,
        };
        let refused = bench.accounts.add(new).await.unwrap_err();
        assert_eq!(matches!(refused, AccountsError::Conflict(_)), conflict, "{name:?}");
    }
}

#[tokio::test]
async fn the_least_used_session_goes_when_there_are_too_many() {
    let bench = Bench::with(|o| o.sessions_per_account = 2).await;
    bench.add("ada", true).await;
    let (first, _) = bench.signed_in("ada").await;
    bench.pass(Duration::from_secs(1));
    let (second, _) = bench.signed_in("ada").await;
    bench.pass(Duration::from_secs(1));
    let (third, _) = bench.signed_in("ada").await;
    let alive = |token: &str| bench.accounts.by_session(token, HERE).is_some();
    assert_eq!([alive(&first), alive(&second), alive(&third)], [false, true, true]);
}

#[tokio::test]
async fn the_audit_keeps_the_newest_lines_and_no_control_characters() {
    let bench = Bench::with(|o| o.audit_rows = 3).await;
    for n in 0..10 {
        bench.accounts.audit(AuditLine {
            at: 0,
            account: Some(format!("eve\n{n}")),
            address: "192.0.2.1".into(),
            method: "GET".into(),
            path: format!("/api/v1/items/{n}"),
            status: 404,
            reason: "not_found".into(),
        });
    }
    bench.accounts.stop().await;
    let lines = bench.accounts.audit_lines(100).await.unwrap();
    assert_eq!(
        lines.iter().map(|l| l.path.as_str()).collect::<Vec<_>>(),
        ["/api/v1/items/9", "/api/v1/items/8", "/api/v1/items/7"]
    );
    assert_eq!(lines[0].account.as_deref(), Some("eve\u{fffd}9"));
    assert!(lines[0].at > 0);
}

fn node(name: &str, endpoint: &str) -> NewFriend {
    NewFriend { name: name.into(), endpoint: endpoint.into(), addresses: vec!["192.0.2.1:9001".into()] }
}

#[tokio::test]
async fn a_friend_is_known_by_its_key_sees_what_is_shared_and_is_no_account() {
    let bench = Bench::new().await;
    let friend = bench.accounts.add_friend(node("Bob", "b0b")).await.unwrap();
    let caller = bench.accounts.by_endpoint("b0b", HERE);
    assert!(caller.account.is_some() && !caller.is_admin() && !caller.may_see("films"));
    assert!(!caller.sees_all(), "nothing is shared until somebody does");
    let share = FriendChange { libraries: Some(vec!["films".into()]), ..FriendChange::default() };
    bench.accounts.update_friend(&friend.id, share).await.unwrap();
    let caller = bench.accounts.current(&caller).unwrap();
    assert!(caller.may_see("films") && !caller.may_see("shows"));
    assert!(bench.accounts.list().is_empty(), "what lists and changes accounts never meets a friend");
    assert!(bench.accounts.named("Bob").is_err());
    assert!(matches!(bench.accounts.sign_in("Bob", "", HERE).await, Err(AccountsError::WrongPassword)));
}

#[tokio::test]
async fn a_friend_asks_for_one_of_its_people_over_its_own_link_alone() {
    let bench = Bench::new().await;
    let friend = bench.accounts.add_friend(node("Bob", "b0b")).await.unwrap();
    let (libraries, people) = (vec!["films".to_owned(), "talks".to_owned()], vec!["Anna".to_owned()]);
    let change = FriendChange {
        libraries: Some(libraries),
        people: [("films".to_owned(), Some(people))].into(),
        ..FriendChange::default()
    };
    bench.accounts.update_friend(&friend.id, change).await.unwrap();
    let link = bench.accounts.by_endpoint("b0b", HERE);
    assert!(link.may_see("talks") && !link.may_see("films"), "for itself, what is for everybody");
    let anna = bench.accounts.on_behalf(link.clone(), Some(" ANNA"));
    assert!(anna.may_see("talks") && anna.may_see("films") && anna.is_node());
    let ben = bench.accounts.on_behalf(link.clone(), Some("ben"));
    assert!(ben.may_see("talks") && !ben.may_see("films"));
    assert_eq!(ben, bench.accounts.on_behalf(link, None), "a name that nothing is shared with is none");
    assert_eq!(bench.accounts.on_behalf(ben.clone(), Some("anna")), ben, "who was sent cannot say to be another");
    assert_eq!(bench.accounts.on_behalf(Caller::local(), Some("anna")), Caller::local());
    let change = FriendChange { people: [("films".to_owned(), None)].into(), ..FriendChange::default() };
    bench.accounts.update_friend(&friend.id, change).await.unwrap();
    assert!(bench.accounts.current(&ben).unwrap().may_see("films"), "for everybody again");
}

#[tokio::test]
async fn somebody_lost_something_where_a_library_or_a_name_went() {
    let bench = Bench::new().await;
    let friend = bench.accounts.add_friend(node("Bob", "b0b")).await.unwrap();
    let with = |libraries: &[&str], people: Option<&[&str]>| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let people = people.map(|names| ("films".to_owned(), list(names))).into_iter().collect();
        Friend { libraries: list(libraries), people, ..friend.clone() }
    };
    let (all, both, one) =
        (with(&["films"], None), with(&["films"], Some(&["a", "b"])), with(&["films"], Some(&["A"])));
    for (before, now, lost) in [
        (&all, &both, true),
        (&both, &one, true),
        (&one, &friend, true),
        (&friend, &one, false),
        (&one, &both, false),
        (&both, &all, false),
        (&one, &one, false),
    ] {
        assert_eq!(now.lost_something(before), lost, "{:?} -> {:?}", before.people, now.people);
    }
}

#[tokio::test]
async fn a_friend_that_is_switched_off_or_removed_loses_its_rights_and_who_waits_is_told() {
    let bench = Bench::new().await;
    let mut revoked = bench.accounts.revoked();
    let friend = bench.accounts.add_friend(node("Bob", "b0b")).await.unwrap();
    let caller = bench.accounts.by_endpoint("b0b", HERE);
    revoked.mark_unchanged();
    let off = FriendChange { enabled: Some(false), ..FriendChange::default() };
    bench.accounts.update_friend(&friend.id, off).await.unwrap();
    assert!(revoked.has_changed().unwrap());
    assert_eq!(bench.accounts.current(&caller), None);
    bench.accounts.remove_friend(&friend.id).await.unwrap();
    assert_eq!(bench.accounts.current(&caller), None);
    let stranger = bench.accounts.by_endpoint("b0b", HERE);
    assert_eq!(stranger.account, None);
    assert_eq!(bench.accounts.current(&stranger), Some(stranger), "a stranger had nothing to lose");
    assert!(matches!(bench.accounts.remove_friend(&friend.id).await, Err(AccountsError::NotFound(_))));
}

#[tokio::test]
async fn names_of_friends_are_unique_and_one_that_is_taken_gets_a_number() {
    let bench = Bench::new().await;
    bench.accounts.add_friend(node("Bob", "b1")).await.unwrap();
    let second = bench.accounts.add_friend(node("bob", "b2")).await.unwrap();
    assert_eq!(second.name, "bob 2");
    let rename = FriendChange { name: Some("BOB".into()), ..FriendChange::default() };
    assert!(matches!(bench.accounts.update_friend(&second.id, rename).await, Err(AccountsError::Conflict(_))));
    for wrong in ["", " ", "a:b", "a\nb", &"x".repeat(65)] {
        assert!(
            matches!(bench.accounts.add_friend(node(wrong, "b3")).await, Err(AccountsError::Invalid(_))),
            "{wrong:?}"
        );
    }
    assert!(matches!(bench.accounts.add_friend(node("Eve", "not a key")).await, Err(AccountsError::Invalid(_))));
}

#[tokio::test]
async fn an_invite_makes_one_node_a_friend_and_no_second_one() {
    let bench = Bench::new().await;
    let (invite, secret) = bench.accounts.add_invite(Some("Bob"), Duration::from_secs(60)).await.unwrap();
    assert_eq!(bench.accounts.invites().await.unwrap(), [invite]);
    let friend = bench.accounts.redeem(&secret, node("robert", "b0b")).await.unwrap();
    assert_eq!(friend.name, "Bob", "the name in the invite is the owner's choice");
    assert!(bench.accounts.invites().await.unwrap().is_empty());
    let again = bench.accounts.redeem(&secret, node("robert", "b0b")).await.unwrap();
    assert_eq!(again.id, friend.id, "the same node may finish what was cut off");
    let replayed = bench.accounts.redeem(&secret, node("Eve", "e4e")).await;
    assert!(matches!(replayed, Err(AccountsError::WrongInvite)));
    bench.accounts.remove_friend(&friend.id).await.unwrap();
    let revived = bench.accounts.redeem(&secret, node("robert", "b0b")).await;
    assert!(matches!(revived, Err(AccountsError::WrongInvite)), "who was removed needs a new invite");
}

#[tokio::test]
async fn an_invite_that_expired_was_withdrawn_or_never_made_is_worth_nothing() {
    let bench = Bench::new().await;
    let (_, late) = bench.accounts.add_invite(None, Duration::from_secs(60)).await.unwrap();
    bench.pass(Duration::from_secs(60));
    let (withdrawn, gone) = bench.accounts.add_invite(None, Duration::from_secs(60)).await.unwrap();
    bench.accounts.remove_invite(&withdrawn.id).await.unwrap();
    for secret in [&late, &gone, "", "forged"] {
        let refused = bench.accounts.redeem(secret, node("Eve", "e4e")).await;
        assert!(matches!(refused, Err(AccountsError::WrongInvite)));
    }
    assert!(bench.accounts.friends().is_empty());
}

#[tokio::test]
async fn an_old_invite_does_not_switch_a_friend_on_again() {
    let bench = Bench::new().await;
    let (_, secret) = bench.accounts.add_invite(None, Duration::from_secs(60)).await.unwrap();
    let friend = bench.accounts.redeem(&secret, node("Bob", "b0b")).await.unwrap();
    let off = FriendChange { enabled: Some(false), ..FriendChange::default() };
    bench.accounts.update_friend(&friend.id, off).await.unwrap();
    assert!(matches!(bench.accounts.redeem(&secret, node("Bob", "b0b")).await, Err(AccountsError::WrongInvite)));
}

#[tokio::test]
async fn friends_and_what_is_shared_with_them_are_there_after_reopening() {
    let bench = Bench::new().await;
    let friend = bench.accounts.add_friend(node("Bob", "b0b")).await.unwrap();
    let share = FriendChange { libraries: Some(vec!["films".into()]), ..FriendChange::default() };
    let shared = bench.accounts.update_friend(&friend.id, share).await.unwrap();
    bench.accounts.found_friend(&friend.id, vec!["198.51.100.7:1".into()], None).await.unwrap();
    bench.accounts.stop().await;
    let again = Accounts::open(database(&bench.folder), cheap(&bench.clock)).await.unwrap();
    let kept = again.friend_by_endpoint("b0b").unwrap();
    assert_eq!(kept, Friend { addresses: vec!["198.51.100.7:1".into()], ..shared });
}
