//! A ceremony that asks every kind of question and touches nothing: what runs on the ceremony's thread in these tests.

use std::path::PathBuf;
use std::sync::Arc;

use portable_pty::CommandBuilder;
use tuf_ceremony::ceremony::event::{Credential, Document, Event, Mode, TokenIdentity};
use tuf_ceremony::ceremony::plan::Step;
use tuf_ceremony::ceremony::port::{Operator, Sink, Stop};
use tuf_ceremony::ceremony::prompt::{
    Ask, Choice, EnvelopePrompt, PinPrompt, Prompt, TokenRow, Tries,
};
use tuf_ceremony::ceremony::review::{Mark, Review, Row};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tui::{self, Finish, Home, ScriptEntry, Start};

use crate::screen::Session;

/// The variable that names what to run.
pub(crate) const SCENARIO: &str = "TUF_CEREMONY_TEST_SCENARIO";
/// A PIN that occurs nowhere else.
pub(crate) const CANARY: &str = "Zx9-PIN-7f3Q";
/// A new secret that occurs nowhere else, and as it is shown.
pub(crate) const NEW_SECRET: &str = "kqx7wmfr4tcv9ehg";
pub(crate) const SHOWN: &str = "k q x 7    w m f r    4 t c v    9 e h g";
pub(crate) const PHRASE: &str = "sign root v8 as read";

/// Starts this test program again in a terminal, for a scenario.
pub(crate) fn start(scenario: &str, rows: u16, columns: u16) -> Session {
    start_with(scenario, rows, columns, &[("TERM", "linux")])
}

pub(crate) fn start_with(
    scenario: &str,
    rows: u16,
    columns: u16,
    variables: &[(&str, &str)],
) -> Session {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["scripted_ceremony", "--exact", "--nocapture"]);
    command.env(SCENARIO, scenario);
    command.env_remove("NO_COLOR");
    for (name, value) in variables {
        command.env(name, value);
    }
    Session::start(command, rows, columns)
}

/// Runs a scenario on the terminal of this process; says the outcome on it afterwards.
pub(crate) fn run(scenario: &str) {
    let told = match scenario {
        "home" => match tui::home(home()) {
            Ok(choice) => format!("choice: {choice:?}"),
            Err(failure) => format!("failure: {failure}"),
        },
        "envelope" => tell(tui::run(opening_page(), |operator, sink| {
            let told = envelope(operator, sink).unwrap_or_else(|stop| stop.to_string());
            let finish = Finish {
                code: 0,
                text: vec![format!("the end: {told}")],
                head: None,
            };
            (told, finish)
        })),
        "searched" => tell(tui::run(opening_page(), |operator, sink| {
            let told = super::searched::searched(operator, sink);
            let told = told.unwrap_or_else(|stop| stop.to_string());
            let finish = Finish {
                code: 0,
                text: vec![format!("the end: {told}")],
                head: None,
            };
            (told, finish)
        })),
        "share" => tell(tui::run(opening_page(), |operator, sink| {
            let told = super::share::share(operator, sink);
            let told = told.unwrap_or_else(|stop| stop.to_string());
            let finish = Finish {
                code: 0,
                text: vec![format!("the end: {told}")],
                head: None,
            };
            (told, finish)
        })),
        "panic" => tell(tui::run(opening_page(), |_, _| -> (String, Finish) {
            panic!("secret data")
        })),
        _ => tell(tui::run(opening_page(), |operator, sink| {
            let result = whole(operator, sink);
            let (code, text) = match &result {
                Ok(text) => (0, text.clone()),
                Err(stop) => (3, stop.to_string()),
            };
            let finish = Finish {
                code,
                text: vec![format!("the end: {text}")],
                head: Some(Sha256::of(b"head")),
            };
            (result.unwrap_or_else(|stop| stop.to_string()), finish)
        })),
    };
    println!("{told}");
}

fn tell(outcome: Result<String, tui::Failure>) -> String {
    match outcome {
        Ok(result) => format!("result: {result}"),
        Err(failure) => format!("failure: {failure}"),
    }
}

fn opening_page() -> Start {
    Start {
        mode: Mode::Rehearsal,
        title: "Renew the root".to_owned(),
        today: vec!["Today: root v8. You are holder 4 (bob).".to_owned()],
        ceremony: Sha256::of(b"ceremony"),
        trusted_root: Some(Sha256::of(b"root")),
        clock: Box::new(|| "2026-11-22 11:24 UTC".to_owned()),
        ascii: false,
    }
}

fn home() -> Home {
    let script = |name: &str, title: &str| ScriptEntry {
        path: PathBuf::from(name),
        title: title.to_owned(),
    };
    Home {
        scripts: vec![
            script("renew.toml", "Renew the root"),
            script("genesis.toml", "The first root"),
        ],
        clock: Box::new(|| "2026-11-22 11:24 UTC".to_owned()),
        ascii: false,
    }
}

fn whole(operator: &mut dyn Operator, sink: &mut dyn Sink) -> Result<String, Stop> {
    for event in opening() {
        sink.record(&event).unwrap();
    }
    let begin = Ask::Phrase {
        phrase: "begin".to_owned(),
    };
    operator.ask(&prompt("plan", Some(Sha256::of(b"plan")), begin))?;
    let options = ["ready", "rescan", "pause"].map(|id| Choice {
        id: id.to_owned(),
        label: format!("{id}, if it is"),
    });
    let options = options.to_vec();
    let ask = Ask::Choice {
        options: options.clone(),
    };
    let chosen = operator.ask(&prompt("choice", None, ask))?;
    let tokens = vec![TokenRow {
        token: token(),
        meaning: "wanted: bob".to_owned(),
        wanted: true,
    }];
    operator.ask(&prompt("token", None, Ask::Token { tokens, options }))?;
    let review = Ask::Review {
        review: Arc::new(review()),
        phrase: PHRASE.to_owned(),
    };
    operator.ask(&prompt("review", None, review))?;
    let pin = operator.pin(&PinPrompt {
        holder: "bob".to_owned(),
        kind: Credential::User,
        token: token(),
        tries: Tries::Left(3),
        after: None,
    })?;
    let right = pin.expose(|bytes| bytes == CANARY.as_bytes());
    let right = if right { "PIN right" } else { "PIN wrong" };
    Ok(format!("choice {chosen}, {right}, the PIN arrived"))
}

/// A text that is typed, a touch that is wanted, a secret that goes into its envelope.
fn envelope(operator: &mut dyn Operator, sink: &mut dyn Sink) -> Result<String, Stop> {
    for event in opening() {
        sink.record(&event).unwrap();
    }
    let wanted = "the serial on the device".to_owned();
    let serial = operator.ask(&prompt("serial", None, Ask::Text { wanted }))?;
    operator.tell("Touch the key that blinks; you have 15 seconds.");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let fresh = Secret::take(&mut NEW_SECRET.as_bytes().to_vec()).unwrap();
    let kept = operator.envelope(
        &EnvelopePrompt {
            holder: "bob".to_owned(),
            kind: Credential::So,
            token: token(),
            text: vec!["Envelope 1 of 2 for bob.".to_owned()],
        },
        fresh,
    )?;
    let right = kept.expose(|bytes| bytes == NEW_SECRET.as_bytes());
    Ok(format!("serial {serial}, kept {right}"))
}

pub(super) fn opening() -> Vec<Event> {
    vec![
        Event::Opened {
            tool: "test".to_owned(),
            program: Sha256::of(b"program"),
            mode: Mode::Rehearsal,
            kind: "renew".to_owned(),
            title: "Renew the root".to_owned(),
            script: Sha256::of(b"script"),
            trusted_root: None,
            ceremony: Sha256::of(b"ceremony"),
            modules: Vec::new(),
            holders: None,
        },
        Event::PlanFixed {
            sha256: Sha256::of(b"plan"),
            steps: vec![Step::Confirm, Step::Build, Step::Close],
            minutes: 50,
        },
        Event::StepStarted { step: 0 },
    ]
}

pub(super) fn prompt(id: &str, digest: Option<Sha256>, ask: Ask) -> Prompt {
    Prompt {
        id: id.to_owned(),
        step: 0,
        title: format!("The question {id}"),
        text: vec!["Read this first.".to_owned()],
        digest,
        ask,
    }
}

fn token() -> TokenIdentity {
    TokenIdentity {
        module: "softhsm".to_owned(),
        manufacturer: "SoftHSM".to_owned(),
        model: "v2".to_owned(),
        serial: "21073412".to_owned(),
        label: "bob".to_owned(),
    }
}

fn review() -> Review {
    let document = Document {
        role: "root".to_owned(),
        version: 8,
    };
    let rows = (0..60).map(|row| Row {
        mark: Mark::Changed,
        text: format!("row {row}"),
    });
    Review::for_tests(document, Sha256::of(b"root v8"), rows.collect())
}
