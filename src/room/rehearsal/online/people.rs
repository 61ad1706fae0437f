//! The developers of a rehearsal and their projects.

use crate::pypi::project::Project;
use crate::tuf::key::{Algorithm, KeyId};

use super::ring::Ring;

/// How many projects there are of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Projects that the first requests bring into claimed.
    pub first: usize,
    /// Projects that the second requests bring.
    pub second: usize,
    /// Of the first, how many are of one company that signs all of them with one key.
    pub shared: usize,
    /// Projects that no developer signs for: their files are in the bins.
    pub unclaimed: usize,
    /// Projects that are in claimed before anything is asked: those of many months.
    pub before: usize,
    /// Whether one project of each [`Trouble`] is among the second.
    pub trouble: bool,
}

impl Sizes {
    /// So many projects, at least sixty, divided as a rehearsal needs them: of 24,500 the first claim brings 20,000, of which 1,000 share a key, and the second 4,500.
    pub fn of(projects: usize) -> Self {
        let projects = projects.max(60);
        let first = projects * 40 / 49;
        Self {
            first,
            second: projects - first - 2,
            shared: (first / 20).max(6),
            unclaimed: 2,
            before: 0,
            trouble: true,
        }
    }
}

/// Which requests a project is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The first.
    First,
    /// The second.
    Second,
    /// None: it has no developer's key.
    Unclaimed,
    /// None: it was claimed long ago.
    Before,
}

/// What is not as it should be with one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Its key was first seen ten days ago.
    Young,
    /// Its own metadata expires in twenty days.
    Expiring,
    /// An account was recovered five days ago.
    Recovered,
    /// An archive in the middle has another key than those before and behind it.
    Disagreeing,
    /// An intruder put his key in the place of the developer's, in the newest recently-claimed.
    Inserted,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Young,
        Self::Expiring,
        Self::Recovered,
        Self::Disagreeing,
        Self::Inserted,
    ];
}

/// One project and who signs for it.
#[derive(Clone, Debug)]
pub struct Developer {
    /// What it is called.
    pub project: Project,
    /// When it comes into claimed.
    pub group: Group,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
    /// Its keys as the developer knows them.
    pub keys: Vec<KeyId>,
    /// How many must sign.
    pub threshold: u32,
    /// How many days ago its keys were first seen.
    pub age: i64,
    /// Its number among all, from 0.
    pub(super) number: usize,
}

impl Developer {
    /// Whether the project's own metadata lies there. Of those that were claimed long ago only one file in a thousand is made: the others are there for the size of
    /// claimed and of snapshots, which list them all.
    pub fn is_published(&self) -> bool {
        self.group != Group::Before || self.number.is_multiple_of(1_000)
    }
}

/// The company that signs all its projects with one key.
pub(super) const COMPANY: &str = "company-robot";

const FIRST: [&str; 16] = [
    "amber", "brisk", "calm", "dusty", "eager", "fancy", "gentle", "happy", "icy", "jolly", "keen",
    "lucid", "mellow", "nimble", "orange", "plain",
];
const SECOND: [&str; 16] = [
    "anchor", "bridge", "candle", "desk", "engine", "feather", "garden", "hammer", "island",
    "jacket", "kettle", "ladder", "mirror", "needle", "oven", "pencil",
];

/// No two numbers have one name.
pub(super) fn name(number: usize) -> String {
    let (first, second) = (
        FIRST[number % FIRST.len()],
        SECOND[number / FIRST.len() % SECOND.len()],
    );
    match number / (FIRST.len() * SECOND.len()) {
        0 => format!("{first}-{second}"),
        more => format!("{first}-{second}-{more}"),
    }
}

/// Everybody, by number.
pub(super) fn everybody(sizes: Sizes, ring: &mut Ring) -> Vec<Developer> {
    let signed = sizes.first + sizes.second;
    let asked = signed + sizes.unclaimed;
    let mut troubles = Trouble::ALL.into_iter();
    (0..asked + sizes.before)
        .filter_map(|number| {
            let group = match number {
                number if number < sizes.first => Group::First,
                number if number < signed => Group::Second,
                number if number < asked => Group::Unclaimed,
                _ => Group::Before,
            };
            let trouble = match group {
                // The last ones, so that the projects before them are what they are in any size.
                Group::Second if sizes.trouble && number + Trouble::ALL.len() >= signed => {
                    troubles.next()
                }
                _ => None,
            };
            let (keys, threshold) = match group {
                Group::Unclaimed => (Vec::new(), 0),
                _ if number < sizes.shared => (vec![ring.key(COMPANY, Algorithm::Ed25519)], 1),
                _ => keys(number, trouble, ring),
            };
            Some(Developer {
                project: Project::parse(&name(number)).ok()?,
                group,
                trouble,
                keys,
                threshold,
                age: if trouble == Some(Trouble::Young) {
                    10
                } else {
                    60
                },
                number,
            })
        })
        .collect()
}

/// A developer has 2.3 projects, as on PyPI; one in seven has a second machine, one in fourteen lets both sign. Most keys are Ed25519.
fn keys(number: usize, trouble: Option<Trouble>, ring: &mut Ring) -> (Vec<KeyId>, u32) {
    let owner = if trouble.is_some() {
        format!("lonely-{number}")
    } else {
        format!("dev-{}", number * 10 / 23)
    };
    let person = number * 10 / 23;
    let algorithm = match person % 50 {
        3 => Algorithm::EcdsaP256,
        7 => Algorithm::EcdsaP384,
        _ => Algorithm::Ed25519,
    };
    let mut keys = vec![ring.key(&format!("{owner} (laptop)"), algorithm)];
    if person % 7 == 5 {
        keys.push(ring.key(&format!("{owner} (desk)"), Algorithm::Ed25519));
    }
    let threshold = if person % 14 == 5 { 2 } else { 1 };
    (keys, threshold)
}
