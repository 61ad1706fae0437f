//! The program's side against workers that lie, babble, dawdle and die. They are threads here, behind a keeper that is one too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::frame::Channel;
use super::keep::receive_descriptor;
use super::keeper::{End, Keeper, MESSAGE, Order, Started};
use super::message::{Backend, Hello, PAYLOAD, REQUEST, Request, WireKey};
use super::{Limits, Setup, WorkerModule};
use crate::ceremony::event::{Credential, Custody, ModuleIdentity};
use crate::ceremony::port::{Reset, TokenError, TokenFault, TokenId, TokenKey, Usage};
use crate::secret::Secret;
use crate::token::software::EphemeralKeys;
use crate::token::{Module, failure};
use crate::tuf::key::{Algorithm, PublicKey};

const LIMIT: Duration = Duration::from_millis(300);
const PIN: &str = "Zx9-PIN-7f3Q";

type Behaviour = fn(&Channel);

/// A module whose workers say hello properly and then do as `behaviour` says; and how often one was started.
fn module(behaviour: Behaviour, end: End) -> (WorkerModule, Arc<Mutex<u32>>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let count = Arc::new(Mutex::new(0));
    let starts = Arc::clone(&count);
    let control = Channel::new(theirs).unwrap();
    thread::spawn(move || {
        while let Ok(order) = control.receive_json(MESSAGE, None) {
            match order {
                Order::Start { .. } => {
                    let pipe = receive_descriptor(&control).unwrap();
                    *starts.lock().unwrap() += 1;
                    thread::spawn(move || {
                        let channel = Channel::new(UnixStream::from(pipe)).unwrap();
                        greet(&channel);
                        behaviour(&channel);
                    });
                    let started = Started { id: 1, pid: 1 };
                    control.send_json(&Ok::<_, String>(started), None).unwrap();
                }
                Order::End { .. } => control.send_json(&Ok::<_, String>(end), None).unwrap(),
            }
        }
    });
    let keeper = Keeper::pretended(Channel::new(ours).unwrap());
    let setup = Setup::of(Backend::Pkcs11 {
        name: "room".to_owned(),
        path: "/nowhere".into(),
        init_args: None,
    });
    let module = WorkerModule::start(&keeper, setup, Limits::all(LIMIT)).unwrap();
    (module, count)
}

fn greet(channel: &Channel) {
    let hello: Hello = channel.receive_json(REQUEST, None).unwrap();
    assert!(!hello.usb && !hello.network);
    let identity = ModuleIdentity {
        name: "another".to_owned(),
        sha256: None,
        description: "x".repeat(1000),
        reach: Vec::new(),
    };
    let answer = Ok::<_, TokenError>(identity);
    channel.send_json(&answer, None).unwrap();
}

/// The request and what must follow it in a call of `sign`.
fn take(channel: &Channel) {
    let request: Request = channel.receive_json(REQUEST, None).unwrap();
    if matches!(request, Request::Sign { .. }) {
        channel.receive_bytes(PAYLOAD, None).unwrap();
    }
}

fn raw(channel: &Channel, bytes: &[u8]) {
    channel.stream().write_all(bytes).unwrap();
}

fn token() -> TokenId {
    TokenId {
        module: "room".to_owned(),
        serial: "0001".to_owned(),
        label: "one".to_owned(),
    }
}

fn key() -> TokenKey {
    let public = EphemeralKeys::default().make(&[Algorithm::EcdsaP256]);
    TokenKey {
        id: vec![0xab],
        label: "root".to_owned(),
        public: public.unwrap().remove(0),
        custody: Custody::default(),
        usage: Usage::default(),
    }
}

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

#[test]
fn the_name_and_the_reach_of_a_module_are_the_rooms_and_its_description_is_bounded() {
    let (module, _) = module(|_| {}, End::Code(0));
    assert_eq!(module.name(), "room");
    assert_eq!(module.identity().description.chars().count(), 401);
}

#[test]
fn answers_that_are_none_are_an_error_and_end_the_worker() {
    let cases: &[(&str, Behaviour, &str)] = &[
        (
            "noise",
            |to| raw(to, b"hello from the module\n"),
            "a frame of kind 0x68 where Json was due",
        ),
        (
            "length",
            |to| raw(to, b"J\xff\xff\xff\xff"),
            "a frame of more than 4194304 bytes",
        ),
        (
            "kind",
            |to| to.send_bytes(b"{}", None).unwrap(),
            "a frame of kind 0x42 where Json was due",
        ),
        (
            "no JSON",
            |to| raw(to, b"J\x03\0\0\0{\"O"),
            "a message that is not understood (EOF while parsing a string at line 1 column 3)",
        ),
        (
            "another type",
            |to| to.send_json(&Ok::<_, TokenError>("yes"), None).unwrap(),
            "a message that is not understood (invalid type: string \"yes\", expected unit at line 1 column 11)",
        ),
        (
            "deep",
            |to| {
                let deep = "[".repeat(100_000);
                raw(to, b"J\xa0\x86\x01\0");
                raw(to, deep.as_bytes());
            },
            "a message that is not understood (expected value at line 1 column 1)",
        ),
        (
            "signature",
            |to| {
                to.send_json(&Ok::<_, TokenError>(()), None).unwrap();
                to.send_bytes(&[0; 5000], None).unwrap();
            },
            "a frame of more than 4096 bytes",
        ),
    ];
    for (name, behaviour, said) in cases {
        let (mut module, starts) = module_that_answers(*behaviour);
        let error = module.sign(&token(), &key(), b"payload").unwrap_err();
        let expected =
            format!("the module's process did not answer as it should and was stopped: {said}");
        assert_eq!(error.said, expected, "{name}");
        assert_eq!(error.fault, TokenFault::Module, "{name}");
        assert!(error.may_have_signed, "{name}");
        assert_eq!(module.pid(), None, "{name}");
        // Asked once; nothing was repeated in another worker.
        assert_eq!(*starts.lock().unwrap(), 1, "{name}");
    }
}

/// As [`module`], with a behaviour that begins when a call has come.
fn module_that_answers(answer: Behaviour) -> (WorkerModule, Arc<Mutex<u32>>) {
    static ANSWER: Mutex<Option<Behaviour>> = Mutex::new(None);
    *ANSWER.lock().unwrap() = Some(answer);
    module(
        |channel| {
            let answer = ANSWER.lock().unwrap().expect("set before");
            take(channel);
            answer(channel);
            hold(channel);
        },
        End::Stopped,
    )
}

/// Keeps the pipe open until the other side is done with it.
fn hold(channel: &Channel) {
    while !channel.is_hung_up() {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_token_of_another_module_and_a_key_that_is_none_are_not_answers() {
    let (mut lister, _) = module(
        |channel| {
            take(channel);
            let tokens = serde_json::json!({ "Ok": [{
                "id": { "module": "another", "serial": "1", "label": "" },
                "identity": { "module": "another", "manufacturer": "", "model": "", "serial": "1", "label": "" },
                "firmware": null, "ready": true, "tries": "unknown", "pin_pad": false,
                "credentials": [], "factory": [],
            }] });
            channel.send_json(&tokens, None).unwrap();
            hold(channel);
        },
        End::Stopped,
    );
    let error = lister.list().unwrap_err();
    assert_eq!(error.fault, TokenFault::Module);
    assert!(error.said.ends_with("an answer that cannot be"), "{error}");
    assert!(!error.may_have_signed);

    let (mut keys, _) = module(
        |channel| {
            take(channel);
            let mut key = serde_json::to_value(WireKey::of(&key()).unwrap()).unwrap();
            key["public"] = "00".into();
            channel
                .send_json(&serde_json::json!({ "Ok": [key] }), None)
                .unwrap();
            hold(channel);
        },
        End::Stopped,
    );
    let error = keys.keys(&token()).unwrap_err();
    assert!(error.said.ends_with("an answer that cannot be"), "{error}");
}

#[test]
fn a_worker_that_dies_is_named_by_its_death() {
    let cases = [
        (End::Signal(11), "was killed by signal 11 (SIGSEGV)"),
        (End::Signal(64), "was killed by signal 64"),
        (End::Code(3), "ended with exit code 3"),
        (End::Stopped, "closed its pipe and was stopped"),
    ];
    for (end, how) in cases {
        // Half an answer, then nothing.
        let (mut module, starts) = module(
            |channel| {
                take(channel);
                raw(channel, b"J\x09\0");
            },
            end,
        );
        let error = module.sign(&token(), &key(), b"payload").unwrap_err();
        assert_eq!(error.said, format!("the module's process {how}"));
        assert_eq!(error.fault, TokenFault::Module);
        assert!(error.may_have_signed);
        assert_eq!(*starts.lock().unwrap(), 1);
    }
}

#[test]
fn a_worker_that_dies_before_it_has_the_whole_request_has_not_signed() {
    // More than the pipe holds, to a worker that is gone: Ed25519 signs the whole document, not a digest.
    let (mut module, _) = module(|_| {}, End::Signal(9));
    let public = EphemeralKeys::default().make(&[Algorithm::Ed25519]);
    let key = TokenKey {
        public: public.unwrap().remove(0),
        ..key()
    };
    let error = module
        .sign(&token(), &key, &vec![b'{'; 4 << 20])
        .unwrap_err();
    assert_eq!(
        error.said,
        "the module's process was killed by signal 9 (SIGKILL)"
    );
    assert!(!error.may_have_signed);
}

#[test]
fn the_time_limit_is_for_the_whole_call_also_when_bytes_trickle_in() {
    let behaviours: [Behaviour; 3] = [
        |channel| {
            take(channel);
            hold(channel);
        },
        |channel| {
            take(channel);
            raw(channel, b"J\0\x10\0\0");
            while !channel.is_hung_up() {
                let _ = channel.stream().write(b" ");
                thread::sleep(Duration::from_millis(20));
            }
        },
        // Reads nothing at all.
        hold,
    ];
    for (index, behaviour) in behaviours.into_iter().enumerate() {
        let (mut module, starts) = module(behaviour, End::Stopped);
        let begun = Instant::now();
        // Whole: of ECDSA a digest would go, which the pipe has room for.
        let public = EphemeralKeys::default().make(&[Algorithm::Ed25519]);
        let key = TokenKey {
            public: public.unwrap().remove(0),
            ..key()
        };
        let payload = vec![b'{'; 8 << 20];
        let error = module.sign(&token(), &key, &payload).unwrap_err();
        assert_eq!(error.fault, TokenFault::TimedOut);
        assert_eq!(
            error.said,
            "no answer within 0.3 seconds; the module's process was stopped"
        );
        assert_eq!(error.may_have_signed, index < 2);
        assert!(begun.elapsed() < LIMIT * 20, "{:?}", begun.elapsed());
        assert_eq!(*starts.lock().unwrap(), 1);
    }
}

/// A call that hands a secret to the worker.
type Call<'c> = &'c mut dyn FnMut(&mut WorkerModule);

#[test]
fn secrets_go_as_raw_frames_and_stand_in_no_message() {
    static SEEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let (mut module, _) = module(
        |channel| {
            let mut buffer = [0; 4096];
            while !channel.is_hung_up() {
                if let Ok(count) = channel.stream().read(&mut buffer) {
                    SEEN.lock().unwrap().extend(&buffer[..count]);
                }
            }
        },
        End::Stopped,
    );
    let other = secret("another-secret-1");
    let reset = Reset {
        label: "one".to_owned(),
        old_so: Some(secret(PIN)),
        new: vec![(Credential::User, secret(PIN)), (Credential::So, other)],
    };
    let (token, pin) = (token(), secret(PIN));
    let calls: [Call<'_>; 4] = [
        &mut |module| drop(module.login(&token, &pin)),
        &mut |module| drop(module.authorise(&token, &pin)),
        &mut |module| drop(module.initialise("one", &pin, &pin)),
        &mut |module| drop(module.reset(&token, &reset)),
    ];
    for (call, times) in calls.into_iter().zip([1, 1, 2, 2]) {
        SEEN.lock().unwrap().clear();
        call(&mut module);
        let seen = std::mem::take(&mut *SEEN.lock().unwrap());
        let mut found = 0;
        for (start, window) in seen.windows(PIN.len()).enumerate() {
            if window == PIN.as_bytes() {
                found += 1;
                let head = &seen[start - 5..start];
                assert_eq!(head, [b'S', 12, 0, 0, 0]);
            }
        }
        assert_eq!(found, times);
    }
}

#[test]
fn a_key_that_cannot_sign_is_not_even_asked_for() {
    let opaque = TokenKey {
        public: PublicKey::Opaque(b"{}".to_vec()),
        ..key()
    };
    let (mut module, _) = module(hold, End::Code(0));
    let error = module.sign(&token(), &opaque, b"payload").unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
}

#[test]
fn errors_of_a_module_come_through_as_they_are_and_bounded() {
    let (mut module, _) = module(
        |channel| {
            take(channel);
            let error = failure("x".repeat(1000), "said", TokenFault::Removed);
            channel.send_json(&Err::<(), _>(error), None).unwrap();
            take(channel);
        },
        End::Code(0),
    );
    let error = module.sign(&token(), &key(), b"payload").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    assert_eq!(error.said, "said");
    assert!(!error.may_have_signed);
    assert_eq!(error.attempted.chars().count(), 401);
    // It is an answer like others: the worker stays.
    assert_eq!(module.pid(), Some(1));
}
