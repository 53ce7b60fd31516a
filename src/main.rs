//! The `potluck` command: makes the runtime and hands over to [`potluck::cli`].
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use potluck::cli::Cli;

/// Threads that wait on disks and databases, at most; they end when they are idle.
const BLOCKING_THREADS: usize = 32;
/// How often the process looks whether it holds memory that it does not need, and bytes from which on that is worth the work.
const LOOK: Duration = Duration::from_secs(5);
const WORTH: u64 = 4 << 20;

fn main() -> ExitCode {
    use_one_heap();
    let cli = Cli::parse();
    // Two providers are linked in by various crates' features at times; one is chosen here, once.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(Duration::from_secs(5))
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            runtime.spawn(give_memory_back());
            runtime.block_on(cli.run())
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Gives back to the system what was freed after a peak, a scan for example. The C library keeps most of it otherwise: what lies
/// between two pieces that are in use. Does nothing while the process does not grow.
async fn give_memory_back() {
    let mut least = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(now) = own_memory() else { return };
        if now < least + WORTH {
            least = least.min(now);
            continue;
        }
        // Walks all heaps: some milliseconds for a hundred megabytes.
        let _ = tokio::task::spawn_blocking(trim).await;
        least = own_memory().unwrap_or(now);
    }
}

/// Bytes of memory that are not of files; `None` where the system does not tell.
fn own_memory() -> Option<u64> {
    let sizes = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = sizes.split_whitespace().skip(1).map_while(|pages| pages.parse::<u64>().ok());
    let (resident, of_files) = (pages.next()?, pages.next()?);
    Some(resident.saturating_sub(of_files) * rustix::param::page_size() as u64)
}

/// All threads share one heap. Each would have its own otherwise, up to eight for a processor, and what one scan freed in the heap of
/// its thread would not serve the next one in another's. The ends of heaps but the first are never given back either.
#[cfg(target_env = "gnu")]
fn use_one_heap() {
    /// Of `mallopt(3)`.
    const M_ARENA_MAX: std::ffi::c_int = -8;
    unsafe extern "C" {
        fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    }
    // SAFETY: the C library's own function, called before there is another thread.
    unsafe { mallopt(M_ARENA_MAX, 1) };
}

#[cfg(not(target_env = "gnu"))]
fn use_one_heap() {}

#[cfg(target_env = "gnu")]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(keep: usize) -> std::ffi::c_int;
    }
    // SAFETY: the C library's own function (`malloc_trim(3)`), which takes its own locks.
    unsafe { malloc_trim(0) };
}

/// Other C libraries give back by themselves.
#[cfg(not(target_env = "gnu"))]
fn trim() {}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_freed_between_what_is_in_use_goes_back() {
        let piece = || vec![7u8; 1024];
        let mut pieces: Vec<Vec<u8>> = (0..64 * 1024).map(|_| piece()).collect();
        let mut n = 0;
        // One of a thousand stays, so that the heap cannot shrink from its end.
        pieces.retain(|_| {
            n += 1;
            n % 1000 == 0
        });
        let freed = own_memory().unwrap();
        trim();
        let left = own_memory().unwrap();
        assert!(left + (32 << 20) < freed, "{freed} to {left} bytes, {} pieces", pieces.len());
    }
}
