//! The settings a person writes: `DIR/node.toml`, and `POTLUCK_<SECTION>__<KEY>` over it.
//!
//! Defaults are here, in code; `config/node.toml` shows every key with its default and meaning, and a test keeps it true.
//! Options of the parts live with the parts; this module sits on top and fills them in.
mod options;
mod read;

pub use read::ConfigError;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::node::ListensOptions;
use serde::{Deserialize, Serialize, Serializer};

/// Everything that can be set. Absent keys have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the node is reached by HTTP.
    pub server: Server,
    /// Komga's API.
    pub komga: Komga,
    /// Browsers' data channels.
    pub webrtc: WebRtc,
    /// How libraries are kept up to date.
    pub library: Library,
    /// The media workers.
    pub media: Media,
    /// Reading files again before they are needed.
    pub scrub: Scrub,
    /// Repackaging and transcoding.
    pub playback: Playback,
    /// Friends' nodes.
    pub friends: Friends,
    /// What of friends' libraries is kept here.
    pub replicas: Replicas,
    /// Signing in.
    pub accounts: Accounts,
    /// The network of IPFS.
    pub ipfs: Ipfs,
    /// What is written to standard error.
    pub log: Log,
    /// Programs that play music.
    pub subsonic: Subsonic,
    /// Where plays are told.
    pub listenbrainz: ListenBrainz,
    /// Podcasts that are followed.
    pub podcasts: Podcasts,
    /// `/metrics`.
    pub metrics: Metrics,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 for any.
    pub listen: SocketAddr,
    /// `off`, `self-signed` or `files`.
    pub tls: Tls,
    /// With `files`: the certificate chain, PEM.
    pub tls_cert: PathBuf,
    /// With `files`: its key, PEM.
    pub tls_key: PathBuf,
    /// Proxies whose `X-Forwarded-*` is believed: addresses or networks.
    pub trusted_proxies: Vec<String>,
    /// Connections at most.
    pub connections_max: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8096)),
            tls: Tls::Off,
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            trusted_proxies: Vec::new(),
            connections_max: 4096,
        }
    }
}

/// How connections are protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Not by the node.
    #[default]
    Off,
    /// By a certificate the node makes.
    SelfSigned,
    /// By `tls_cert` and `tls_key`.
    Files,
}

/// `[komga]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Komga {
    /// Address and port where the API is at the root, besides below `/komga` of the node; empty for none.
    pub listen: String,
}

/// `[webrtc]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebRtc {
    /// Whether browsers may use it.
    pub enabled: bool,
    /// UDP address and port; port 0 for any.
    pub listen: SocketAddr,
    /// Where browsers reach the port besides the local addresses.
    pub public_addresses: Vec<SocketAddr>,
    /// STUN URLs that pages are told.
    pub stun_servers: Vec<String>,
    /// Connections at most.
    pub connections_max: usize,
    /// Connections that a page should keep at most.
    pub connections_per_page: u32,
}

impl Default for WebRtc {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([0, 0, 0, 0], 9000)),
            public_addresses: Vec::new(),
            stun_servers: Vec::new(),
            connections_max: 1024,
            connections_per_page: 8,
        }
    }
}

/// `[ipfs]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ipfs {
    /// Whether other nodes of IPFS can fetch what is public, and this one from them.
    pub enabled: bool,
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses where others reach this node besides.
    pub public_addresses: Vec<String>,
    /// How others are found and told.
    pub routing: Routing,
    /// Nodes to begin with.
    pub bootstrap: Vec<String>,
    /// Servers that are asked who has what.
    pub delegated_routers: Vec<String>,
    /// Nodes that pass on connections to this one.
    pub relays: Vec<String>,
    /// Ask the router to forward the ports.
    pub port_mapping: bool,
    /// Connections at most.
    pub connections_max: u32,
    /// While the node has more memory in use, there are no new connections; 0 for no limit.
    pub memory_limit_mib: u64,
    /// Everything public is announced once in this time.
    pub announce_hours: u32,
    /// Roots that are announced at most.
    pub announced_max: usize,
    /// Who may open what is not in libraries: `everyone`, `admins` or `nobody`.
    pub fetch: WhoFetches,
    /// Fetched blocks that are kept besides what is pinned.
    pub cache_gib: u64,
    /// Hosts below which each CID and name has an origin of its own.
    pub subdomain_hosts: Vec<String>,
}

impl Default for Ipfs {
    fn default() -> Self {
        let listen = ["/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4002/ws"];
        Self {
            enabled: true,
            listen: listen.map(str::to_owned).to_vec(),
            public_addresses: Vec::new(),
            routing: Routing::Off,
            bootstrap: Vec::new(),
            delegated_routers: Vec::new(),
            relays: Vec::new(),
            port_mapping: false,
            connections_max: 1000,
            memory_limit_mib: 1024,
            announce_hours: 22,
            announced_max: 20_000,
            fetch: WhoFetches::Everyone,
            cache_gib: 10,
            subdomain_hosts: Vec::new(),
        }
    }
}

/// How nodes of IPFS find each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Not: by addresses only.
    #[default]
    Off,
    /// Among the nodes that are found from `bootstrap` on.
    Private,
    /// In the public network.
    Public,
}

/// `[library]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Library {
    /// Watch folders for changes (inotify).
    pub watch: bool,
    /// Rescan everything this often; 0 for never.
    pub rescan_hours: u32,
    /// A file must have been quiet this long before it is read.
    pub settle_seconds: u32,
    /// What is in the trash longer than this is forgotten.
    pub trash_days: u32,
}

impl Default for Library {
    fn default() -> Self {
        Self { watch: true, rescan_hours: 24, settle_seconds: 5, trash_days: 30 }
    }
}

/// `[scrub]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scrub {
    /// Every file is read again after this; 0 for only when asked.
    pub every_days: u32,
    /// Reads at most as much a second; 0 for no limit.
    pub rate_mib: u32,
    /// Repair damaged files.
    pub heal: bool,
}

impl Default for Scrub {
    fn default() -> Self {
        Self { every_days: 30, rate_mib: 32, heal: true }
    }
}

/// `[media]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// The worker program; empty for `potluck-media-worker` beside the running program.
    pub worker: PathBuf,
    /// Workers at once.
    pub workers: usize,
    /// Address space of one worker.
    pub memory_limit_mib: u64,
    /// A request that takes longer ends its worker.
    pub timeout_seconds: u32,
    /// Render nodes to look for encoders on; empty for all, `none` for none.
    pub devices: Vec<String>,
}

impl Default for Media {
    fn default() -> Self {
        Self { worker: PathBuf::new(), workers: 2, memory_limit_mib: 1536, timeout_seconds: 60, devices: Vec::new() }
    }
}

/// `[playback]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Playback {
    /// Finished segments kept in memory.
    pub cache_mib: u64,
    /// Sizes that films are transcoded to: lines and kilobits a second.
    pub ladder: Vec<String>,
    /// Kilobits a second that a film may have, for anyone; 0 for no limit.
    pub max_bit_rate_kbit: u64,
    /// Films transcoded at once; 0 for as many as the machine can.
    pub transcodes: usize,
    /// Transcoded segments kept on disk.
    pub disk_cache_mib: u64,
    /// Make pictures for the seek bar of every film.
    pub thumbnails: bool,
    /// What they may take.
    pub thumbnails_mib: u64,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            cache_mib: 64,
            ladder: ["2160:16000", "1440:10000", "1080:6000", "720:3000", "480:1200"].map(str::to_owned).to_vec(),
            max_bit_rate_kbit: 0,
            transcodes: 0,
            disk_cache_mib: 10_240,
            thumbnails: true,
            thumbnails_mib: 1024,
        }
    }
}

/// `[friends]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Friends {
    /// Whether this node is linked with others.
    pub enabled: bool,
    /// How this node introduces itself to friends; empty for the name of the machine.
    pub name: String,
    /// UDP address and port; port 0 for any.
    pub listen: SocketAddr,
    /// Where friends reach the port besides the local addresses.
    pub public_addresses: Vec<SocketAddr>,
    /// URLs of relays; none by default.
    pub relays: Vec<String>,
    /// `none` or `mdns`.
    pub discovery: Discovery,
    /// `bbr` or `cubic`.
    pub congestion: Congestion,
    /// KiB under way on one stream at most.
    pub stream_window_kib: u32,
    /// Links at most.
    pub connections_max: usize,
    /// Links of nodes that are no friends at most.
    pub strangers_max: usize,
    /// Requests of one friend at a time.
    pub streams_max: u32,
    /// Friends' links that are awake at most; 0 for all.
    pub links_awake: usize,
    /// Kilobits a second for all friends together; 0 for no limit.
    pub upload_kbit: u64,
    /// Kilobits a second for each friend that has no budget of its own; 0 for no limit.
    pub upload_kbit_each: u64,
    /// `HH:MM-HH:MM=KBIT`: parts of the day in which all friends together have another budget.
    pub upload_hours: Vec<String>,
    /// Requests a second that a friend's node may make; 0 for no limit.
    pub requests_per_second: u32,
    /// MiB of friends' posters and backdrops that are kept; 0 for none.
    pub pictures_mib: u64,
}

impl Default for Friends {
    fn default() -> Self {
        Self {
            enabled: true,
            name: String::new(),
            listen: SocketAddr::from(([0, 0, 0, 0], 9001)),
            public_addresses: Vec::new(),
            relays: Vec::new(),
            discovery: Discovery::None,
            congestion: Congestion::Bbr,
            stream_window_kib: 2048,
            connections_max: 2048,
            strangers_max: 32,
            streams_max: 128,
            links_awake: 256,
            requests_per_second: 1000,
            pictures_mib: 512,
            upload_kbit: 0,
            upload_kbit_each: 0,
            upload_hours: Vec::new(),
        }
    }
}

/// `[replicas]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replicas {
    /// Where they are put; empty for `replicas` in the data folder.
    pub folder: PathBuf,
    /// What all together may take; 0 for no limit.
    pub quota_gib: u64,
    /// What stays free on their disk.
    pub spare_gib: u64,
    /// Fetched at most a second; 0 for no limit.
    pub rate_mib: u32,
}

impl Default for Replicas {
    fn default() -> Self {
        Self { folder: PathBuf::new(), quota_gib: 200, spare_gib: 10, rate_mib: 0 }
    }
}

/// Who may open what is not in libraries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhoFetches {
    /// Every account of this node.
    #[default]
    Everyone,
    /// Admins.
    Admins,
    /// Nobody.
    Nobody,
}

/// How friends' nodes are found besides at the addresses that are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// Not at all.
    #[default]
    None,
    /// By multicast DNS on the local network.
    Mdns,
}

/// What a sender takes for congestion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Congestion {
    /// BBR 3.
    #[default]
    Bbr,
    /// CUBIC.
    Cubic,
}

/// `[accounts]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// A session ends after this long without a request.
    pub session_days: u32,
    /// Lines of refused calls that are kept.
    pub audit_lines: u32,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { session_days: 30, audit_lines: 10_000 }
    }
}

/// `[listenbrainz]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenBrainz {
    /// Address of ListenBrainz, or of a server that speaks as it does.
    pub url: String,
}

impl Default for ListenBrainz {
    fn default() -> Self {
        Self { url: ListensOptions::default().url }
    }
}

/// `[podcasts]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Podcasts {
    /// Where they are put; empty for `podcasts` in the data folder.
    pub folder: PathBuf,
    /// Feeds are asked for this often; 0 for only when somebody wants it.
    pub refresh_hours: u32,
    /// Of what a feed tells newly, so many of the newest episodes are fetched by themselves.
    pub newest: u32,
    /// What an episode may take.
    pub episode_mib: u64,
    /// What all together may take; 0 for no limit.
    pub quota_gib: u64,
    /// Networks that are not the internet's, from which may be fetched all the same.
    pub private_networks: Vec<String>,
}

impl Default for Podcasts {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            refresh_hours: 4,
            newest: 0,
            episode_mib: 1024,
            quota_gib: 50,
            private_networks: Vec::new(),
        }
    }
}

/// `[subsonic]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subsonic {
    /// Where an account's own password is taken besides app passwords.
    pub login_passwords: LoginPasswords,
    /// Whether songs are shared by links.
    pub shares: bool,
}

impl Default for Subsonic {
    fn default() -> Self {
        Self { login_passwords: LoginPasswords::default(), shares: true }
    }
}

/// On which connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPasswords {
    /// On none.
    Never,
    /// On those by HTTPS.
    #[default]
    Https,
    /// On all.
    Always,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,potluck::library=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a line.
    Json,
}

/// `[metrics]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whoever asks from this machine may read it.
    pub loopback: bool,
    /// Whoever brings this as `Authorization: Bearer` may read it; empty for nobody.
    pub token: Secret,
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The text itself, unless it is empty.
    #[must_use]
    pub fn reveal(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "***" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Metrics { loopback: false, token: Secret("hunter2".to_owned()) };
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&secret).unwrap().contains("hunter2"));
        assert_eq!(secret.token.reveal(), Some("hunter2"));
    }

    #[test]
    fn the_shown_settings_are_the_defaults_and_all_of_them() {
        let shown = include_str!("../../config/node.toml");
        assert_eq!(toml::from_str::<Config>(shown).unwrap(), Config::default());
        let shown: toml::Table = shown.parse().unwrap();
        let known = serde_json::to_value(Config::default()).unwrap();
        for (section, keys) in known.as_object().unwrap() {
            for key in keys.as_object().unwrap().keys() {
                let there = shown.get(section).and_then(|s| s.get(key)).is_some();
                assert!(there, "config/node.toml does not show {section}.{key}");
            }
        }
    }
}
