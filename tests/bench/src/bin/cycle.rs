//! The whole cycle with our library; see `bench::cycle`.

use std::io::stdout;
use std::path::PathBuf;

use bench::stages::Stages;
use bench::{Failure, cycle};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// A data set.
    folder: PathBuf,
    /// Where the signed new list is written; must not be there.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut out = stdout().lock();
    cycle::run(&args.folder, &args.out, &mut Stages::new(&mut out))
}
