//! The Merkle tree of RFC 6962 (section 2.1) with SHA-256, built leaf by leaf in the memory of its height.

use sha2::Digest as _;

use crate::tuf::digest::Sha256;

/// A tree that grows. Leaves and nodes are hashed apart (0x00, 0x01), so that no leaf can be taken for a node.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    leaves: u64,
    /// Roots of the full trees that the leaves make, largest first: one for each bit that is set in their number.
    full: Vec<Sha256>,
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut root = hash(&[&[0], leaf]);
        // Each trailing one of the number is a full tree of the size that the new one has by then.
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.full.pop() {
                root = node(&left, &root);
            }
        }
        self.full.push(root);
        self.leaves += 1;
    }
    /// How many leaves it has.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }
    /// The root; that of a tree without leaves is the digest of nothing.
    pub fn root(&self) -> Sha256 {
        let right = self.full.iter().copied().rev();
        right
            .reduce(|right, left| node(&left, &right))
            .unwrap_or_else(|| Sha256::of(&[]))
    }
}

fn node(left: &Sha256, right: &Sha256) -> Sha256 {
    hash(&[&[1], &left.0, &right.0])
}

fn hash(pieces: &[&[u8]]) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for piece in pieces {
        hasher.update(piece);
    }
    Sha256(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use data_encoding::HEXLOWER;

    use super::*;

    /// The leaves and roots that Certificate Transparency's own tests have.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let mut tree = Tree::default();
        assert_eq!(tree.root().to_string(), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.push(&HEXLOWER.decode(leaf.as_bytes()).unwrap());
            assert_eq!(&tree.root().to_string(), root, "{} leaves", tree.leaves());
        }
    }

    /// RFC 6962, 2.1, as it is written.
    fn by_definition(leaves: &[Vec<u8>]) -> Sha256 {
        match leaves {
            [] => Sha256::of(&[]),
            [leaf] => hash(&[&[0], leaf]),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn growing_gives_what_the_definition_gives() {
        let leaves: Vec<Vec<u8>> = (0_u8..=130).map(|number| vec![number; 3]).collect();
        let mut tree = Tree::default();
        for (index, leaf) in leaves.iter().enumerate() {
            tree.push(leaf);
            assert_eq!(tree.root(), by_definition(&leaves[..=index]));
            assert!(tree.full.len() <= 8);
        }
    }
}
