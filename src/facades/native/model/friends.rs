//! Friends and invites.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A friend's node: `GET /friends` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Friend {
    pub id: String,
    /// As its owner is called here.
    pub name: String,
    /// Public key of its node.
    pub endpoint: String,
    /// Ids of the libraries that are shared with it.
    pub libraries: Vec<String>,
    /// Of those that are for some people at its node only: their names there, by library. The others are for everybody there.
    pub people: BTreeMap<String, Vec<String>>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Bits a second that it may take from this node; absent where the node's setting counts.
    pub upload_rate: Option<u64>,
    pub state: FriendState,
    /// Where its node is, or the relay between; absent where there is no link.
    pub address: Option<String>,
    /// Whether a relay is between.
    pub relayed: bool,
    /// Milliseconds to its node and back.
    pub rtt_ms: Option<f64>,
    /// Why its node was not reached, for people.
    pub detail: Option<String>,
    /// What its node did that it should not; absent where it did nothing since this node was started.
    pub trouble: Option<FriendTrouble>,
    /// Our people can sign in there while this node is away; absent where it was not chosen.
    pub stand_in: Option<StandIn>,
    /// Its people can sign in here; absent where they may not.
    pub hosts: Option<Hosting>,
}

/// What a friend's node did that it should not. It is not asked for films until some time has passed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FriendTrouble {
    pub kind: FriendFault,
    /// For people.
    pub reason: String,
    /// How often it did anything of the kind.
    pub count: u64,
    /// Unix milliseconds.
    pub at: i64,
    /// Unix milliseconds; it is asked again then.
    pub until: i64,
}

/// What a friend's node can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendFault {
    /// It sent other bytes than a block's.
    Lie,
    /// What it sent is longer than it may be.
    Endless,
    /// It stopped in the middle of an answer, or sends it far too slowly.
    Stall,
    /// It asked for far too much.
    Flood,
}

/// How far a friend's node is as a stand-in for this one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StandIn {
    /// Unix milliseconds when it last knew all accounts and all that they watched.
    pub synced_at: Option<i64>,
    /// Why it does not now, for people.
    pub problem: Option<String>,
}

/// A friend's people who may sign in here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Hosting {
    /// How many they are.
    pub people: usize,
    /// Unix milliseconds when the friend's node told of them last.
    pub received_at: Option<i64>,
}

/// How a friend's node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendState {
    /// There is a link to it.
    Online,
    /// It is there as far as is known. This node has very many friends, or that one has: the link is made again when there is
    /// something to say.
    Resting,
    /// It was not reached, or not any more.
    Off,
    /// It is there, and does not know this node any more.
    Refused,
    /// Switched off here.
    Disabled,
}

/// `PATCH /friends/{id}` (admin). What is absent stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct FriendChange {
    /// 1 to 64 characters.
    pub name: Option<String>,
    /// Where it is false, the friend stays, and may do nothing.
    pub enabled: Option<bool>,
    /// Ids of the libraries that are shared with it: these and no others.
    pub libraries: Option<Vec<String>>,
    /// By library, for whom at its node it shall be: 1 to 256 names, or `null` for everybody there. Those that are not in here
    /// stay as they are; one that is shared anew is for everybody.
    #[serde(default)]
    pub people: BTreeMap<String, Option<Vec<String>>>,
    /// Bits a second that it may take from this node; `null` for the node's setting.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub upload_rate: Option<Option<u64>>,
    /// Whether our people shall be able to sign in at its node.
    pub stand_in: Option<bool>,
    /// Whether its people may sign in here.
    pub hosts: Option<bool>,
}

/// `POST /friends/invites` (admin).
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct NewInvite {
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
    /// How long it is good for: 1 to 720, default 72.
    pub hours: Option<u32>,
}

/// An invite that makes one other node a friend, once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    pub id: String,
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// For the friend: only in the answer to `POST`, never again.
    pub code: Option<String>,
}

/// `POST /friends/accept` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AcceptInvite {
    /// As the friend sent it.
    pub code: String,
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
}
