//! What no program can avoid that does the cycle; see `bench::limit`.

use std::io::stdout;
use std::path::PathBuf;

use bench::stages::Stages;
use bench::{Failure, limit};
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
    limit::run(&args.folder, &args.out, &mut Stages::new(&mut out))
}
