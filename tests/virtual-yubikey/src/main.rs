//! The card as a program: on a reader that is there already, or on a stage of its own to play with.

#![allow(
    clippy::disallowed_types,
    reason = "vpcd is reached over TCP; nothing here is shipped"
)]

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;

use virtual_yubikey::{Card, Firmware, Stage, State, attestation, control, stage, vpcd};

const USAGE: &str = "\
virtual-yubikey --print-ca                      the TEST CA's certificate, as PEM
virtual-yubikey card [OPTION]... --port N       one card for a vpcd that listens on port N
virtual-yubikey play [OPTION]... -- COMMAND...  runs COMMAND with a private pcscd that holds one card

  --serial N         12345678 unless said otherwise
  --firmware X.Y.Z   5.7.1 unless said otherwise
  --state FILE       keeps the card in FILE, keys and PIN in clear; else it is forgotten
  --log FILE         appends what the card is asked: instruction, parameters, status
  --control SOCKET   listens there for the words below, one line each
  --fault WORDS      says one of them from the start; may be given again

Words:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "{reason}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--print-ca"] => {
            let pem = attestation::test_ca_pem().ok_or("the test CA's certificate failed")?;
            let written = std::io::stdout().write_all(pem.as_bytes());
            written.map_err(|error| format!("standard output: {error}"))?;
            Ok(ExitCode::SUCCESS)
        }
        ["card", options @ ..] => Options::parse(options)?.serve(),
        ["play", ..] if !stage::is_inside() => {
            let status = stage::rerun_inside(arguments)?;
            Ok(if status.success() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        ["play", options @ ..] => Options::parse(options)?.play(),
        _ => Err(format!("{USAGE}{}", control::GRAMMAR)),
    }
}

struct Options {
    serial: u32,
    firmware: Firmware,
    port: Option<u16>,
    state: Option<PathBuf>,
    log: Option<PathBuf>,
    control: Option<PathBuf>,
    faults: Vec<String>,
    command: Vec<String>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            serial: 12_345_678,
            firmware: Firmware::V5_7_1,
            port: None,
            state: None,
            log: None,
            control: None,
            faults: Vec::new(),
            command: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(&name) = words.next() {
            if name == "--" {
                options.command = words.by_ref().map(ToString::to_string).collect();
                break;
            }
            let value = *words
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            let wrong = || format!("{name} {value} is not understood");
            match name {
                "--serial" => options.serial = value.parse().map_err(|_| wrong())?,
                "--firmware" => options.firmware = value.parse()?,
                "--port" => options.port = Some(value.parse().map_err(|_| wrong())?),
                "--state" => options.state = Some(value.into()),
                "--log" => options.log = Some(value.into()),
                "--control" => options.control = Some(value.into()),
                "--fault" => options.faults.push(value.to_owned()),
                _ => return Err(format!("{name} is no option\n{USAGE}{}", control::GRAMMAR)),
            }
        }
        Ok(options)
    }

    fn card(&self) -> Result<Card, String> {
        let new = State::new(self.serial, self.firmware);
        let card = match &self.state {
            None => Card::new(new),
            Some(path) => {
                Card::open(path, new).map_err(|error| format!("{}: {error}", path.display()))?
            }
        };
        let controls = card.controls();
        for fault in &self.faults {
            control::obey(fault, &controls)?;
        }
        if let Some(path) = &self.log {
            let file = File::options().create(true).append(true).open(path);
            controls.log_to(file.map_err(|error| format!("{}: {error}", path.display()))?);
        }
        if let Some(path) = &self.control {
            control::listen(path, controls)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(card)
    }

    fn serve(&self) -> Result<ExitCode, String> {
        let port = self.port.ok_or("card needs --port")?;
        let card = Mutex::new(self.card()?);
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| format!("no vpcd on port {port}: {error}"))?;
        let wire = vpcd::Wire::new(stream).map_err(|error| format!("the wire to vpcd: {error}"))?;
        let served = wire.serve(&card);
        wire.tear();
        served.map_err(|error| format!("the wire to vpcd: {error}"))?;
        Ok(ExitCode::SUCCESS)
    }

    fn play(&self) -> Result<ExitCode, String> {
        let (program, arguments) = self.command.split_first().ok_or("play needs -- COMMAND")?;
        let stage = Stage::start()?;
        let _card = stage.insert(self.card()?);
        let status = Command::new(program)
            .args(arguments)
            .status()
            .map_err(|error| format!("{program}: {error}"))?;
        Ok(if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
