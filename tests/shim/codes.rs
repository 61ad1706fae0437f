//! Codes in place of results, and what needs a state: fresh logins, PIN pads, counts that span processes.

use super::*;

/// Makes each call once, by its name.
fn every_call(loaded: &Loaded, call: &str) -> Result<(), Error> {
    let context = &loaded.context;
    let nothing = |_| ();
    let session = context.open_rw_session(loaded.slot)?;
    let user = || session.login(UserType::User, Some(&pin()));
    let private = |label| key(&session, ObjectClass::PRIVATE_KEY, label);
    let data = |label: &str| {
        let label = Attribute::Label(label.as_bytes().to_vec());
        let own = [Attribute::Class(ObjectClass::DATA), Attribute::Token(false), label];
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
            session.init_pin(&pin())
        }
        "C_OpenSession" => Ok(()),
        "C_CloseSession" => session.close(),
        "C_CloseAllSessions" => context.close_all_sessions(loaded.slot),
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
        "C_FindObjectsInit" | "C_FindObjects" => session.find_objects(&[]).map(nothing_of),
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
        _ => {
            nothing(());
            panic!("nobody calls {call}")
        }
    }
}

fn nothing_of<T>(_: T) {}
