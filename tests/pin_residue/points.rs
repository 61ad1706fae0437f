//! The points of a ceremony.

use crate::dump::{Piece, core_of, memory_of, pieces};
use crate::scene::{self, Stopped, random_pin};

/// What is found of a secret in a process's dump.
pub(crate) fn found(process: u32, secret: &str) -> Vec<Piece> {
    let core = core_of(process);
    assert!(core.starts_with(b"\x7fELF") && core.len() > 1 << 20);
    pieces(&core, secret.as_bytes())
}

/// What stays of PINs at a point, in the program and in the worker. `point` halts both there with a PIN of its own and says what it finds.
///
/// Four bytes stand somewhere by accident in one dump of a few (some megabytes of digests, at 32 distances). What stays of a PIN stays of every
/// PIN, in the same form: whatever is found is looked for with two more PINs, and only what comes each time counts. Pieces that overlap are no accident.
pub(crate) fn residue(mut point: impl FnMut() -> [Vec<Piece>; 2]) -> [Vec<Piece>; 2] {
    let first = point();
    if first.iter().all(Vec::is_empty) {
        return first;
    }
    let again = point();
    let twice = [0, 1].map(|process| kept(&first[process], &again[process]));
    if twice.iter().all(Vec::is_empty) {
        return twice;
    }
    let third = point();
    [0, 1].map(|process| kept(&twice[process], &third[process]))
}

/// What is no accident of that which was found of one PIN, by what was found of another.
pub(crate) fn kept(one: &[Piece], other: &[Piece]) -> Vec<Piece> {
    let is_kept = |piece: &&Piece| {
        let longer = Piece {
            index: piece.index + 1,
            place: piece.place + piece.distance,
            ..**piece
        };
        let is_alike =
            |known: &Piece| (known.index, known.distance) == (piece.index, piece.distance);
        other.iter().any(is_alike) || one.contains(&longer)
    };
    one.iter().filter(is_kept).copied().collect()
}

fn both(stopped: &Stopped, secret: &str) -> [Vec<Piece>; 2] {
    [stopped.program.id(), stopped.worker].map(|process| found(process, secret))
}

/// The control of the whole test: while the module has the PIN in its hands it is in the worker's dump, and in the program's memory it is in
/// pages that a dump leaves out.
#[test]
fn during_the_login_the_pin_is_found_where_it_must_be() {
    let pin = random_pin();
    let stopped = Stopped::at(&["C_Login 1 hang".to_owned()], &pin, &pin);
    let all = pieces(&memory_of(stopped.program.id()), pin.as_bytes());
    assert!(all.len() >= 5, "the program still waits for the answer");
    assert!(
        found(stopped.worker, &pin).len() >= 5,
        "the module was given no PIN"
    );
    drop(stopped);
    let [program, _] = residue(|| {
        let pin = random_pin();
        both(
            &Stopped::at(&["C_Login 1 hang".to_owned()], &pin, &pin),
            &pin,
        )
    });
    assert_eq!(program, []);
}

#[test]
fn after_login_sign_and_logout_nothing_of_the_pin_is_in_a_dump() {
    let clean = scene::calls(&[], None);
    assert_eq!((clean.logins("user"), clean.signatures()), (1, 1));
    for function in ["C_Login", "C_Sign", "C_Logout"] {
        let hang = [scene::hang_after(&clean, function)];
        let residue = residue(|| {
            let pin = random_pin();
            let stopped = Stopped::at(&hang, &pin, &pin);
            assert_eq!(stopped.log.logins("user"), 1);
            both(&stopped, &pin)
        });
        println!("SoftHSM, after {function}: {residue:?}");
        assert_eq!(residue, [[], []], "after {function}");
    }
}

#[test]
fn after_an_error_nothing_of_the_pin_is_in_a_dump() {
    for fault in ["C_Sign 1 CKR_DEVICE_ERROR", "C_Login 1 CKR_PIN_LOCKED"] {
        let faults = [fault.to_owned()];
        let function = fault.split(' ').next().unwrap();
        let hang = scene::hang_after(&scene::calls(&faults, None), function);
        let residue = residue(|| {
            let pin = random_pin();
            both(
                &Stopped::at(&[fault.to_owned(), hang.clone()], &pin, &pin),
                &pin,
            )
        });
        println!("SoftHSM, after {fault}: {residue:?}");
        assert_eq!(residue, [[], []], "after {fault}");
    }
}

/// A wrong PIN is often the right one of something else.
#[test]
fn after_a_wrong_pin_nothing_of_it_is_in_a_dump() {
    let hang = [scene::hang_after(
        &scene::calls(&[], Some("wrong-1")),
        "C_Login",
    )];
    let residue = residue(|| {
        let wrong = random_pin();
        both(&Stopped::at(&hang, &random_pin(), &wrong), &wrong)
    });
    println!("SoftHSM, after a wrong PIN: {residue:?}");
    assert_eq!(residue, [[], []]);
}
