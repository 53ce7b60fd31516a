//! What a worker may use, set before it reads a byte of any file: it may be fed anything, and must not be able to fill
//! the memory, the disk or a core, nor outlive its node.
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Descriptors: the socket, the standard streams, and the files kept open.
const OPEN_FILES: u64 = 64;
/// How far a worker steps back behind the node.
const NICENESS: i32 = 5;

/// Sets everything that stays the same while the worker lives.
pub fn confine(memory_bytes: u64) -> anyhow::Result<()> {
    limit(Resource::As, memory_bytes).context("limiting memory")?;
    limit(Resource::Core, 0).context("forbidding core dumps")?;
    limit(Resource::Fsize, 0).context("forbidding to write files")?;
    limit(Resource::Nofile, OPEN_FILES).context("limiting open files")?;
    nice(NICENESS).context("lowering priority")?;
    Ok(())
}

fn limit(resource: Resource, value: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

/// Allows this much CPU time from now on; beyond it the kernel ends the process.
pub fn allow_cpu(time: Duration) -> rustix::io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let until = u64::try_from(used.tv_sec).unwrap_or(0) + time.as_secs() + 1;
    setrlimit(Resource::Cpu, Rlimit { current: Some(until), maximum: getrlimit(Resource::Cpu).maximum })
}

/// Ends the process as soon as the node closes its end of the socket, even in the middle of a request.
///
/// `PR_SET_PDEATHSIG` would do this too, but it fires when the *thread* that started us ends, and the node's runtime
/// retires threads while it lives.
pub fn end_with_the_node() -> anyhow::Result<()> {
    let watch = || {
        let stdin = rustix::stdio::stdin();
        loop {
            let mut sockets = [PollFd::new(&stdin, PollFlags::empty())];
            if poll(&mut sockets, None).is_ok() && !sockets[0].revents().is_empty() {
                std::process::exit(0);
            }
        }
    };
    std::thread::Builder::new().name("hang-up".to_owned()).stack_size(64 * 1024).spawn(watch)?;
    Ok(())
}
