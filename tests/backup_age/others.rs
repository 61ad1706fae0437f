//! Debian's `age`, `rage`, tar and OpenSSL: they open ours, and we open theirs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tempfile::TempDir;
use tuf_ceremony::backup::{
    Identities, Recipient, open, passphrase, plaintext, proves, seal_passphrase, seal_to,
};
use tuf_ceremony::secret::Secret;

use super::plugin;
use super::sample::infrastructure;
use super::{IDENTITY, RECIPIENT, identities, refused, secret};

/// Runs a program that must succeed; what it printed.
fn run(program: &str, arguments: &[&str], folder: &Path, input: &[u8]) -> Vec<u8> {
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child
        .unwrap_or_else(|error| panic!("{program}: {error} (ceremony-scripts/test installs it)"));
    let mut stdin = child.stdin.take().unwrap();
    // It may print before it has read all.
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output.stdout
}

/// Types `typed` line by line into a program that reads from its terminal only.
fn typing(arguments: &[&str], folder: &Path, typed: &[&str]) {
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new("age");
    command.args(arguments);
    command.cwd(folder);
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut writer = pty.master.take_writer().unwrap();
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut screen = String::new();
    let mut room = [0; 1024];
    let mut typed = typed.iter();
    // A line for each prompt, when it is there: what comes earlier is thrown away.
    while let Ok(read @ 1..) = reader.read(&mut room) {
        screen.push_str(&String::from_utf8_lossy(&room[..read]));
        if screen.contains("passphrase")
            && screen.trim_end_matches("\x1b[K").ends_with(": ")
            && let Some(line) = typed.next()
        {
            screen.clear();
            writer.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }
    assert!(child.wait().unwrap().success(), "{screen}");
}

/// What tar finds in it, by path.
fn untarred(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = TempDir::new().unwrap();
    run("tar", &["--extract"], folder.path(), tar);
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.path().into()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The payload is what was sealed, as tar has it, and its keys are PKCS#8 as OpenSSL has it.
fn assert_sealed(tar: &[u8]) {
    let files = untarred(tar);
    let expected = infrastructure(200_000);
    for (path, bytes) in &expected.files {
        assert!(files[path] == *bytes, "{path}");
    }
    for key in &expected.online {
        let half = key.half();
        let pem = &files[&format!("keys/{}.pem", half.keyid)];
        let public = run(
            "openssl",
            &["pkey", "-pubout", "-outform", "DER"],
            Path::new("/"),
            pem,
        );
        assert_eq!(Some(public), half.public.to_spki_der());
    }
    assert_eq!(
        files.len(),
        1 + expected.files.len() + expected.online.len()
    );
}

fn word(secret: &Secret) -> String {
    secret.expose(|secret| String::from_utf8(secret.to_vec()).unwrap())
}

#[test]
fn age_opens_ours_and_we_open_its() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("id.txt"), IDENTITY).unwrap();
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    for (armored, flags) in [(false, &[][..]), (true, &["-a"][..])] {
        let file = seal_to(
            &infrastructure(200_000),
            std::slice::from_ref(&recipient),
            armored,
        );
        fs::write(at("ours.age"), file.unwrap()).unwrap();
        let plain = run(
            "age",
            &["-d", "-i", "id.txt", "ours.age"],
            folder.path(),
            b"",
        );
        assert_sealed(&plain);
        let back = [&["-r", RECIPIENT, "-o", "-"], flags].concat();
        let theirs = run("age", &back, folder.path(), &plain);
        let opened = open(&theirs, &identities(IDENTITY)).unwrap();
        assert!(opened.infrastructure.files == infrastructure(200_000).files);
        assert_eq!(opened.check().unwrap(), []);
    }
}

#[test]
fn age_opens_our_passphrases_and_we_open_its() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let phrase = passphrase().unwrap();
    let file = seal_passphrase(&infrastructure(200_000), &phrase, true).unwrap();
    fs::write(at("ours.age"), &file).unwrap();
    typing(
        &["-d", "-o", "plain.tar", "ours.age"],
        folder.path(),
        &[&word(&phrase)],
    );
    assert_sealed(&fs::read(at("plain.tar")).unwrap());

    let phrase_text = word(&phrase);
    let typed = [&*phrase_text; 2];
    typing(
        &["-p", "-o", "theirs.age", "plain.tar"],
        folder.path(),
        &typed,
    );
    let theirs = fs::read(at("theirs.age")).unwrap();
    let opened = open(&theirs, &Identities::passphrase(&phrase).unwrap()).unwrap();
    assert!(opened.infrastructure.files == infrastructure(200_000).files);
    let other = Identities::passphrase(&passphrase().unwrap()).unwrap();
    let said = refused(open(&file, &other).err().unwrap());
    assert_eq!(
        said,
        [
            "BACKUP-SEAL : it does not open: the passphrase is wrong, or the file is damaged. Type the passphrase again, or take another copy"
        ]
    );
}

#[test]
fn rage_opens_ours_and_we_open_its() {
    let rage = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.rage/bin/rage");
    assert!(rage.exists(), "not installed: run tests/peers/setup");
    let rage = rage.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("identity.txt"), IDENTITY).unwrap();
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    for armored in [false, true] {
        let recipients = std::slice::from_ref(&recipient);
        let ours = seal_to(&infrastructure(200_000), recipients, armored).unwrap();
        let opened = run(rage, &["-d", "-i", "identity.txt"], folder.path(), &ours);
        assert_sealed(&opened);
        let mut seal = vec!["-r", RECIPIENT];
        seal.extend(armored.then_some("-a"));
        let theirs = run(rage, &seal, folder.path(), &opened);
        assert_eq!(
            armored,
            theirs.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
        );
        let mut plain = Vec::new();
        let mut stream = plaintext(&theirs, &identities(IDENTITY)).unwrap();
        stream.read_to_end(&mut plain).unwrap();
        assert_eq!(plain, opened);
    }
}

#[test]
fn a_plugin_gets_its_pin_once_and_proves_its_recipient() {
    let (recipient, identity) = plugin::trial();
    let parsed = Recipient::parse("script.toml", &recipient);
    if !plugin::is_installed("others::a_plugin_gets_its_pin_once_and_proves_its_recipient") {
        let missing = parsed.unwrap_err();
        assert_eq!(
            (&*missing.rule, &*missing.text),
            (
                "BACKUP-RECIPIENT",
                "the program age-plugin-trial is not on this machine. Install it where programs are looked for, or name another recipient"
            )
        );
        return;
    }
    let recipient = parsed.unwrap();
    let with = |pin: Option<&str>| {
        Identities::read("identity.txt", &secret(&identity), pin.map(secret)).unwrap()
    };
    let right = with(Some("1234"));
    proves(&recipient, &right).unwrap();
    for (identities, why) in [
        (&right, "wrong PIN"),
        (&with(Some("4321")), "wrong PIN"),
        (&with(None), "wrong PIN"),
        (
            &self::identities(IDENTITY),
            "none of the identities opens it",
        ),
    ] {
        let said = refused(proves(&recipient, identities).unwrap_err()).concat();
        assert!(
            said.starts_with(
                "BACKUP-RECIPIENT : nobody in the room can open what is sealed to age1trial1"
            ),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
    }
    let file = seal_to(&infrastructure(10), &[recipient], false).unwrap();
    assert_eq!(
        open(&file, &with(Some("1234"))).unwrap().check().unwrap(),
        []
    );
}
