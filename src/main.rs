//! Arguments, then a shell, then an exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    tuf_ceremony::cli::run(&mut std::io::stdout(), &mut std::io::stderr()).into()
}
