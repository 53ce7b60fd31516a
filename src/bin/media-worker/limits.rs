//! What a worker may use, set before it reads a byte of any file: it may be fed anything, and must not be able to fill
//! the memory, the disk or a core, nor outlive its node.
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Descriptors: the socket, the standard streams, the files kept open, and what drivers hold of their devices.
const OPEN_FILES: u64 = 256;
/// How far whoever makes the sound of a whole file steps back once somebody hears it: it is made many times as quick as it is
/// heard, so films go first.
const BEHIND_FILMS: i32 = 6;
/// The signal of a write over the limit, and what ignores it.
const SIGXFSZ: std::ffi::c_int = 25;
const IGNORE: usize = 1;

/// Parameters of the C library's allocator (`mallopt(3)`), and what they are set to.
const M_TRIM_THRESHOLD: std::ffi::c_int = -1;
const M_MMAP_THRESHOLD: std::ffi::c_int = -3;
const M_ARENA_MAX: std::ffi::c_int = -8;
const KEPT_BYTES: std::ffi::c_int = 128 << 20;
const LARGE_BYTES: std::ffi::c_int = 4 << 20;

unsafe extern "C" {
    fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    fn signal(number: std::ffi::c_int, handler: usize) -> usize;
}

/// Lets others go first from now on. It counts for this thread alone and cannot be taken back.
pub fn step_back() {
    // Without it the sound is made as well.
    let _ = nice(BEHIND_FILMS);
}

/// Sets everything that stays the same while the worker lives. Memory of its own (`RLIMIT_DATA`) is limited always;
/// address space only where no driver maps a device's memory into it.
pub fn confine(memory_bytes: u64, address_bytes: u64, niceness: u64) -> anyhow::Result<()> {
    limit(Resource::Data, memory_bytes).context("limiting memory")?;
    if address_bytes > 0 {
        limit(Resource::As, address_bytes).context("limiting the address space")?;
    }
    limit(Resource::Core, 0).context("forbidding core dumps")?;
    limit(Resource::Fsize, 0).context("forbidding to write files")?;
    // Drivers try to keep compiled shaders: that shall fail, not end the process.
    // SAFETY: the C library's own function; nothing is called when the signal comes.
    unsafe { signal(SIGXFSZ, IGNORE) };
    limit(Resource::Nofile, OPEN_FILES).context("limiting open files")?;
    nice(i32::try_from(niceness.min(19))?).context("lowering priority")?;
    Ok(())
}

/// Keeps memory that was freed for the next encoder, which wants just as much, a second or two later. Given back to the
/// kernel, it would come back page by page, each cleared anew: 1 to 2 % of the time that a segment takes.
pub fn keep_memory() {
    let parameters = [(M_ARENA_MAX, 1), (M_TRIM_THRESHOLD, KEPT_BYTES), (M_MMAP_THRESHOLD, LARGE_BYTES)];
    for (parameter, value) in parameters {
        // SAFETY: the C library's own function, called before other threads work. One that it does not know it refuses,
        // and then the usual holds.
        unsafe { mallopt(parameter, value) };
    }
}

fn limit(resource: Resource, value: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

/// Allows each core this much time from now on; beyond it the kernel ends the process.
pub fn allow_cpu(time: Duration) -> rustix::io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let until = u64::try_from(used.tv_sec).unwrap_or(0) + time.as_secs().saturating_mul(cores) + 1;
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
