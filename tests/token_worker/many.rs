//! Many signatures in one call: each is made once, handed over as it comes, and what was made before an end is not lost.

use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::port::{Leaves, TokenError, TokenFault, TokenId, TokenKey};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Limits, WorkerModule};
use tuf_ceremony::tuf::key::{Algorithm, Key, Message};

use crate::{Bench, ready, runs};

/// A signature, and its time.
type Came = (Vec<u8>, Duration);

/// Signs `count` messages; each signature, its time, and how it ended. People want no more after `wanted`.
fn sign(
    module: &mut WorkerModule,
    token: &TokenId,
    key: &TokenKey,
    count: usize,
    wanted: usize,
) -> (Vec<Came>, Result<(), TokenError>) {
    let payloads: Vec<_> = (0..count).map(payload).collect();
    let messages: Vec<_> = payloads
        .iter()
        .map(|payload| Message::of(key.public.algorithm().unwrap(), payload))
        .collect();
    let mut came = Vec::new();
    let ended = module.sign_each(token, key, &messages, &mut |signature, took| {
        came.push((signature, took));
        came.len() < wanted
    });
    (came, ended)
}

fn payload(number: usize) -> Vec<u8> {
    format!("payload {number}").into_bytes()
}

/// They are over the first messages, in order.
fn check(key: &TokenKey, came: &[Came]) {
    let key = Key::from_public(&key.public).unwrap();
    for (number, (signature, _)) in came.iter().enumerate() {
        assert!(key.verifies(&payload(number), signature), "{number}");
    }
}

#[test]
fn each_of_many_is_signed_once_and_in_order_with_keys_of_every_type() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    let (token, _) = ready(&mut module);
    let types = [
        Algorithm::EcdsaP256,
        Algorithm::EcdsaP384,
        Algorithm::Ed25519,
        Algorithm::RsaPss,
    ];
    let mut before = 0;
    for (algorithm, count) in types.into_iter().zip([700, 40, 20, 10]) {
        let key = module.generate(&token, &format!("{algorithm:?}"), algorithm, Leaves::Never);
        let key = key.unwrap();
        let (came, ended) = sign(&mut module, &token, &key, count, usize::MAX);
        ended.unwrap();
        assert_eq!(came.len(), count, "{algorithm:?}");
        check(&key, &came);
        assert!(came.iter().all(|(_, took)| !took.is_zero()));
        let now = bench.shim.log().signatures();
        assert_eq!(now - before, count, "{algorithm:?}");
        before = now;
    }
    // The same worker goes on as before.
    assert!(
        module
            .list()
            .unwrap()
            .iter()
            .any(|listed| listed.id == token)
    );
}

#[test]
fn none_of_none_is_nothing() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    let (token, key) = ready(&mut module);
    let (came, ended) = sign(&mut module, &token, &key, 0, usize::MAX);
    assert_eq!((came.len(), ended), (0, Ok(())));
    assert_eq!(bench.shim.log().signatures(), 0);
}

#[test]
fn a_slow_token_hands_over_one_by_one_and_hears_when_no_more_are_wanted() {
    let bench = Bench::new(|plan| plan.fault("C_Sign", "*", "sleep 200"));
    let mut module = bench.start().unwrap();
    let (token, key) = ready(&mut module);
    let begun = Instant::now();
    let (came, ended) = sign(&mut module, &token, &key, 50, 3);
    ended.unwrap();
    // The one that was under way when the third came is not thrown away.
    assert!((3..=5).contains(&came.len()), "{}", came.len());
    assert!(begun.elapsed() < Duration::from_secs(5), "not all fifty");
    assert!(
        came.iter()
            .all(|(_, took)| *took >= Duration::from_millis(200))
    );
    check(&key, &came);
    assert_eq!(bench.shim.log().signatures(), came.len());
    // What was left over of the call disturbs no other.
    module.sign(&token, &key, b"payload").unwrap();
}

#[test]
fn the_time_limit_is_that_of_one_signature_and_not_of_all() {
    let bench = Bench::new(|plan| plan.fault("C_Sign", "*", "sleep 300"));
    let limits = Limits {
        sign: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut module = bench.start_within(limits).unwrap();
    let (token, key) = ready(&mut module);
    let (came, ended) = sign(&mut module, &token, &key, 6, usize::MAX);
    ended.unwrap();
    assert_eq!(came.len(), 6);
}

#[test]
fn a_module_that_dies_or_hangs_in_the_midst_has_handed_over_what_it_made_before() {
    for (fault, ends) in [("kill", TokenFault::Module), ("hang", TokenFault::TimedOut)] {
        let bench = Bench::new(|plan| {
            plan.fault("C_Sign", "1-4", "sleep 50")
                .fault("C_Sign", "5", fault)
        });
        let limits = Limits {
            sign: Duration::from_secs(2),
            ..Limits::default()
        };
        let mut module = bench.start_within(limits).unwrap();
        let (token, key) = ready(&mut module);
        let pid = module.pid().unwrap();
        let (came, ended) = sign(&mut module, &token, &key, 10, usize::MAX);
        let error = ended.unwrap_err();
        assert_eq!(error.fault, ends, "{fault}");
        assert!(error.may_have_signed, "{fault}: nobody knows of the fifth");
        assert_eq!(came.len(), 4, "{fault}");
        check(&key, &came);
        assert!(!runs(pid));
        assert_eq!(bench.shim.log().signatures(), 5, "{fault}");
    }
}

#[test]
fn an_error_of_the_device_comes_behind_what_was_signed() {
    let bench = Bench::new(|plan| plan.fault("C_SignInit", "4", "CKR_DEVICE_ERROR"));
    let mut module = bench.start().unwrap();
    let (token, key) = ready(&mut module);
    let (came, ended) = sign(&mut module, &token, &key, 10, usize::MAX);
    let error = ended.unwrap_err();
    assert!(error.said.contains("CKR_DEVICE_ERROR"), "{error}");
    assert_eq!(came.len(), 3);
    check(&key, &came);
    assert_eq!(bench.shim.log().signatures(), 3);
}
