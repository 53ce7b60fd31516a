//! The `potluck` command: makes the runtime and hands over to [`potluck::cli`].
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use potluck::cli::Cli;

/// Threads that wait on disks and databases, at most; they end when they are idle.
const BLOCKING_THREADS: usize = 32;

fn main() -> ExitCode {
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
        Ok(runtime) => runtime.block_on(cli.run()),
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
