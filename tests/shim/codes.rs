//! Codes in place of results, and what needs a state: fresh logins, PIN pads, counts that span processes.

use super::*;

/// In an order in which each call needs only calls before it.
const CALLS: &[&str] = &[
    "C_OpenSession",
    "C_CloseSession",
    "C_GetInfo",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_GetSessionInfo",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_CreateObject",
    "C_CopyObject",
    "C_DestroyObject",
    "C_SetAttributeValue",
    "C_GetAttributeValue",
    "C_GenerateRandom",
    "C_SeedRandom",
    "C_VerifyInit",
    "C_Verify",
    "C_Login",
    "C_SetPIN",
    "C_Logout",
    "C_InitPIN",
    "C_GenerateKeyPair",
    "C_GenerateKey",
    "C_SignInit",
    "C_Sign",
    "C_SignUpdate",
    "C_SignFinal",
    "C_InitToken",
];

#[test]
fn every_function_fails_once_and_then_works() {
    let test = name!(every_function_fails_once_and_then_works);
    if is_inside() {
        let loaded = Loaded::from_environment();
        for call in CALLS {
            match every_call(&loaded, call) {
                Err(Error::Pkcs11(RvError::DeviceMemory, function)) => {
                    assert_eq!(format!("C_{function:?}"), *call);
                }
                // cryptoki only writes it to its log when a search cannot be ended.
                Ok(()) if *call == "C_FindObjectsFinal" => {}
                other => panic!("{call}: {other:?}"),
            }
        }
        for call in CALLS {
            every_call(&loaded, call).unwrap_or_else(|error| panic!("{call} again: {error:?}"));
        }
        return;
    }
    // Loading calls C_GetSlotList twice.
    let plan = CALLS.iter().fold(Shim::plan(), |plan, call| {
        let number = if *call == "C_GetSlotList" { "3" } else { "1" };
        plan.fault(call, number, "CKR_DEVICE_MEMORY")
    });
    let folder = prepared();
    make_key(folder.path(), "rsa", "rsa:2048");
    let ran = run_in(test, folder, &plan);
    ran.held(test);
    let returned = Some(("CKR_DEVICE_MEMORY".to_owned(), "answered".to_owned()));
    let broken = ran.log.broken();
    assert!(
        broken.iter().all(|call| call.returned == returned),
        "{broken:?}"
    );
    let mut broken: Vec<&str> = broken.iter().map(|call| call.function.as_str()).collect();
    let mut wanted = CALLS.to_vec();
    broken.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(broken, wanted);
}

#[test]
fn any_code_is_returned_by_its_name() {
    let plan = shim::codes::CODES
        .iter()
        .enumerate()
        .skip(1)
        .fold(Shim::plan(), |plan, (index, (name, _))| {
            plan.fault("C_GetInfo", &index.to_string(), name)
        });
    let log = holds(name!(any_code_is_returned_by_its_name), &plan, |loaded| {
        for _ in shim::codes::CODES.iter().skip(1) {
            code(loaded.context.get_library_info());
        }
        loaded.context.get_library_info().unwrap();
    });
    let Some(log) = log else { return };
    assert!(log.broken().len() > 95);
    for (call, (name, _)) in log.broken().iter().zip(&shim::codes::CODES[1..]) {
        assert_eq!(
            call.returned,
            Some(((*name).to_owned(), "answered".to_owned()))
        );
    }
    assert_eq!(
        shim::codes::code_of(&shim::codes::name_of(0x8000_1234)),
        Some(0x8000_1234)
    );
}

#[test]
fn signature_that_was_answered_leaves_no_operation_behind() {
    let plan = Shim::plan().fault("C_Sign", "2", "0x32");
    let test = name!(signature_that_was_answered_leaves_no_operation_behind);
    let log = holds(test, &plan, |loaded| {
        let session = loaded.logged_in();
        assert_eq!(code(signed(&session)), RvError::DeviceRemoved);
        let signature = signed(&session).unwrap();
        assert!(verifies(&session, "first", DIGEST, &signature));
    });
    let Some(log) = log else { return };
    assert_eq!(
        (log.count("C_Sign"), log.signatures(), log.broken().len()),
        (4, 2, 1)
    );
    assert_eq!(log.broken()[0].made(), "answered");
}

#[test]
fn signature_is_made_and_denied() {
    let plan = Shim::plan().fault("C_Sign", "2", "after CKR_DEVICE_REMOVED");
    let log = holds(name!(signature_is_made_and_denied), &plan, |loaded| {
        let session = loaded.logged_in();
        assert_eq!(code(signed(&session)), RvError::DeviceRemoved);
        signed(&session).unwrap();
    });
    let Some(log) = log else { return };
    assert_eq!(log.broken().len(), 1);
    assert_eq!(log.broken()[0].made(), "overruled");
}

#[test]
fn call_of_any_function_fails_by_its_place_among_all() {
    // C_GetFunctionList, C_Initialize and two C_GetSlotList come first.
    let plan = Shim::plan().fault("*", "6-7", "CKR_FUNCTION_CANCELED");
    let test = name!(call_of_any_function_fails_by_its_place_among_all);
    let log = holds(test, &plan, |loaded| {
        loaded.context.get_library_info().unwrap();
        let slot = loaded.slot;
        assert_eq!(
            code(loaded.context.get_token_info(slot)),
            RvError::FunctionCanceled
        );
        assert_eq!(
            code(loaded.context.get_slot_info(slot)),
            RvError::FunctionCanceled
        );
        loaded.context.get_token_info(slot).unwrap();
    });
    let Some(log) = log else { return };
    assert_eq!(
        log.points()[5..7],
        [("C_GetTokenInfo", 1), ("C_GetSlotInfo", 1)]
    );
    assert_eq!(log.broken().len(), 2);
}

#[test]
fn each_signature_wants_a_fresh_login() {
    let plan = Shim::plan().order("always-authenticate");
    let log = holds(name!(each_signature_wants_a_fresh_login), &plan, |loaded| {
        let session = loaded.logged_in();
        let private = key(&session, ObjectClass::PRIVATE_KEY, "first");
        let public = key(&session, ObjectClass::PUBLIC_KEY, "first");
        let asked = [cryptoki::object::AttributeType::AlwaysAuthenticate];
        let told = session.get_attributes(private, &asked).unwrap();
        assert_eq!(told, [Attribute::AlwaysAuthenticate(true)]);
        assert_eq!(session.get_attributes(public, &asked).unwrap(), []);

        signed(&session).unwrap();
        assert_eq!(code(signed(&session)), RvError::UserNotLoggedIn);
        assert_eq!(
            code(session.login(UserType::User, Some(&pin()))),
            RvError::UserAlreadyLoggedIn
        );
        assert_eq!(code(signed(&session)), RvError::UserNotLoggedIn);
        session.logout().unwrap();
        session.login(UserType::User, Some(&pin())).unwrap();
        let signature = signed(&session).unwrap();
        assert!(verifies(&session, "first", DIGEST, &signature));
    });
    let Some(log) = log else { return };
    assert_eq!(log.logins("user"), 3);
    assert_eq!((log.count("C_Sign"), log.signatures()), (8, 4));
}

#[test]
fn login_for_one_signature_is_one_of_its_own() {
    let test = name!(login_for_one_signature_is_one_of_its_own);
    if is_inside() {
        let loaded = Loaded::from_environment();
        let session = loaded.logged_in();
        let rsa = key(&session, ObjectClass::PRIVATE_KEY, "rsa");
        let context_login = |pin: &AuthPin| session.login(UserType::ContextSpecific, Some(pin));
        assert_eq!(
            code(context_login(&pin())),
            RvError::OperationNotInitialized
        );
        signed(&session).unwrap();
        session.sign_init(&Mechanism::Sha256RsaPkcs, rsa).unwrap();
        session.sign_update(b"message").unwrap();
        assert_eq!(
            code(context_login(&AuthPin::new(Box::from("wrong")))),
            RvError::PinIncorrect
        );
        context_login(&pin()).unwrap();
        let signature = session.sign_final().unwrap();
        let public = key(&session, ObjectClass::PUBLIC_KEY, "rsa");
        session
            .verify(&Mechanism::Sha256RsaPkcs, public, b"message", &signature)
            .unwrap();
        assert_eq!(code(signed(&session)), RvError::UserNotLoggedIn);
        return;
    }
    let folder = prepared();
    make_key(folder.path(), "rsa", "rsa:2048");
    let ran = run_in(test, folder, &Shim::plan().order("always-authenticate"));
    ran.held(test);
    assert_eq!((ran.log.logins("context"), ran.log.logins("user")), (3, 1));
}

#[test]
fn pin_is_typed_on_the_token() {
    let plan = Shim::plan().order(&format!("pin-pad {PIN}"));
    let log = holds(name!(pin_is_typed_on_the_token), &plan, |loaded| {
        let info = loaded.context.get_token_info(loaded.slot).unwrap();
        assert!(info.protected_authentication_path());
        let session = loaded.session();
        session.login(UserType::User, None).unwrap();
        signed(&session).unwrap();
    });
    let Some(log) = log else { return };
    assert_eq!((log.lied("C_Login"), log.lied("C_GetTokenInfo")), (1, 1));
}

#[test]
fn counts_go_on_in_the_next_process() {
    let test = name!(counts_go_on_in_the_next_process);
    if is_inside() {
        let session = Loaded::from_environment().session();
        assert!(matches!(
            session.login(UserType::User, Some(&pin())),
            Ok(()) | Err(Error::Pkcs11(RvError::PinExpired, Function::Login))
        ));
        return;
    }
    let folder = prepared();
    let configuration = folder.path().join("softhsm2.conf");
    for (order, broken) in [("# alone", 0), ("count-across-processes", 1)] {
        let plan = Shim::plan().softhsm(&configuration).order(order);
        let plan = plan.fault("C_Login", "2", "CKR_PIN_EXPIRED");
        let shim = plan.install(folder.path());
        for _ in 0..3 {
            let ran = again(test, folder.path(), shim.module()).output().unwrap();
            assert!(ran.status.success());
        }
        let log = shim.log();
        assert_eq!(
            (log.count("C_Login"), log.broken().len()),
            (3, broken),
            "{order}"
        );
    }
}

/// Makes each call once, by its name.
fn every_call(loaded: &Loaded, call: &str) -> Result<(), Error> {
    let context = &loaded.context;
    let session = context.open_rw_session(loaded.slot)?;
    let user = || match session.login(UserType::User, Some(&pin())) {
        Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        other => other,
    };
    let private = |label| key(&session, ObjectClass::PRIVATE_KEY, label);
    let data = |label: &str| {
        let label = Attribute::Label(label.as_bytes().to_vec());
        let own = [
            Attribute::Class(ObjectClass::DATA),
            Attribute::Token(false),
            Attribute::Private(false),
            label,
        ];
        session.create_object(&own)
    };
    match call {
        "C_GetInfo" => context.get_library_info().map(nothing_of),
        "C_GetSlotList" => context.get_all_slots().map(nothing_of),
        "C_GetSlotInfo" => context.get_slot_info(loaded.slot).map(nothing_of),
        "C_GetTokenInfo" => context.get_token_info(loaded.slot).map(nothing_of),
        "C_GetMechanismList" => context.get_mechanism_list(loaded.slot).map(nothing_of),
        "C_GetMechanismInfo" => {
            let mechanism = cryptoki::mechanism::MechanismType::ECDSA;
            let info = context.get_mechanism_info(loaded.slot, mechanism);
            info.map(nothing_of)
        }
        "C_InitToken" => {
            let free = context.get_slots_with_token()?.pop().unwrap();
            let so_pin = AuthPin::new(Box::from(SO_PIN));
            drop(session);
            context.init_token(free, &so_pin, "two")
        }
        "C_InitPIN" => {
            session.login(UserType::So, Some(&AuthPin::new(Box::from(SO_PIN))))?;
            let set = session.init_pin(&pin());
            session.logout()?;
            set
        }
        "C_OpenSession" => Ok(()),
        "C_CloseSession" => session.close(),
        "C_GetSessionInfo" => session.get_session_info().map(nothing_of),
        "C_Login" => user(),
        "C_SetPIN" => user().and_then(|()| session.set_pin(&pin(), &pin())),
        "C_Logout" => user().and_then(|()| session.logout()),
        "C_CreateObject" => data("made").map(nothing_of),
        "C_CopyObject" => session.copy_object(data("copied")?, &[]).map(nothing_of),
        "C_DestroyObject" => session.destroy_object(data("gone")?),
        "C_SetAttributeValue" => {
            let label = Attribute::Label(b"renamed".to_vec());
            session.update_attributes(data("named")?, &[label])
        }
        "C_GetAttributeValue" => {
            let object = data("read")?;
            session.get_attributes(object, lies::SEEN).map(nothing_of)
        }
        "C_FindObjectsInit" | "C_FindObjects" | "C_FindObjectsFinal" => {
            session.find_objects(&[]).map(nothing_of)
        }
        "C_SignInit" | "C_Sign" => user().and_then(|()| signed(&session).map(nothing_of)),
        "C_SignUpdate" | "C_SignFinal" => {
            user()?;
            let rsa = private("rsa");
            session.sign_init(&Mechanism::Sha256RsaPkcs, rsa)?;
            session.sign_update(b"message")?;
            session.sign_final().map(nothing_of)
        }
        "C_VerifyInit" | "C_Verify" => {
            let public = key(&session, ObjectClass::PUBLIC_KEY, "first");
            match session.verify(&Mechanism::Ecdsa, public, DIGEST, &[1; 64]) {
                Err(Error::Pkcs11(RvError::SignatureInvalid, _)) => Ok(()),
                other => other,
            }
        }
        "C_GenerateKeyPair" => {
            user()?;
            let p256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec();
            let public = [Attribute::EcParams(p256), Attribute::Token(false)];
            let private = [Attribute::Token(false)];
            let made = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
            made.map(nothing_of)
        }
        "C_GenerateKey" => {
            user()?;
            let template = [Attribute::ValueLen(32.into()), Attribute::Token(false)];
            let made = session.generate_key(&Mechanism::AesKeyGen, &template);
            made.map(nothing_of)
        }
        "C_GenerateRandom" => session.generate_random_vec(8).map(nothing_of),
        "C_SeedRandom" => session.seed_random(b"seed"),
        _ => panic!("nobody calls {call}"),
    }
}

fn nothing_of<T>(_: T) {}
