//! Sigstore identities (TAP 18) as keys of projects: green with a bundle that the carried trusted root vouches for, and never without.

use super::support::projects::{identity, signed_at};
use super::support::sigstore::{Order, STRANGER, trusted_root};
use super::*;
use tuf_ceremony::pypi::requests::{Evidence, Proof, statement};
use tuf_ceremony::tuf::finding::Level;
use tuf_ceremony::tuf::json::check;
use tuf_ceremony::tuf::value::Value;

const ALICE: &str = "alice@example.org";
const MALLORY: &str = "mallory@example.org";
const DATED: &str = "2026-11-20T00:00:00Z";

fn root(dated: Option<&str>) -> (Vec<u8>, Option<String>) {
    let root = serde_json::to_vec(&trusted_root()).unwrap();
    (root, dated.map(str::to_owned))
}

/// The project elder with these keys and an identity beside them, or alone; without the proof by the identity.
fn elder(keys: &[u8], address: &str) -> World {
    let mut world = World::new();
    world.sigstore = Some(root(Some(DATED)));
    let alone: &[&str] = if keys.is_empty() { &[address] } else { &[] };
    let entry = Entry {
        identities: vec![address.to_owned()],
        bundles: alone.iter().map(ToString::to_string).collect(),
        ..Entry::new("elder", keys)
    };
    world.recent("elder", &entry);
    let mut request = world.request(Action::Claim, "elder", keys, 1);
    let key = identity(address);
    request.owners.insert(key.keyid(), "alice".to_owned());
    request.keys.insert(key.keyid(), key);
    world.possess(&mut request, keys);
    world.requests.push(request);
    world
}

fn asks(world: &World) -> &Request {
    world.requests.last().unwrap()
}

/// An order over the statement that the request's keys must sign.
fn order(world: &World, by: &str) -> Order {
    let statement = statement::possession(&world.anchor(), asks(world));
    Order::of(by, &statement, signed_at())
}

/// Puts the bundle into the request as the proof by the identity that the request names.
fn proven(mut world: World, address: &str, order: &Order) -> World {
    let text = serde_json::to_vec(&order.bundle()).unwrap();
    let bundle = Value::from_json(check(&text, Limits::SMALL).unwrap());
    let possession = &mut world.requests.last_mut().unwrap().possession;
    possession.push(Proof {
        keyid: identity(address).keyid(),
        evidence: Evidence::Bundle(bundle),
    });
    possession.sort_by(|a, b| a.keyid.cmp(&b.keyid));
    world
}

/// With the right bundle.
fn right(keys: &[u8], address: &str) -> World {
    let world = elder(keys, address);
    let order = order(&world, address);
    proven(world, address, &order)
}

#[test]
fn an_identity_is_green_with_a_bundle_that_the_carried_root_vouches_for() {
    for keys in [&[63][..], &[]] {
        let vetting = judged(&right(keys, ALICE));
        let vetted = of(&vetting, "elder");
        assert_eq!(vetted.bucket(), Bucket::Green, "{:#?}", vetted.reasons);
        assert!(!vetted.is_single());
        says(
            vetted,
            Bucket::Green,
            "SIGSTORE-EMAIL-PUBLIC",
            "alice@example.org is an e-mail address: it becomes public in the metadata, and every signature by it stands in a public log for good. See that its owner knows",
        );
        assert!(
            !rules(vetted)
                .iter()
                .any(|(_, rule)| rule.starts_with("CLAIM-"))
        );
        let told: Vec<_> = vetting.findings.iter().map(|it| it.rule.as_str()).collect();
        assert_eq!(told, ["SIGSTORE-CLIENTS"]);
        others_are_green(&vetting, "elder");
    }
}

/// What is changed, and why the bundle then proves nothing.
type Flaw = (fn(World) -> World, &'static str);

#[test]
fn an_identity_without_a_bundle_that_proves_it_is_never_green() {
    let flaws: [Flaw; 7] = [
        (|world| world, ""),
        (
            |mut world| {
                world.sigstore = None;
                let order = order(&world, ALICE);
                proven(world, ALICE, &order)
            },
            "there is no trusted root of Sigstore in the input to check its bundle with",
        ),
        (
            |world| {
                let order = order(&world, MALLORY);
                proven(world, ALICE, &order)
            },
            "SIGSTORE-IDENTITY: the Sigstore bundle is not by the identity of the key: it is by mallory@example.org, the key is alice@example.org. Ask for a bundle by exactly this identity, or for a request that names the right one",
        ),
        (
            // Alice's own word, for another project of hers.
            |world| {
                let mut other = asks(&world).clone();
                other.project = project("apple");
                let statement = statement::possession(&world.anchor(), &other);
                let order = Order::of(ALICE, &statement, signed_at());
                proven(world, ALICE, &order)
            },
            "SIGSTORE-SIGNATURE: the Sigstore bundle is no signature over this statement: the digest in it is of other bytes. Ask for a bundle over exactly the bytes that the request asks to be signed",
        ),
        (
            |world| {
                let mut order = order(&world, ALICE);
                order.authority = STRANGER;
                proven(world, ALICE, &order)
            },
            "SIGSTORE-CHAIN: no authority of the trusted root vouches for the certificate in the Sigstore bundle: certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey. Ask which instance of Sigstore signed, and whether the trusted root is of that instance and new enough",
        ),
        (
            |world| {
                let mut order = order(&world, ALICE);
                order.issuer = "https://other.example.org".to_owned();
                order.old_issuer.clone_from(&order.issuer);
                proven(world, ALICE, &order)
            },
            "SIGSTORE-IDENTITY: the Sigstore bundle is not by the identity of the key: its issuer is https://other.example.org, the key's is https://accounts.example.org. Ask for a bundle by exactly this identity, or for a request that names the right one",
        ),
        (
            // A day after the one that everything is judged for.
            |world| {
                let statement = order(&world, ALICE).artifact;
                let late = "2026-11-23T00:00:00Z".parse().unwrap();
                proven(world, ALICE, &Order::of(ALICE, &statement, late))
            },
            "SIGSTORE-TIME: the time of the signature in the Sigstore bundle cannot stand: it is from 2026-11-23T00:00:00Z, after 2026-11-22T00:00:00Z. Ask for the statement to be signed again",
        ),
    ];
    let keyid = identity(ALICE).keyid();
    for (flaw, reason) in flaws {
        let reason = match reason {
            "" => String::new(),
            reason => format!(" {keyid}: {reason}."),
        };
        // Beside a key that has signed the project's metadata.
        let vetting = judged(&flaw(elder(&[63], ALICE)));
        let text = format!(
            "no bundle proves the identity {keyid}, though its metadata is signed by a threshold of its keys.{reason}"
        );
        says(of(&vetting, "elder"), Bucket::Look, "CLAIM-IDENTITY", &text);
        others_are_green(&vetting, "elder");
    }
}

#[test]
fn an_identity_alone_is_refused_without_the_carried_root_and_looked_at_without_its_proof() {
    // Its bundle in the project's own metadata is no proof of possession that a request could not lack.
    let keyid = identity(ALICE).keyid();
    let vetting = judged(&elder(&[], ALICE));
    let text = format!(
        "no bundle proves the identity {keyid}, though its metadata is signed by a threshold of its keys."
    );
    says(of(&vetting, "elder"), Bucket::Look, "CLAIM-IDENTITY", &text);
    let mut world = right(&[], ALICE);
    world.sigstore = None;
    let vetting = judged(&world);
    let vetted = of(&vetting, "elder");
    let text = format!(
        "its metadata in the archive of 2026-11-20 does not hold: 1.project-elder.json: project-elder needs 1 signature by the keys that recently-claimed v10 names for project-elder and has 0; missing: {keyid}"
    );
    says(vetted, Bucket::Refused, "CLAIM-METADATA", &text);
    let text = format!(
        "nothing proves that these keys are meant for it: no proof of possession by {keyid}, and its metadata is not signed by a threshold of them. {keyid}: there is no trusted root of Sigstore in the input to check its bundle with."
    );
    says(vetted, Bucket::Refused, "CLAIM-POSSESSION", &text);
}

#[test]
fn an_identity_at_one_ref_is_looked_at() {
    let workflow = "https://github.com/o/r/.github/workflows/release.yml";
    let vetting = judged(&right(&[63], workflow));
    assert_eq!(of(&vetting, "elder").bucket(), Bucket::Green);
    let vetting = judged(&right(&[63], &format!("{workflow}@refs/tags/v1")));
    let text = format!(
        "{workflow}@refs/tags/v1 is a workflow at one ref, tags/v1: the next tag is another identity and its signatures will not count. Take an ordinary key, or a workflow that signs on one branch"
    );
    says(of(&vetting, "elder"), Bucket::Look, "SIGSTORE-REF", &text);
}

#[test]
fn the_trusted_root_is_the_scripts_and_as_old_as_it_says() {
    let dated = |dated: Option<&str>| {
        let mut world = right(&[63], ALICE);
        world.sigstore = Some(root(dated));
        let script = script(&world);
        taken(&world, &script).unwrap().vetting(&script)
    };
    let told = |vetting: &Vetting| {
        assert_eq!(of(vetting, "elder").bucket(), Bucket::Green);
        let findings = vetting.findings.iter();
        let found: Vec<_> = findings
            .filter(|it| it.rule == "SIGSTORE-ROOT-AGE")
            .collect();
        found
            .iter()
            .map(|it| (it.level, it.text.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&dated(Some("2026-10-23T00:00:00Z")).unwrap()), []);
    assert_eq!(
        told(&dated(Some("2026-10-22T00:00:00Z")).unwrap()),
        [(
            Level::Warning,
            "the trusted root is 31 days old; its newest entry is from 2026-01-01T00:00:00Z. A key that Sigstore withdrew since then is still believed. Fetch it again with a Sigstore client".to_owned()
        )]
    );
    assert_eq!(
        told(&dated(None).unwrap()),
        [(
            Level::Warning,
            "nobody says when the trusted root was fetched; its newest entry is from 2026-01-01T00:00:00Z. A key that Sigstore withdrew since is still believed. See that it was fetched for this ceremony".to_owned()
        )]
    );
    for (moment, text) in [
        (
            "2026-05-22T00:00:00Z",
            "the trusted root is 184 days old; Sigstore's own metadata that vouched for it has expired (more than 183 days). A key that Sigstore withdrew since then is still believed. Fetch it again with a Sigstore client",
        ),
        (
            "2026-11-22T00:00:01Z",
            "the trusted root is dated 2026-11-22T00:00:01Z, after 2026-11-22T00:00:00Z, when it is used; one of the two dates is wrong",
        ),
        (
            "last week",
            "sigstore_dated of the script: \"last week\" is not a date of the form YYYY-MM-DDTHH:MM:SSZ",
        ),
    ] {
        let refused = dated(Some(moment)).unwrap_err();
        let path = "sigstore/trusted_root.json";
        assert_eq!(refused, [Finding::error("SIGSTORE-ROOT-AGE", path, text)]);
    }
    // Another file than the script's does not even get in.
    let mut world = right(&[63], ALICE);
    let script = script(&world);
    let (bytes, _) = world.sigstore.as_mut().unwrap();
    bytes.push(b'\n');
    let Err(refused) = taken(&world, &script) else {
        panic!("another trusted root was taken in")
    };
    let rules: Vec<_> = refused.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["INTAKE-DIGEST"]);
}

#[test]
fn an_identity_joins_a_claimed_project_with_a_bundle_only() {
    let add = |bundle: bool| {
        let mut world = World::new();
        world.sigstore = Some(root(Some(DATED)));
        let mut request = world.request(Action::AddKey, "django", &[51, 53], 1);
        let key = identity(ALICE);
        request.owners.insert(key.keyid(), "alice".to_owned());
        request.keys.insert(key.keyid(), key);
        request.replaces = Some(django(&world));
        world.possess(&mut request, &[51, 53]);
        world.authorise(&mut request, &[51]);
        world.requests.push(request);
        if bundle {
            let order = order(&world, ALICE);
            world = proven(world, ALICE, &order);
        }
        judged(&world)
    };
    let vetting = add(true);
    assert_eq!(of(&vetting, "django").bucket(), Bucket::Green);
    let text = format!(
        "nothing proves that the new key {} is meant for it: no proof of possession",
        identity(ALICE).keyid()
    );
    says(
        of(&add(false), "django"),
        Bucket::Refused,
        "CLAIM-POSSESSION",
        &text,
    );
}
