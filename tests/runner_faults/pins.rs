//! PINs: one prompt for each login, what each counter lets happen, and when it ends.

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::progress::DocumentProgress;
use tuf_ceremony::ceremony::prompt::Tries;

use super::stand::{Stand, admin_key, genesis};
use super::world::{Lie, with_tries};

const WRONG: &str = "000000";
const PAUSED: &str = "stopped by a person";
const UNKNOWN: &str = "log in to token S: two wrong PINs, and this token does not say how many tries are left; nothing was signed; find the right PIN before you run again";
const LOCKED: &str = "log in to token S: its PIN is locked; nothing was signed; unlock it with the PUK or as SO, or let another holder sign";

struct Row {
    name: &'static str,
    /// What every token says of its counter; none: the truth.
    tries: Option<Tries>,
    wrong: usize,
    answers: &'static [(&'static str, &'static str)],
    /// PIN prompts at alice's first token, before it is open or it ends: the counter and what is told.
    prompts: &'static [(Tries, Option<&'static str>)],
    /// How it ends; none: it finishes.
    halt: Option<&'static str>,
    /// Whether the last try was asked about, and its phrase asked for.
    last_try: (bool, bool),
}

const LEFT_2: Option<&str> = Some(
    "The token refused the PIN. 2 tries left; nothing was signed or written. Check the envelope's label.",
);
const LEFT_1: Option<&str> = Some(
    "The token refused the PIN. 1 try left; nothing was signed or written. Check the envelope's label.",
);
const LEFT_FEW: Option<&str> = Some(
    "The token refused the PIN. few tries left (the token does not say how many); nothing was signed or written. Check the envelope's label.",
);
const LEFT_UNKNOWN: Option<&str> = Some(
    "The token refused the PIN. tries left: unknown; nothing was signed or written. Check the envelope's label.",
);

const ROWS: [Row; 13] = [
    Row {
        name: "right at once",
        tries: None,
        wrong: 0,
        answers: &[],
        prompts: &[(Tries::Left(3), None)],
        halt: None,
        last_try: (false, false),
    },
    Row {
        name: "wrong once",
        tries: None,
        wrong: 1,
        answers: &[],
        prompts: &[(Tries::Left(3), None), (Tries::Left(2), LEFT_2)],
        halt: None,
        last_try: (false, false),
    },
    Row {
        name: "wrong twice, then the last try by its phrase",
        tries: None,
        wrong: 2,
        answers: &[],
        prompts: &[
            (Tries::Left(3), None),
            (Tries::Left(2), LEFT_2),
            (Tries::Left(1), LEFT_1),
        ],
        halt: None,
        last_try: (true, true),
    },
    Row {
        name: "wrong twice, then stopped for a reset",
        tries: None,
        wrong: 2,
        answers: &[("last-try:alice", "reset")],
        prompts: &[(Tries::Left(3), None), (Tries::Left(2), LEFT_2)],
        halt: Some(PAUSED),
        last_try: (true, false),
    },
    Row {
        name: "wrong three times",
        tries: None,
        wrong: 3,
        answers: &[],
        prompts: &[
            (Tries::Left(3), None),
            (Tries::Left(2), LEFT_2),
            (Tries::Left(1), LEFT_1),
        ],
        halt: Some(LOCKED),
        last_try: (true, true),
    },
    Row {
        name: "locked",
        tries: Some(Tries::Locked),
        wrong: 0,
        answers: &[],
        prompts: &[],
        halt: Some(LOCKED),
        last_try: (false, false),
    },
    Row {
        name: "final, stopped for a reset",
        tries: Some(Tries::Final),
        wrong: 0,
        answers: &[("last-try:alice", "reset")],
        prompts: &[],
        halt: Some(PAUSED),
        last_try: (true, false),
    },
    Row {
        name: "final, the phrase typed wrongly and then rightly",
        tries: Some(Tries::Final),
        wrong: 0,
        answers: &[("last-try-phrase:alice", "yes")],
        prompts: &[(Tries::Final, None)],
        halt: None,
        last_try: (true, true),
    },
    Row {
        name: "final, and nobody else can make alice's key",
        tries: Some(Tries::Final),
        wrong: 0,
        answers: &[("last-try:alice", "another")],
        prompts: &[],
        halt: Some(PAUSED),
        last_try: (true, false),
    },
    Row {
        name: "low, wrong once",
        tries: Some(Tries::Low),
        wrong: 1,
        answers: &[],
        prompts: &[(Tries::Low, None), (Tries::Low, LEFT_FEW)],
        halt: None,
        last_try: (false, false),
    },
    Row {
        name: "low, wrong twice",
        tries: Some(Tries::Low),
        wrong: 2,
        answers: &[],
        prompts: &[(Tries::Low, None), (Tries::Low, LEFT_FEW)],
        halt: Some(UNKNOWN),
        last_try: (false, false),
    },
    Row {
        name: "unknown, wrong once",
        tries: Some(Tries::Unknown),
        wrong: 1,
        answers: &[],
        prompts: &[(Tries::Unknown, None), (Tries::Unknown, LEFT_UNKNOWN)],
        halt: None,
        last_try: (false, false),
    },
    Row {
        name: "unknown, wrong twice",
        tries: Some(Tries::Unknown),
        wrong: 2,
        answers: &[],
        prompts: &[(Tries::Unknown, None), (Tries::Unknown, LEFT_UNKNOWN)],
        halt: Some(UNKNOWN),
        last_try: (false, false),
    },
];

#[test]
fn what_the_counter_says_decides_what_is_asked_and_when_it_ends() {
    for row in ROWS {
        let mut stand = Stand::new(genesis());
        stand.world.listed = row.tries.map(|tries| with_tries("alice", tries));
        let mut people = stand.people();
        people.pins = vec![WRONG; row.wrong];
        people.answers = row.answers.to_vec();
        let result = stand.run(&mut people);
        let name = row.name;
        match (row.halt, result) {
            (None, Ok(_)) => stand.check_finished(),
            (Some(wanted), Err(halt)) => {
                let listed = tuf_ceremony::token::Module::list(&mut stand.world.module);
                let wanted = wanted.replace(
                    "token S",
                    &format!("token {}", listed.unwrap()[0].id.serial),
                );
                assert_eq!(halt.to_string(), wanted, "{name}");
                assert_eq!(people.pin_prompts.len(), row.prompts.len(), "{name}");
                assert!(stand.log.calls("sign").is_empty(), "{name}");
            }
            (_, result) => panic!("{name}: {:?}", result.err()),
        }
        stand.check_record();
        let asked: Vec<_> = people
            .pin_prompts
            .iter()
            .take(row.prompts.len())
            .map(|prompt| (prompt.tries, prompt.after.as_deref()))
            .collect();
        assert_eq!(asked, row.prompts, "{name}");
        let told = |id: &str| people.told.contains_key(id);
        let last_try = (told("last-try:alice"), told("last-try-phrase:alice"));
        assert_eq!(last_try, row.last_try, "{name}");
        let refused = |event: &Event| matches!(event, Event::PinRefused { .. });
        assert_eq!(stand.log.count(refused), row.wrong, "{name}");
    }
}

#[test]
fn another_passes_the_holder_over_and_others_reach_the_threshold() {
    let mut stand = Stand::finished(genesis()).then(admin_key);
    stand.world.listed = Some(with_tries("bob", Tries::Final));
    let mut people = stand.people();
    people.answers = vec![("last-try:bob", "another")];
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert!(!stand.log.calls("login").contains(&"bob".to_owned()));
    let skipped =
        |event: &Event| matches!(event, Event::Skipped { signer, .. } if signer.holder == "bob");
    assert_eq!(stand.log.count(skipped), 1);
    assert_eq!(stand.signatures().len(), 3);
}

#[test]
fn a_pin_pad_is_asked_for_no_pin() {
    let mut stand = Stand::new(genesis());
    let pad: Lie<_> = Box::new(|mut token: tuf_ceremony::ceremony::port::TokenInfo| {
        token.pin_pad = true;
        token
    });
    stand.world.listed = Some(pad);
    let mut people = stand.people();
    let progress = stand.run(&mut people).unwrap();
    assert!(
        progress
            .documents()
            .iter()
            .all(DocumentProgress::is_complete)
    );
    assert!(people.pin_prompts.is_empty());
    assert!(!stand.log.calls("login").is_empty());
    assert_eq!(stand.world.judged(), []);
}
