//! From settings to the options of the parts.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::{Config, ConfigError, Congestion, Discovery, LoginPasswords, Routing, Tls, WhoFetches};
use crate::accounts::{AccountsOptions, TokenHash};
use crate::blocks::Pace;
use crate::exchange::iroh::{self, IrohOptions};
use crate::exchange::libp2p::{self, Libp2pOptions};
use crate::exchange::webrtc::WebRtcOptions;
use crate::facades::ipfs as gateway;
use crate::facades::{
    FacadeOptions, MetricsAccess, ServeOptions, TlsMode, TrustedProxies, UploadHours, UploadOptions, subsonic,
    upload_limit,
};
use crate::friends::FriendsOptions;
use crate::friends::links::{LINK_UNUSED, LinksOptions};
use crate::friends::replicas::ReplicasOptions;
use crate::media::MediaOptions;
use crate::node::{
    IpfsOptions, ListensOptions, Network, NodeOptions, PinsOptions, PodcastsOptions, ScrubOptions, is_router,
};
use crate::playback::{PlaybackOptions, Rung};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// A sweep over 10,000 roots takes 42 minutes: nobody who plays feels it, and a router at home is not asked for thousands of
/// connections at a time.
const ANNOUNCED_PER_SECOND: u32 = 4;

impl Config {
    /// What a single value cannot show.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, reason: String| Err(ConfigError::Value { place: key.to_owned(), reason });
        if let Err(reason) = TrustedProxies::parse(&self.server.trusted_proxies) {
            return refuse("server.trusted_proxies", reason);
        }
        let (cert, key) = (&self.server.tls_cert, &self.server.tls_key);
        if self.server.tls == Tls::Files && (cert.as_os_str().is_empty() || key.as_os_str().is_empty()) {
            return refuse("server.tls", "\"files\" needs server.tls_cert and server.tls_key".to_owned());
        }
        let komga = self.komga.listen.trim();
        if !komga.is_empty() && komga.parse::<SocketAddr>().is_err() {
            return refuse(
                "komga.listen",
                format!("\"{komga}\" is not an address with a port, such as \"0.0.0.0:25600\""),
            );
        }
        if let Err(error) = EnvFilter::try_new(&self.log.level) {
            return refuse("log.level", error.to_string());
        }
        let ladder = &self.playback.ladder;
        if let Some(not) = ladder.iter().find(|rung| Rung::parse(rung).is_none()) {
            return refuse("playback.ladder", format!("\"{not}\" is not lines:kilobits, such as \"1080:6000\""));
        }
        if ladder.is_empty() {
            return refuse("playback.ladder", "at least one size is needed".to_owned());
        }
        if let Some(wrong) =
            self.friends.relays.iter().find(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            return refuse(
                "friends.relays",
                format!("\"{wrong}\" is not the URL of a relay (https://relay.example.org)"),
            );
        }
        if let Some(not) = self.friends.upload_hours.iter().find(|hours| UploadHours::parse(hours).is_none()) {
            return refuse(
                "friends.upload_hours",
                format!("\"{not}\" is not from-until=kilobits, such as \"18:00-23:00=5000\""),
            );
        }
        if !(64..=2048).contains(&self.friends.stream_window_kib) {
            return refuse("friends.stream_window_kib", "must be 64 to 2048".to_owned());
        }
        let folders = [("replicas.folder", &self.replicas.folder), ("podcasts.folder", &self.podcasts.folder)];
        for (key, folder) in folders {
            if !folder.as_os_str().is_empty() && !folder.is_absolute() {
                return refuse(key, "must be an absolute path".to_owned());
            }
        }
        if let Some(reason) = self.podcasts.private_networks.iter().find_map(|text| network(text).err()) {
            return refuse("podcasts.private_networks", reason);
        }
        let ipfs = &self.ipfs;
        let lists = [
            ("ipfs.listen", &ipfs.listen, false),
            ("ipfs.public_addresses", &ipfs.public_addresses, false),
            ("ipfs.bootstrap", &ipfs.bootstrap, true),
            ("ipfs.relays", &ipfs.relays, true),
        ];
        for (key, addresses, with_peer) in lists {
            if let Some(not) = addresses.iter().find(|address| !libp2p::is_address(address, with_peer)) {
                let example =
                    if with_peer { "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooW..." } else { "/ip4/0.0.0.0/tcp/4001" };
                return refuse(key, format!("\"{not}\" is not an address such as \"{example}\""));
            }
        }
        let name = |host: &String| {
            let label = |label: &str| {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                !label.is_empty() && label.len() <= 63 && label.bytes().all(plain)
            };
            host.split('.').all(label)
        };
        if let Some(not) = self.ipfs.subdomain_hosts.iter().find(|host| !name(host)) {
            return refuse("ipfs.subdomain_hosts", format!("\"{not}\" is not a host, such as \"ipfs.example.org\""));
        }
        if let Some(not) = ipfs.delegated_routers.iter().find(|text| !is_router(text)) {
            return refuse(
                "ipfs.delegated_routers",
                format!("\"{not}\" is not an address such as \"https://router.example.org\""),
            );
        }
        let url = &self.listenbrainz.url;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return refuse(
                "listenbrainz.url",
                format!("\"{url}\" is not an address such as https://api.listenbrainz.org"),
            );
        }
        if self.media.workers == 0 {
            return refuse("media.workers", "at least 1 is needed".to_owned());
        }
        Ok(())
    }

    /// Settings of the node on a data folder.
    #[must_use]
    pub fn node_options(&self, data: &Path) -> NodeOptions {
        NodeOptions {
            data: data.to_owned(),
            accounts: self.accounts_options(),
            watch: self.library.watch,
            rescan: hours(self.library.rescan_hours),
            settle: Duration::from_secs(self.library.settle_seconds.into()),
            keep_trashed: Duration::from_secs(u64::from(self.library.trash_days) * DAY),
            media: MediaOptions {
                workers: self.media.workers,
                memory_limit: self.media.memory_limit_mib * MIB,
                timeout: Duration::from_secs(self.media.timeout_seconds.into()),
                // How many really work is decided by playback.
                transcoders: self.playback.transcodes.max(TRANSCODERS_MIN),
                devices: self.devices(),
                ..MediaOptions::new(self.worker())
            },
            playback: PlaybackOptions {
                cache_bytes: self.playback.cache_mib * MIB,
                cut_lists: Some(data.join("cut-lists")),
                ladder: self.playback.ladder.iter().filter_map(|rung| Rung::parse(rung)).collect(),
                max_bit_rate: (self.playback.max_bit_rate_kbit > 0).then_some(self.playback.max_bit_rate_kbit * 1000),
                transcodes: self.playback.transcodes,
                renditions: Some(data.join("renditions")),
                disk_cache_bytes: self.playback.disk_cache_mib * MIB,
                published: Some(data.join("published")),
                thumbnails: self.playback.thumbnails.then(|| data.join("thumbnails")),
                thumbnails_bytes: self.playback.thumbnails_mib * MIB,
            },
            fetched_bytes: self.ipfs.cache_gib.saturating_mul(GIB),
            listens: ListensOptions { url: self.listenbrainz.url.clone(), ..ListensOptions::default() },
            podcasts: self.podcasts_options(),
            scrub: ScrubOptions {
                every: (self.scrub.every_days > 0).then(|| Duration::from_secs(u64::from(self.scrub.every_days) * DAY)),
                pace: Pace {
                    bytes_per_second: (self.scrub.rate_mib > 0).then(|| u64::from(self.scrub.rate_mib) * MIB),
                },
                leave_damaged: !self.scrub.heal,
            },
            webrtc: self.webrtc.enabled.then(|| WebRtcOptions {
                listen: self.webrtc.listen,
                public_addresses: self.webrtc.public_addresses.clone(),
                connections_max: self.webrtc.connections_max,
                ..WebRtcOptions::default()
            }),
            links: self.friends.enabled.then(|| self.links_options()),
            friends: FriendsOptions {
                pictures_room: self.friends.pictures_mib.saturating_mul(MIB),
                ..FriendsOptions::default()
            },
            ipfs: self.ipfs.enabled.then(|| self.ipfs_options()),
            replicas: ReplicasOptions {
                folder: Some(&self.replicas.folder).filter(|folder| !folder.as_os_str().is_empty()).cloned(),
                quota: (self.replicas.quota_gib > 0).then(|| self.replicas.quota_gib.saturating_mul(GIB)),
                spare: self.replicas.spare_gib.saturating_mul(GIB),
                rate: (self.replicas.rate_mib > 0).then(|| u64::from(self.replicas.rate_mib) * MIB),
                ..ReplicasOptions::default()
            },
        }
    }

    fn ipfs_options(&self) -> IpfsOptions {
        let ipfs = &self.ipfs;
        IpfsOptions {
            libp2p: Libp2pOptions {
                // The data folder has it.
                secret: [0; 32],
                listen: ipfs.listen.clone(),
                public_addresses: ipfs.public_addresses.clone(),
                routing: match ipfs.routing {
                    Routing::Off => libp2p::Routing::Off,
                    Routing::Private => libp2p::Routing::Private,
                    Routing::Public => libp2p::Routing::Public,
                },
                bootstrap: ipfs.bootstrap.clone(),
                relays: ipfs.relays.clone(),
                port_mapping: ipfs.port_mapping,
                connections_max: ipfs.connections_max,
                memory_limit: (ipfs.memory_limit_mib > 0).then(|| ipfs.memory_limit_mib.saturating_mul(MIB)),
                announced_max: ipfs.announced_max,
            },
            announce_every: Duration::from_secs(u64::from(ipfs.announce_hours.max(1)) * HOUR),
            announced_per_second: ANNOUNCED_PER_SECOND,
            delegated: ipfs.delegated_routers.clone(),
            pins: PinsOptions::default(),
        }
    }

    fn podcasts_options(&self) -> PodcastsOptions {
        let podcasts = &self.podcasts;
        PodcastsOptions {
            folder: Some(&podcasts.folder).filter(|folder| !folder.as_os_str().is_empty()).cloned(),
            refresh: hours(podcasts.refresh_hours),
            newest: podcasts.newest,
            episode_max: podcasts.episode_mib.saturating_mul(MIB),
            quota: (podcasts.quota_gib > 0).then(|| podcasts.quota_gib.saturating_mul(GIB)),
            // They can be read: that was checked.
            private_networks: podcasts.private_networks.iter().filter_map(|text| network(text).ok()).collect(),
            ..PodcastsOptions::default()
        }
    }

    fn links_options(&self) -> LinksOptions {
        let friends = &self.friends;
        let name = Some(friends.name.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
        LinksOptions {
            name: name.unwrap_or_else(machine_name),
            keep: true,
            awake_max: friends.links_awake,
            unused: LINK_UNUSED,
            // The node knows it.
            ipfs: None,
            iroh: IrohOptions {
                listen: friends.listen,
                public_addresses: friends.public_addresses.clone(),
                relays: friends.relays.clone(),
                mdns: friends.discovery == Discovery::Mdns,
                congestion: match friends.congestion {
                    Congestion::Bbr => iroh::Congestion::Bbr,
                    Congestion::Cubic => iroh::Congestion::Cubic,
                },
                stream_window: friends.stream_window_kib.saturating_mul(1024),
                connections_max: friends.connections_max,
                strangers_max: friends.strangers_max,
                streams_max: friends.streams_max,
                ..IrohOptions::default()
            },
        }
    }

    /// Settings of the accounts.
    #[must_use]
    pub fn accounts_options(&self) -> AccountsOptions {
        AccountsOptions {
            session_idle: Duration::from_secs(u64::from(self.accounts.session_days) * DAY),
            audit_rows: self.accounts.audit_lines,
            ..AccountsOptions::default()
        }
    }

    /// Settings of the listeners.
    ///
    /// # Errors
    /// As when the settings were read.
    pub fn serve_options(&self) -> Result<ServeOptions, ConfigError> {
        self.check()?;
        let trusted_proxies = TrustedProxies::parse(&self.server.trusted_proxies).unwrap_or_default();
        Ok(ServeOptions {
            listen: self.server.listen,
            // Empty, or an address: that was checked.
            komga: self.komga.listen.trim().parse().ok(),
            tls: match self.server.tls {
                Tls::Off => TlsMode::Off,
                Tls::SelfSigned => TlsMode::SelfSigned,
                Tls::Files => TlsMode::Files { cert: self.server.tls_cert.clone(), key: self.server.tls_key.clone() },
            },
            connections_max: self.server.connections_max,
            facades: FacadeOptions {
                trusted_proxies,
                metrics: MetricsAccess {
                    loopback: self.metrics.loopback,
                    token: self.metrics.token.reveal().map(TokenHash::of),
                },
                stun_servers: self.webrtc.stun_servers.clone(),
                webrtc_connections_per_page: self.webrtc.connections_per_page,
                uploads: UploadOptions {
                    each: upload_limit(self.friends.upload_kbit_each),
                    all: upload_limit(self.friends.upload_kbit),
                    hours: self.friends.upload_hours.iter().filter_map(|hours| UploadHours::parse(hours)).collect(),
                    ..UploadOptions::default()
                },
                login_passwords: match self.subsonic.login_passwords {
                    LoginPasswords::Never => subsonic::LoginPasswords::Never,
                    LoginPasswords::Https => subsonic::LoginPasswords::Https,
                    LoginPasswords::Always => subsonic::LoginPasswords::Always,
                },
                no_shares: !self.subsonic.shares,
                ipfs: gateway::IpfsOptions {
                    fetch: match self.ipfs.fetch {
                        WhoFetches::Everyone => gateway::WhoFetches::Everyone,
                        WhoFetches::Admins => gateway::WhoFetches::Admins,
                        WhoFetches::Nobody => gateway::WhoFetches::Nobody,
                    },
                    subdomain_hosts: self.ipfs.subdomain_hosts.clone(),
                },
                friend_requests: self.friends.requests_per_second,
            },
        })
    }

    fn devices(&self) -> Option<Vec<String>> {
        match &self.media.devices[..] {
            [] => None,
            [word] if word == "none" => Some(Vec::new()),
            devices => Some(devices.to_vec()),
        }
    }

    fn worker(&self) -> PathBuf {
        if !self.media.worker.as_os_str().is_empty() {
            return self.media.worker.clone();
        }
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(WORKER)));
        beside.unwrap_or_else(|| PathBuf::from(WORKER))
    }
}

/// Workers that may stand ready for films.
const TRANSCODERS_MIN: usize = 4;
const WORKER: &str = "potluck-media-worker";

fn machine_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let plain: String = name.chars().filter(|c| !c.is_control() && *c != ':').take(64).collect();
    if plain.trim().is_empty() { "Potluck".to_owned() } else { plain }
}

fn network(text: &str) -> Result<Network, String> {
    text.trim().parse()
}

fn hours(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(u64::from(hours) * HOUR))
}
