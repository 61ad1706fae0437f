//! What a module says of itself, its slots and tokens, and its lists.

use super::*;

#[test]
fn texts_of_token_slot_and_module_are_hostile() {
    let plan = Shim::plan()
        .fault("C_GetTokenInfo", "1", "label esc")
        .fault("C_GetTokenInfo", "1", "serial bidi")
        .fault("C_GetTokenInfo", "2", "label invalid-utf8")
        .fault("C_GetTokenInfo", "2", "model nul")
        .fault("C_GetTokenInfo", "2", "manufacturer text:Yubico (YubiHSM)")
        .fault("C_GetSlotInfo", "1", "description esc")
        .fault("C_GetInfo", "1", "manufacturer bidi");
    let log = holds(
        name!(texts_of_token_slot_and_module_are_hostile),
        &plan,
        |loaded| {
            let context = &loaded.context;
            let first = context.get_token_info(loaded.slot).unwrap();
            assert!(
                first
                    .label()
                    .starts_with("\x1b[2J\x1b]0;owned\x07\x1b[8m\u{9b}2J")
            );
            assert!(first.serial_number().starts_with("root\u{202e}toor"));
            let second = context.get_token_info(loaded.slot).unwrap();
            assert!(second.label().contains('\u{fffd}'));
            assert_eq!(second.model(), "\0".repeat(16));
            assert_eq!(second.manufacturer_id(), "Yubico (YubiHSM)");
            assert_eq!(context.get_token_info(loaded.slot).unwrap().label(), "one");
            let slot = context.get_slot_info(loaded.slot).unwrap();
            assert!(slot.slot_description().starts_with("\x1b[2J"));
            let module = context.get_library_info().unwrap();
            assert!(module.manufacturer_id().starts_with("root\u{202e}"));
        },
    );
    let Some(log) = log else { return };
    assert_eq!(log.broken().len(), 4);
}

#[test]
fn two_tokens_are_twins_and_one_changes_its_serial() {
    let test = name!(two_tokens_are_twins_and_one_changes_its_serial);
    if is_inside() {
        let loaded = Loaded::from_environment();
        let told = || -> Vec<(String, String)> {
            let slots = loaded.context.get_slots_with_initialized_token().unwrap();
            let infos = slots
                .iter()
                .map(|slot| loaded.context.get_token_info(*slot).unwrap());
            infos
                .map(|info| (info.label().to_owned(), info.serial_number().to_owned()))
                .collect()
        };
        let twins = told();
        assert_eq!(twins.len(), 2);
        assert_eq!(twins[0], twins[1]);
        let apart = told();
        assert_ne!(apart[0].1, apart[1].1);
        let changed = told();
        assert!(changed.iter().all(|(_, serial)| serial == "ANOTHER"));
        return;
    }
    let folder = prepared();
    let mut initialise = Command::new("softhsm2-util");
    initialise.args(["--init-token", "--free", "--label", "two"]);
    initialise.args(["--so-pin", SO_PIN, "--pin", PIN]);
    tool(folder.path(), initialise);
    // Each look asks all three slots, and then the two with tokens again.
    let plan = Shim::plan().fault("C_GetTokenInfo", "1-5", "twin").fault(
        "C_GetTokenInfo",
        "11+",
        "serial text:ANOTHER",
    );
    let ran = run_in(test, folder, &plan);
    ran.held(test);
    assert_eq!(ran.log.count("C_GetTokenInfo"), 15);
}

#[test]
fn flags_of_the_token_lie() {
    let plan = Shim::plan()
        .fault(
            "C_GetTokenInfo",
            "1",
            "set CKF_USER_PIN_FINAL_TRY CKF_USER_PIN_COUNT_LOW",
        )
        .fault("C_GetTokenInfo", "2", "set CKF_USER_PIN_LOCKED")
        .fault("C_GetTokenInfo", "2", "clear CKF_USER_PIN_INITIALIZED")
        .fault(
            "C_GetTokenInfo",
            "3",
            "set CKF_PROTECTED_AUTHENTICATION_PATH",
        );
    let log = holds(name!(flags_of_the_token_lie), &plan, |loaded| {
        let told = || {
            let info = loaded.context.get_token_info(loaded.slot).unwrap();
            [
                info.user_pin_final_try(),
                info.user_pin_count_low(),
                info.user_pin_locked(),
                info.user_pin_initialized(),
                info.protected_authentication_path(),
            ]
        };
        assert_eq!(told(), [true, true, false, true, false]);
        assert_eq!(told(), [false, false, true, false, false]);
        assert_eq!(told(), [false, false, false, true, true]);
        assert_eq!(told(), [false, false, false, true, false]);
    });
    let Some(log) = log else { return };
    assert_eq!(log.lied("C_GetTokenInfo"), 3);
}

#[test]
fn lists_are_as_long_as_planned() {
    // Loading asks for the slots once, in two calls.
    let plan = Shim::plan()
        .fault("C_GetSlotList", "3-4", "count 1048576")
        .fault("C_GetMechanismList", "1-2", "count 4096")
        .fault("C_FindObjects", "1", "none");
    let log = holds(name!(lists_are_as_long_as_planned), &plan, |loaded| {
        let context = &loaded.context;
        let slots = context.get_all_slots().unwrap();
        assert_eq!((slots.len(), slots[0]), (1 << 20, loaded.slot));
        assert_eq!(
            code(context.get_token_info(slots[1 << 19])),
            RvError::SlotIdInvalid
        );
        assert_eq!(context.get_all_slots().unwrap().len(), 2);
        assert!(context.get_mechanism_list(loaded.slot).unwrap().len() <= 4096);
        let session = loaded.session();
        assert_eq!(session.find_objects(&[]).unwrap(), []);
        assert_eq!(session.find_objects(&[]).unwrap().len(), 2);
    });
    let Some(log) = log else { return };
    let lied = ["C_GetSlotList", "C_GetMechanismList", "C_FindObjects"].map(|call| log.lied(call));
    assert_eq!(lied, [2, 2, 1]);
}

#[test]
fn random_bytes_are_zero() {
    let plan = Shim::plan().fault("C_GenerateRandom", "2", "zero");
    let log = holds(name!(random_bytes_are_zero), &plan, |loaded| {
        let session = loaded.session();
        let random = || session.generate_random_vec(32).unwrap();
        assert_ne!(random(), [0; 32]);
        assert_eq!(random(), [0; 32]);
        assert_ne!(random(), [0; 32]);
    });
    let Some(log) = log else { return };
    assert_eq!(log.lied("C_GenerateRandom"), 1);
}
