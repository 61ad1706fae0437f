//! What happens when the module is loaded, and programs other than ours.

use super::*;

/// What a process that tries to load the module says.
#[allow(clippy::print_stdout, reason = "a test's process answers its parent")]
fn loading(
    test: &str,
    configure: impl FnOnce(&mut Command, &Path),
) -> Option<(ExitStatus, String)> {
    if is_inside() {
        let context = Pkcs11::new(std::env::var_os(MODULE).unwrap());
        match context.and_then(|context| {
            context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        }) {
            Ok(()) => println!("result: loaded"),
            Err(error) => println!("result: {error:?}"),
        }
        return None;
    }
    let folder = prepared();
    let mut command = again(test, folder.path(), shim::built());
    command.env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf"));
    configure(&mut command, folder.path());
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    Some((ran.status, said.into_owned()))
}

#[test]
fn environment_alone_is_a_plan() {
    for (orders, result) in [
        ("C_Initialize 2 kill", "result: loaded"),
        (
            "C_GetInfo 1 kill;C_Initialize 1 0x31",
            "result: Pkcs11(DeviceMemory, Initialize)",
        ),
        (
            "C_GetFunctionList 1 CKR_HOST_MEMORY",
            "result: Pkcs11(HostMemory, GetFunctionList)",
        ),
    ] {
        let said = loading(name!(environment_alone_is_a_plan), |command, folder| {
            command
                .env("P11SHIM_REAL", SOFTHSM)
                .env("P11SHIM_LOG", folder.join("log"))
                .env("P11SHIM_FAIL", orders);
        });
        let Some((status, said)) = said else { return };
        assert!(
            status.success() && said.contains(result),
            "{orders}: {said}"
        );
    }
}

#[test]
fn plan_that_is_not_understood_does_not_load() {
    for (plan, why) in [
        ("", "no plan says which module is the real one"),
        ("real /nowhere/module.so", "/nowhere/module.so"),
        (
            "real /usr/lib/softhsm/libsofthsm2.so\nC_Sgin 1 kill",
            "the-plan, line 2: the shim does not wrap \"C_Sgin\"",
        ),
        (
            "real /usr/lib/softhsm/libsofthsm2.so\nlog /nowhere/log",
            "/nowhere/log",
        ),
    ] {
        let test = name!(plan_that_is_not_understood_does_not_load);
        let said = loading(test, |command, folder| {
            fs::write(folder.join("the-plan"), plan).unwrap();
            command.env("P11SHIM_PLAN", folder.join("the-plan"));
        });
        let Some((status, said)) = said else { return };
        assert!(status.success(), "{said}");
        assert!(
            said.contains("result: Pkcs11(GeneralError, GetFunctionList)"),
            "{said}"
        );
        assert!(
            said.contains("pkcs11-shim: ") && said.contains(why),
            "{said}"
        );
    }
}

#[test]
fn list_of_functions_is_null() {
    // cryptoki follows the pointer: the worst that a program can do.
    let said = loading(name!(list_of_functions_is_null), |command, _| {
        command
            .env("P11SHIM_REAL", SOFTHSM)
            .env("P11SHIM_FAIL", "C_GetFunctionList 1 null");
    });
    let Some((status, said)) = said else { return };
    assert!(
        !status.success() && status.signal().is_some(),
        "{status:?} {said}"
    );
}

#[test]
fn function_that_is_missing_is_a_null_pointer() {
    let plan = Shim::plan()
        .order("missing C_GenerateRandom")
        .order("missing C_Sign");
    let log = holds(
        name!(function_that_is_missing_is_a_null_pointer),
        &plan,
        |loaded| {
            assert!(!loaded.context.is_fn_supported(Function::GenerateRandom));
            assert!(loaded.context.is_fn_supported(Function::SeedRandom));
            let session = loaded.logged_in();
            assert!(matches!(
                session.generate_random_vec(4),
                Err(Error::NullFunctionPointer)
            ));
            assert!(matches!(signed(&session), Err(Error::NullFunctionPointer)));
        },
    );
    let Some(log) = log else { return };
    assert_eq!((log.count("C_SignInit"), log.count("C_Sign")), (1, 0));
}

#[test]
fn pkcs11_tool_accepts_the_module_and_meets_its_faults() {
    let folder = prepared();
    let path = folder.path();
    let shim = Shim::plan().install(path);
    let direct = tool(
        path,
        with(pkcs11_tool(Path::new(SOFTHSM)), &["--list-objects"]),
    );
    let listed = tool(path, with(pkcs11_tool(shim.module()), &["--list-objects"]));
    assert_eq!(listed, direct);
    assert!(
        listed.contains("first") && listed.contains("EC_POINT"),
        "{listed}"
    );

    let (digest, signature) = (path.join("digest"), path.join("signature"));
    fs::write(&digest, DIGEST).unwrap();
    let sign = |module: &Path| {
        let mut sign = with(
            pkcs11_tool(module),
            &["--login", "--pin", PIN, "--id", &id("first")],
        );
        sign.args(["--sign", "--mechanism", "ECDSA", "--input-file"])
            .arg(&digest);
        sign.arg("--output-file").arg(&signature);
        sign
    };
    let verdict = || {
        let mut verify = with(
            pkcs11_tool(Path::new(SOFTHSM)),
            &["--id", &id("first"), "--verify"],
        );
        verify
            .args(["--mechanism", "ECDSA", "--input-file"])
            .arg(&digest);
        verify.arg("--signature-file").arg(&signature);
        tool(path, verify)
    };
    tool(path, sign(shim.module()));
    assert!(verdict().contains("Signature is valid"), "{}", verdict());
    assert_eq!((shim.log().signatures(), shim.log().broken().len()), (1, 0));

    shim.replan(&Shim::plan().fault("C_Sign", "*", "flip"));
    tool(path, sign(shim.module()));
    assert!(verdict().contains("Invalid signature"), "{}", verdict());
    shim.replan(&Shim::plan().fault("C_Login", "1", "CKR_PIN_EXPIRED"));
    let mut failing = sign(shim.module());
    failing.env("SOFTHSM2_CONF", path.join("softhsm2.conf"));
    let ran = failing.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        !ran.status.success() && said.contains("CKR_PIN_EXPIRED"),
        "{said}"
    );
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}
