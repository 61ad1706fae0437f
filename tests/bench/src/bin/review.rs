//! The waits of a review; see `bench::review`.

use std::io::stdout;
use std::path::PathBuf;

use bench::stages::Stages;
use bench::{Failure, review};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// A data set.
    folder: PathBuf,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut out = stdout().lock();
    review::run(&args.folder, &mut Stages::new(&mut out))
}
