//! A provisioning at the screen: the secrets are read from it as a holder would, typed from the paper, and are nowhere else afterwards.

use std::fs;

use tuf_ceremony::tuf::digest::Sha256;

use crate::support::record;
use crate::support::stage::{PIN, Stage};
use crate::support::terminal::Session;
use crate::{FINISHED, holds, leave, open};

const SCRIPT: &str = "schema = \"tuf-ceremony/script/1\"\nkind = \"provision\"\ntitle = \"A token for Erin\"\nprofile = \"alone\"\n\n[[holder]]\nname = \"erin\"\nperson = \"Erin Example\"\nroot.generate = \"ecdsa-p256\"\n";

/// Shows the new secret, writes it down, and types it from the paper.
fn envelope(session: &mut Session) -> String {
    session.types("\r");
    session.sees("Only the holder looks at this screen");
    session.sees("Esc: stop.");
    let screen = session.screen();
    let row = screen.lines().find(|line| line.starts_with("     "));
    let secret: String = row
        .unwrap()
        .chars()
        .filter(|symbol| *symbol != ' ')
        .collect();
    session.types("\r");
    session.sees("From the paper: _");
    session.types(&format!("{secret}\r"));
    secret
}

#[test]
fn a_token_provisioned_at_the_screen_has_what_is_on_the_paper_and_nothing_else_has() {
    let stage = Stage::with_tokens(&["erin"]);
    let mut ceremony = stage.ceremony("provision", SCRIPT);
    ceremony.registers = false;
    let mut session = open(&ceremony);
    session.answers_until("Type:  the bag's number", PIN);
    session.types("PSF-0417\r");
    session.answers_until("Type:  the serial on the device", PIN);
    session.types(&format!("{}\r", stage.serial("erin")));
    session.answers_until("Press Enter to show it.", PIN);
    let so = envelope(&mut session);
    session.sees("Envelope 2 of 2");
    let user = envelope(&mut session);
    assert_eq!((so.len(), user.len()), (16, 8));
    session.answers_until("Type:  the new bag's number", &user);
    session.types("PSF-0418\r");
    session.sees("Type:  the new bag's number again");
    session.types("PSF-0418\r");
    session.answers_until(FINISHED, &user);
    let process = session.process();
    let mut seen = session.bytes();
    for file in ["cmdline", "environ"] {
        seen.extend(fs::read(format!("/proc/{process}/{file}")).unwrap());
    }
    let (page, end) = leave(session, 0);
    seen.extend(&end.bytes);
    let bundle = ceremony.output();
    for secret in [&so, &user] {
        assert!(
            !holds(&seen, secret) && !page.contains(secret),
            "a secret was shown in one piece"
        );
        let files = stage
            .command("grep")
            .args(["-rlF", secret])
            .arg(&bundle)
            .output();
        assert_eq!(String::from_utf8_lossy(&files.unwrap().stdout), "");
    }
    let transcript = record::transcript(&bundle);
    assert!(transcript.is_complete());
    let evidence = transcript.progress().evidence();
    assert_eq!(evidence.opened_bag("erin"), Some("PSF-0417"));
    assert_eq!(evidence.closed_bag("erin"), Some("PSF-0418"));
    assert_eq!(evidence.proven().len(), 1);
    assert_ne!(transcript.head(), Sha256([0; 32]));
    // The token takes the PIN from the paper, and the old one no more.
    for (pin, accepted) in [(user.as_str(), true), (PIN, false)] {
        let mut login = stage.command("pkcs11-tool");
        login.args([
            "--module",
            &crate::support::stage::softhsm(),
            "--token-label",
            "tuf-erin",
        ]);
        let answer = login
            .args(["--login", "--pin", pin, "--list-objects"])
            .output();
        assert_eq!(answer.unwrap().status.success(), accepted);
    }
}
