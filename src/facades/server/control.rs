//! The control socket: the same router for the command line on this machine, as local admin.
//!
//! The data folder is its owner's alone, the socket has mode 0600, and whoever connects must be the same user or root.
use std::convert::Infallible;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::{GRACE, accept};
use crate::facades::carrier::NodeRouter;

/// Paths of sockets are at most 107 bytes long; longer ones are reached through their folder's descriptor.
const PATH_MAX: usize = 107;

/// Makes the socket, in place of one that a process left behind. The data folder's lock is held, so nobody listens there.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = via_folder(path, |short| UnixListener::bind(short))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Runs `f` with a path of that socket that is short enough.
fn via_folder<T>(path: &Path, f: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return f(path) };
    if path.as_os_str().len() <= PATH_MAX {
        return f(path);
    }
    let folder = File::open(folder)?;
    f(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

/// Connects to the node that listens at `path`.
///
/// # Errors
/// When nobody listens there.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = via_folder(path, |short| std::os::unix::net::UnixStream::connect(short))?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

pub(super) async fn run(listener: UnixListener, path: PathBuf, router: NodeRouter, stop: CancellationToken) {
    let (graceful, cut) = (GracefulShutdown::new(), CancellationToken::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, _)) = accepted.inspect_err(|error| tracing::warn!(error = %error, "the control socket failed"))
        else {
            tokio::task::yield_now().await;
            continue;
        };
        if !ours(&stream) {
            tracing::warn!(target: "audit", "refused another user at the control socket");
            continue;
        }
        let (router, watcher, cut) = (router.clone(), graceful.watcher(), cut.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(router.clone(), request));
            let builder = accept::protocol();
            let served = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
            if let Some(Err(error)) = cut.run_until_cancelled_owned(served).await {
                tracing::debug!(error, "a control connection ended badly");
            }
        });
    }
    // Nobody has to wait for a socket that is not listened to.
    let _ = std::fs::remove_file(&path);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    cut.cancel();
}

fn ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn answer(router: NodeRouter, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(router.local_caller());
    Ok(router.answer(request.map(Body::new)).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_in_a_deep_folder_is_made_and_reached_and_is_private() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("x".repeat(120));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("control.sock");
        let listener = bind(&path).unwrap();
        let (connected, accepted) = tokio::join!(connect(&path), listener.accept());
        assert!(connected.is_ok());
        assert!(ours(&accepted.unwrap().0));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(bind(&path).unwrap());
    }
}
