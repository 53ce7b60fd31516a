//! A small internet of network namespaces: places that reach each other through a router, homes behind NAT, and what goes wrong
//! on the way. It needs root, `ip` and `nft`; where that is missing, whoever wants one is told so and leaves.
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Where nodes listen for friends.
pub const PORT: u16 = 9001;
/// The first machine of every home has this one inside, as in most homes.
const INSIDE: u8 = 2;

/// All of it, in a namespace of its own that routes between the places.
pub struct Internet {
    core: Namespace,
    places: AtomicU8,
}

/// Where a node is.
pub struct Place {
    namespace: Namespace,
    /// The namespace of the home's router, and what it translates.
    router: Option<Namespace>,
    number: u8,
    /// Its address at home ends so.
    inside: u8,
}

/// How a home's router treats what comes from outside without having been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router {
    /// Drops it.
    Closed,
    /// Drops it, except for [`PORT`], which it passes on.
    Forwards,
    /// Drops it, and has another port outside for each machine that is spoken to: no hole can be punched.
    Symmetric,
}

/// Gone with the value.
struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may be gone already; nothing else depends on it.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

impl Namespace {
    fn new(name: String) -> Self {
        ip(&format!("netns add {name}"));
        ip(&format!("-n {name} link set lo up"));
        Self(name)
    }

    fn nft(&self, rules: &str) {
        feed(Command::new("ip").args(["netns", "exec", &self.0, "nft", "-f", "-"]), rules);
    }

    fn forward(&self) {
        feed(Command::new("ip").args(["netns", "exec", &self.0, "sh"]), "echo 1 > /proc/sys/net/ipv4/ip_forward");
    }
}

impl Internet {
    /// An empty one; `None` where this machine does not allow it, which is said.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Looked at once: tests run beside each other, and a namespace has one name.
        static MISSING: LazyLock<Option<&str>> = LazyLock::new(missing);
        if let Some(missing) = *MISSING {
            eprintln!("left out: a network of namespaces needs {missing}");
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let core = Namespace::new(format!("potluck-{}-{number}", std::process::id()));
        core.forward();
        core.nft(
            "table ip faults {
                set cut { type ipv4_addr; }
                chain loss { }
                chain forward {
                    type filter hook forward priority 0;
                    ip saddr @cut drop
                    ip daddr @cut drop
                    jump loss
                }
            }\n",
        );
        Some(Self { core, places: AtomicU8::new(0) })
    }

    /// A place that everybody reaches.
    pub fn street(&self) -> Place {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace::new(format!("{}-{number}", self.core.0));
        self.connect(&namespace, number);
        Place { namespace, router: None, number, inside: 0 }
    }

    /// A place behind a router that hides it, as homes have one.
    pub fn home(&self, manner: Router) -> Place {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace::new(format!("{}-{number}", self.core.0));
        let router = Namespace::new(format!("{}-{number}r", self.core.0));
        self.connect(&router, number);
        let outside = &router.0;
        ip(&format!("-n {outside} link add lan type bridge mcast_snooping 0"));
        ip(&format!("-n {outside} addr add 192.168.1.1/24 dev lan"));
        ip(&format!("-n {outside} link set lan up"));
        plug_in(&namespace, &router, INSIDE);
        router.forward();
        router.nft(&translation(manner));
        Place { namespace, router: Some(router), number, inside: INSIDE }
    }

    /// Another machine in that home, which needs it.
    pub fn beside(&self, home: &Place) -> Place {
        let inside = INSIDE + 1 + self.places.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace::new(format!("{}-{}-{inside}", self.core.0, home.number));
        plug_in(&namespace, home.router.as_ref().expect("a street has no machines beside"), inside);
        Place { namespace, router: None, number: home.number, inside }
    }

    /// A line from the core to a namespace, which has the address 10.7.NUMBER.2 there.
    fn connect(&self, to: &Namespace, number: u8) {
        let (core, to) = (&self.core.0, &to.0);
        ip(&format!("link add wan netns {to} type veth peer name to{number} netns {core}"));
        // Packets are lost one by one, not by the bundle.
        ip(&format!("-n {core} link set to{number} gso_max_segs 1 up"));
        ip(&format!("-n {core} addr add 10.7.{number}.1/24 dev to{number}"));
        ip(&format!("-n {to} link set wan gso_max_segs 1 up"));
        ip(&format!("-n {to} addr add 10.7.{number}.2/24 dev wan"));
        ip(&format!("-n {to} route add default via 10.7.{number}.1"));
    }

    /// Nothing comes from there or gets there any more. Nobody is told.
    pub fn cut(&self, place: &Place) {
        self.core.nft(&format!("add element ip faults cut {{ {} }}\n", place.address()));
    }

    /// The opposite.
    pub fn mend(&self, place: &Place) {
        self.core.nft(&format!("delete element ip faults cut {{ {} }}\n", place.address()));
    }

    /// So many packets of a hundred are lost from now on, on every way.
    pub fn lose(&self, percent: u8) {
        self.core.nft(&format!("add rule ip faults loss numgen random mod 100 < {percent} drop\n"));
    }
}

impl Place {
    /// Where others reach it: of a home, its router.
    pub fn address(&self) -> String {
        format!("10.7.{}.2", self.number)
    }

    /// The home's provider gives it another address, as some do every night: what was translated to the old one ends.
    pub fn renumber(&mut self) {
        let Some(Namespace(router)) = &self.router else { panic!("a street is not renumbered") };
        let number = self.number;
        ip(&format!("-n {router} addr del 10.7.{number}.2/24 dev wan"));
        ip(&format!("-n {router} addr add 10.7.{number}.3/24 dev wan"));
        // It went with the address.
        ip(&format!("-n {router} route add default via 10.7.{number}.1"));
    }

    /// The home's router gives it another address inside.
    pub fn move_inside(&mut self) {
        let Namespace(namespace) = &self.namespace;
        ip(&format!("-n {namespace} addr del 192.168.1.{}/24 dev lan", self.inside));
        self.inside += 100;
        number(namespace, self.inside);
    }

    /// Does something there, on a thread of its own.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.namespace.0)).unwrap();
        std::thread::spawn(move || {
            let network = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(namespace.as_fd(), network).unwrap();
            work();
        });
    }

    /// Runs there.
    pub fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("ip");
        command.args(["netns", "exec", &self.namespace.0, program]);
        command
    }
}

/// A line from a home's router to a machine.
fn plug_in(machine: &Namespace, router: &Namespace, inside: u8) {
    let (machine, router) = (&machine.0, &router.0);
    ip(&format!("link add lan netns {machine} type veth peer name to{inside} netns {router}"));
    ip(&format!("-n {router} link set to{inside} master lan up"));
    ip(&format!("-n {machine} link set lan up"));
    number(machine, inside);
}

fn number(machine: &str, inside: u8) {
    ip(&format!("-n {machine} addr add 192.168.1.{inside}/24 dev lan"));
    ip(&format!("-n {machine} route add default via 192.168.1.1"));
}

fn translation(manner: Router) -> String {
    let forwards = match manner {
        Router::Forwards => format!("iifname wan udp dport {PORT} dnat to 192.168.1.{INSIDE}"),
        Router::Closed | Router::Symmetric => String::new(),
    };
    let ports = if manner == Router::Symmetric { "fully-random" } else { "" };
    format!(
        "table ip home {{
            chain pre {{ type nat hook prerouting priority -100; {forwards}
            }}
            chain post {{ type nat hook postrouting priority 100; oifname wan masquerade {ports}
            }}
            chain input {{ type filter hook input priority 0; iifname wan ct state new drop
            }}
        }}\n"
    )
}

fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("root");
    }
    let there = |program: &str| Command::new(program).arg("-V").output().is_ok_and(|output| output.status.success());
    if !there("ip") || !there("nft") {
        return Some("the programs ip and nft (Debian: iproute2, nftables)");
    }
    let name = format!("potluck-{}-try", std::process::id());
    let made = Command::new("ip").args(["netns", "add", &name]).output().is_ok_and(|output| output.status.success());
    let namespace = made.then(|| Namespace(name));
    namespace.is_none().then_some("the right to make namespaces")
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn feed(command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
}
