//! Certificates: from files, or one that the node makes for itself.
use std::fs::DirBuilder;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use data_encoding::HEXUPPER;
use parking_lot::RwLock;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use crate::node::write_secret;

/// How often certificate files are looked at.
const LOOK: Duration = Duration::from_secs(30);
/// Days that a certificate of our own is valid; browsers accept no more than 825.
const OWN_DAYS: i64 = 820;
/// It is replaced at a start when it is older than this.
const OWN_RENEW: Duration = Duration::from_secs(760 * 24 * 3600);

/// How connections are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    /// Not by us: behind a proxy, or on this machine only.
    Off,
    /// By a certificate that the node makes for itself, which a person accepts once by its fingerprint.
    SelfSigned,
    /// By PEM files, read again when they change.
    Files {
        /// The chain, own certificate first.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

/// The certificate in use.
pub(super) struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    own: bool,
    config: RwLock<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads, or makes and reads, what the mode asks for.
    pub fn load(mode: &TlsMode, folder: &Path) -> Result<Option<Arc<Self>>, ServeError> {
        let (cert, key, own) = match mode {
            TlsMode::Off => return Ok(None),
            TlsMode::Files { cert, key } => (cert.clone(), key.clone(), false),
            TlsMode::SelfSigned => {
                let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
                if !fresh(&cert) || !key.exists() {
                    make_own(folder, &cert, &key)?;
                }
                (cert, key, true)
            }
        };
        let config = RwLock::new(Arc::new(read(&cert, &key)?));
        Ok(Some(Arc::new(Self { cert, key, own, config })))
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read()))
    }

    /// SHA-256 of a certificate of our own.
    pub fn fingerprint(&self) -> Option<String> {
        let certificate = CertificateDer::from_pem_file(&self.cert).ok().filter(|_| self.own)?;
        let hash = digest::digest(&digest::SHA256, &certificate);
        let pairs: Vec<String> = hash.as_ref().iter().map(|byte| HEXUPPER.encode(&[*byte])).collect();
        Some(pairs.join(":"))
    }

    /// Takes over files that changed. Files that cannot be used change nothing.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = self.stamp();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            let now = self.stamp();
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.cert, &self.key) {
                Ok(config) => {
                    *self.config.write() = Arc::new(config);
                    tracing::info!(tls.cert = %self.cert.display(), "took over a changed certificate");
                }
                Err(error) => tracing::error!(error = %error, "a changed certificate cannot be used; keeping the old"),
            }
        }
    }

    fn stamp(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| path.metadata().and_then(|m| m.modified()).ok())
    }
}

fn read(cert: &Path, key: &Path) -> Result<ServerConfig, ServeError> {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| ServeError::Tls(format!("{}: {why}", path.display()));
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unusable(cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, secret);
    let mut config = config.map_err(|error| unusable(cert, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn fresh(cert: &Path) -> bool {
    let made = cert.metadata().and_then(|m| m.modified()).ok();
    made.and_then(|at| at.elapsed().ok()).is_some_and(|age| age < OWN_RENEW)
}

fn make_own(folder: &Path, cert: &Path, key: &Path) -> Result<(), ServeError> {
    let made = own_certificate().map_err(|error| ServeError::Tls(error.to_string()))?;
    let written = DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
        for path in [cert, key] {
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        write_secret(key, made.1.as_bytes())?;
        write_secret(cert, made.0.as_bytes())
    });
    written.map_err(|error| ServeError::Tls(format!("{}: {error}", folder.display())))
}

/// Certificate and key in PEM.
fn own_certificate() -> Result<(String, String), rcgen::Error> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_name());
    names.extend([IpAddr::from([127, 0, 0, 1]), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)].map(|ip| ip.to_string()));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "Potluck node");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let date = |date: jiff::civil::Date| {
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = date(today.saturating_sub(jiff::Span::new().days(1)));
    params.not_after = date(today.saturating_add(jiff::Span::new().days(OWN_DAYS)));
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name != "localhost" && name.chars().all(plain)).then_some(name)
}
