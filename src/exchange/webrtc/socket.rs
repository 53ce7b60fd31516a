//! The one UDP port: batches in and out, and the addresses it can be reached at.
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Longest datagram that is read; ours and browsers' are at most about 1,250 bytes.
const DATAGRAM_MAX: usize = 2048;
/// Datagrams given to the kernel in one call. Few, because Chromium's receive buffer holds about 57 in all.
const BURST_MAX: usize = 10;
/// Kernel buffers asked for, bytes.
const BUFFER: usize = 2 * 1024 * 1024;

/// A datagram that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub source: SocketAddr,
    /// Our address that it was sent to.
    pub destination: SocketAddr,
    pub bytes: &'a [u8],
}

/// Datagrams of one size for one destination, as the kernel's segmentation takes them.
struct Batch {
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Vec<u8>,
    segment: usize,
    count: usize,
    /// A shorter datagram ended it.
    full: bool,
}

/// The shared socket.
pub struct Socket {
    udp: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
    burst_max: usize,
    open: Option<Batch>,
    /// What the kernel did not take yet.
    backlog: VecDeque<Batch>,
    spare: Vec<Vec<u8>>,
    buffers: Vec<Vec<u8>>,
}

impl Socket {
    /// Binds the port.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let udp = UdpSocket::bind(listen).await?;
        let state = UdpSocketState::new((&udp).into())?;
        // The kernel's own limit may be lower; smaller buffers only cost speed.
        let _ = state.set_recv_buffer_size((&udp).into(), BUFFER);
        let _ = state.set_send_buffer_size((&udp).into(), BUFFER);
        let buffers = vec![vec![0; DATAGRAM_MAX * state.gro_segments()]; BATCH_SIZE];
        Ok(Self {
            address: udp.local_addr()?,
            burst_max: state.max_gso_segments().min(BURST_MAX),
            udp,
            state,
            open: None,
            backlog: VecDeque::new(),
            spare: Vec::new(),
            buffers,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until datagrams can be read or, if some wait to be sent, written.
    pub async fn ready(&self) -> io::Result<()> {
        let interest =
            if self.backlog.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        self.udp.ready(interest).await.map(drop)
    }

    /// Hands each datagram that is there to `take`, one batch at most; false if none was there.
    pub fn receive(&mut self, mut take: impl FnMut(Arrival<'_>)) -> bool {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut slices: Vec<IoSliceMut<'_>> = self.buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
        let (udp, state) = (&self.udp, &self.state);
        let read = udp.try_io(Interest::READABLE, || state.recv(udp.into(), &mut slices, &mut metas));
        // Errors here are other hosts' refusals of what we sent: ICE finds out by itself.
        let Ok(count) = read else { return false };
        for (meta, buffer) in metas.iter().zip(&self.buffers).take(count) {
            let source = canonical(meta.addr);
            let ip = meta.dst_ip.map_or(self.address.ip(), |ip| ip.to_canonical());
            let destination = SocketAddr::new(ip, self.address.port());
            for bytes in buffer[..meta.len].chunks(meta.stride.max(1)) {
                take(Arrival { source, destination, bytes });
            }
        }
        true
    }

    /// Queues a datagram; [`Socket::flush`] sends what is left.
    pub fn send(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        let fits = self.open.as_ref().is_some_and(|batch| {
            batch.destination == destination
                && batch.source == source
                && !batch.full
                && batch.count < self.burst_max
                && bytes.len() <= batch.segment
        });
        if !fits {
            self.flush();
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.clear();
            let segment = bytes.len();
            self.open = Some(Batch { source, destination, bytes: buffer, segment, count: 0, full: false });
        }
        if let Some(batch) = &mut self.open {
            batch.bytes.extend_from_slice(bytes);
            batch.count += 1;
            batch.full = bytes.len() < batch.segment;
        }
    }

    /// Gives everything queued to the kernel, as far as it takes it.
    pub fn flush(&mut self) {
        self.backlog.extend(self.open.take());
        while let Some(batch) = self.backlog.pop_front() {
            if !self.give(&batch) {
                self.backlog.push_front(batch);
                return;
            }
            if self.spare.len() < 4 {
                self.spare.push(batch.bytes);
            }
        }
    }

    /// Whether the kernel takes no more at the moment.
    pub fn is_blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    fn give(&self, batch: &Batch) -> bool {
        let transmit = Transmit {
            destination: for_socket(self.address, batch.destination),
            ecn: None,
            contents: &batch.bytes,
            segment_size: (batch.count > 1).then_some(batch.segment),
            src_ip: self.address.ip().is_unspecified().then(|| batch.source.ip()),
        };
        let sent = self.udp.try_io(Interest::WRITABLE, || self.state.try_send((&self.udp).into(), &transmit));
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                // An address without a route is usual among a browser's candidates; the path that works is kept by ICE.
                tracing::trace!(peer.address = %batch.destination, %error, "a datagram was not sent");
                true
            }
            Ok(()) => true,
        }
    }
}

/// IPv4 addresses as such, also on a socket for both families.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The form of `address` that a socket bound to `own` takes.
fn for_socket(own: SocketAddr, address: SocketAddr) -> SocketAddr {
    match (own, address.ip()) {
        (SocketAddr::V6(_), IpAddr::V4(ip)) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        _ => address,
    }
}

/// Addresses of this machine that reach a socket bound to `own`. Loopback only where nothing else is there.
pub fn local_addresses(own: SocketAddr) -> Vec<SocketAddr> {
    if !own.ip().is_unspecified() {
        return vec![own];
    }
    let all = machine_addresses();
    let usable = |ip: &&IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        IpAddr::V6(ip) => own.is_ipv6() && !ip.is_unicast_link_local(),
    };
    let (loopback, mut found): (Vec<IpAddr>, Vec<IpAddr>) = all.iter().filter(usable).partition(|ip| ip.is_loopback());
    if found.is_empty() {
        found = loopback;
    }
    found.into_iter().map(|ip| SocketAddr::new(ip, own.port())).collect()
}

/// Addresses of this machine's interfaces.
#[must_use]
pub fn machine_addresses() -> Vec<IpAddr> {
    if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_arrive_whole_and_in_order_with_both_addresses() {
        let mut a = Socket::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut b = Socket::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let sizes = [1200, 1200, 1200, 300, 1200, 1300, 5, 0, 7];
        for size in sizes {
            a.send(a.address(), b.address(), &vec![size as u8; size]);
        }
        a.flush();
        while a.is_blocked() {
            a.ready().await.unwrap();
            a.flush();
        }
        let mut seen = Vec::new();
        while seen.len() < sizes.len() - 1 {
            b.ready().await.unwrap();
            b.receive(|arrival| {
                assert_eq!(arrival.source, a.address());
                seen.push(arrival.bytes.len());
            });
        }
        assert_eq!(seen, [1200, 1200, 1200, 300, 1200, 1300, 5, 7], "an empty datagram is nothing to us");
    }

    #[test]
    fn a_bound_address_is_the_only_one_and_a_wildcard_gives_the_machines() {
        let bound: SocketAddr = "127.0.0.1:9000".parse().unwrap();
        assert_eq!(local_addresses(bound), [bound]);
        let all = local_addresses("0.0.0.0:9000".parse().unwrap());
        assert!(!all.is_empty());
        assert!(all.iter().all(|a| a.is_ipv4() && a.port() == 9000));
    }
}
