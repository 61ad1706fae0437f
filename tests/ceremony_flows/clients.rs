//! Clients that were there all along, and clients of today, while the files of a ceremony are published.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::peers::{Client, Peer, Publication, Verdict, publish};
use crate::support::scripts::{example, fill, in_days, read, with_online_key};
use crate::support::stage::{EVERYBODY, Stage};

const TARGET: &str = "demo/demo-1.0.txt";

/// A repository that is published step by step from a stage's bundles.
struct Published<'s> {
    stage: &'s Stage,
    first_root: PathBuf,
}

impl Published<'_> {
    /// A throwaway online key; gives its public half for scripts.
    fn online_key(stage: &Stage) -> String {
        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl")
                .args(arguments)
                .current_dir(stage.path(""))
                .output();
            let output = output.expect("openssl starts");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "online.pem",
        ]);
        fs::write(stage.path("demo.txt"), "hello\n").unwrap();
        openssl(&["pkey", "-in", "online.pem", "-pubout"])
    }

    fn publish(&self, bundle: &Path, at: Option<&str>) {
        let published = publish(&Publication {
            bundle,
            online_keys: &[&self.stage.path("online.pem")],
            out: &self.stage.path("published"),
            targets: &[(TARGET, &self.stage.path("demo.txt"))],
            at,
        });
        published.unwrap();
    }

    /// A python-tuf client of the first root that keeps its memory under this name.
    fn client(&self, name: &str, at: Option<&str>) -> Verdict {
        Peer::PythonTuf.client(&Client {
            trusted_root: &self.first_root,
            cache: &self.stage.path(name),
            published: &self.stage.path("published"),
            target: Some(TARGET),
            at,
        })
    }

    fn works(&self, what: &str, name: &str, at: Option<&str>, root: u64) {
        let verdict = self.client(name, at);
        assert!(verdict.ok, "{what}: {name}: {verdict:?}");
        assert_eq!(verdict.root_version, Some(root), "{what}: {name}");
    }
}

#[test]
fn a_root_that_expired_yesterday_is_renewed_today_and_an_old_client_recovers() {
    let stage = Stage::with_tokens(&EVERYBODY);
    let public = Published::online_key(&stage);
    // The example's root lives for 365 days.
    let then = in_days(-366).replace("T00:", "T12:");
    let script = with_online_key(&fill(&read("genesis-458"), None, -366), &public);
    let then_local = then.replace('T', " ").replace('Z', "");
    let genesis = stage.ceremony("genesis", script).at(&then_local).finish();
    let published = Published {
        stage: &stage,
        first_root: genesis.join("metadata/1.root.json"),
    };
    published.publish(&genesis, Some(&then));
    published.works("a year ago", "old", Some(&then), 1);
    assert!(!published.client("old", None).ok, "everything expired");

    let renewal = read("renew")
        .replace("frank", "erin")
        .replacen("version = 3", "version = 2", 1);
    let script = fill(&renewal, Some(&genesis), 0);
    let renew = stage.ceremony("renew", script).after(&genesis).finish();
    let warned = crate::support::record::rules(&renew);
    assert!(
        warned.iter().any(|rule| rule == "TRUSTED-EXPIRED"),
        "{warned:?}"
    );
    published.publish(&renew, None);
    published.works("today", "old", None, 2);
    published.works("today", "fresh", None, 2);
}

/// The publishing steps of a bundle, as the online side reads them.
fn steps(bundle: &Path) -> Vec<Vec<String>> {
    let actions = fs::read(bundle.join("online/online-actions.json")).unwrap();
    let actions: Value = serde_json::from_slice(&actions).unwrap();
    let steps = actions["publish"].as_array().unwrap().iter();
    let files = |step: &Value| {
        let files = step["files"].as_array().unwrap().iter();
        files
            .map(|file| file.as_str().unwrap().to_owned())
            .collect()
    };
    steps.map(files).collect()
}

/// Publishes step by step; after each, a client that was there all along and a fresh one still work.
fn no_step_breaks_a_client(published: &Published<'_>, bundle: &Path) {
    published.works("before", "cached", None, 1);
    let steps = steps(bundle);
    for (index, files) in steps.iter().enumerate() {
        let step = published.stage.path(format!("step-{index}"));
        fs::create_dir_all(step.join("metadata")).unwrap();
        for file in files {
            fs::copy(bundle.join(file), step.join(file)).unwrap();
        }
        published.publish(&step, None);
        let root = crate::support::scripts::newest_root_version(&published.stage.path("published"));
        let what = format!("step {} {files:?}", index + 1);
        published.works(&what, "cached", None, root);
        published.works(&what, &format!("fresh-{index}"), None, root);
    }
}

/// A genesis with ephemeral keys that is published, and its renewal that is not yet.
fn published_and_renewed(stage: &Stage) -> (Published<'_>, PathBuf) {
    let public = Published::online_key(stage);
    let script = with_online_key(&example("genesis-ephemeral", None), &public);
    let genesis = stage.ceremony("genesis", script).finish();
    let published = Published {
        stage,
        first_root: genesis.join("metadata/1.root.json"),
    };
    published.publish(&genesis, None);
    let script = example("renew-ephemeral", Some(&genesis));
    let renewal = stage
        .ceremony("renew-ephemeral", script)
        .after(&genesis)
        .finish();
    (published, renewal)
}

#[test]
fn renew_ephemeral_breaks_no_client_at_any_publishing_step() {
    let stage = Stage::with_tokens(&EVERYBODY);
    let (published, renewal) = published_and_renewed(&stage);
    assert_eq!(steps(&renewal).len(), 3);
    no_step_breaks_a_client(&published, &renewal);
}

#[test]
fn the_new_root_alone_would_break_clients_so_the_order_of_the_steps_is_needed() {
    let stage = Stage::with_tokens(&EVERYBODY);
    let (published, renewal) = published_and_renewed(&stage);
    let step = stage.path("root-alone");
    fs::create_dir_all(step.join("metadata")).unwrap();
    fs::copy(
        renewal.join("metadata/2.root.json"),
        step.join("metadata/2.root.json"),
    )
    .unwrap();
    published.publish(&step, None);
    let broken = published.client("fresh", None);
    assert!(broken.refusal().contains("targets"), "{broken:?}");
}
