//! Ed25519 itself: signatures over bare bytes by bare keys, where implementations differ.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use farhold_bundle::KeyId;
use farhold_contract::Code;

use super::{
    case::Case,
    scalar::{order, plus_orders, times},
    vector::Vector,
};

/// What the constructed signatures are over.
const MESSAGE: &[u8] = b"farhold";

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = rfc_8032();
    vectors.extend(scalars());
    vectors.extend(points());
    vectors.extend(lengths());
    vectors.extend(keys());
    vectors
}

fn rfc_8032() -> Vec<(&'static str, Vector)> {
    // RFC 8032 §7.1: key, message and signature of its tests 1, 2, 3 and SHA(abc).
    let cases = [
        (
            "rfc-8032-test-1",
            "RFC 8032, test 1: an empty message",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "rfc-8032-test-2",
            "RFC 8032, test 2: one byte",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "rfc-8032-test-3",
            "RFC 8032, test 3: two bytes",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "rfc-8032-sha-abc",
            "RFC 8032, test SHA(abc): 64 bytes",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    let taken = |(name, title, key, message, signature): (_, _, _, _, _)| {
        let [key, message, signature] = [key, message, signature].map(unhex);
        let case = Case::signature(title, &key, &message, &signature);
        (name, case.taken(json!({ "key_id": key_id(&key) })))
    };
    cases.into_iter().map(taken).collect()
}

/// One key, its secret scalar, and what it signs.
struct Pair {
    public: [u8; 32],
    scalar: [u8; 32],
    signature: [u8; 64],
}

impl Pair {
    fn new(seed: &[u8]) -> Self {
        let signing = SigningKey::from_bytes(&Sha256::digest(seed).into());
        // RFC 8032 §5.1.5: the lower half of the hash, with bits set and cleared.
        let hash = Sha512::digest(signing.to_bytes());
        let mut scalar: [u8; 32] = std::array::from_fn(|at| hash[at]);
        scalar[0] &= 0xf8;
        scalar[31] = scalar[31] & 0x7f | 0x40;
        let signature = signing.sign(MESSAGE).to_bytes();
        Self { public: signing.verifying_key().to_bytes(), scalar, signature }
    }

    fn r(&self) -> [u8; 32] {
        std::array::from_fn(|at| self.signature[at])
    }

    fn s(&self) -> [u8; 32] {
        std::array::from_fn(|at| self.signature[32 + at])
    }

    /// The `s` with which the equation s·B = k·A holds: all of it but R.
    fn s_without_r(&self, r: &[u8; 32]) -> [u8; 32] {
        let hash = Sha512::new().chain_update(r).chain_update(self.public).chain_update(MESSAGE);
        times(&hash.finalize(), &self.scalar)
    }

    fn offered(&self, title: &str, r: [u8; 32], s: [u8; 32]) -> Case {
        Case::signature(title, &self.public, MESSAGE, &[r, s].concat())
    }

    fn invalid(&self, title: &str, r: [u8; 32], s: [u8; 32]) -> Vector {
        self.offered(title, r, s).refused(Code::SignatureInvalid)
    }
}

fn scalars() -> Vec<(&'static str, Vector)> {
    let pair = Pair::new(b"farhold ed25519 vectors");
    let (r, s) = (pair.r(), pair.s());
    let zero = [0; 32];
    let mut one = zero;
    one[0] = 1;
    let mut below = order();
    below[0] -= 1;
    let mut above = order();
    above[0] += 1;
    let mut high = s;
    high[31] |= 0x80;
    let key_id = key_id(&pair.public);
    vec![
        ("honest", pair.offered("What a signer makes", r, s).taken(json!({ "key_id": key_id }))),
        ("s-plus-order", pair.invalid("s and the order once more", r, plus_orders(&s, 1))),
        ("s-plus-8-orders", pair.invalid("s and the order eight times", r, plus_orders(&s, 8))),
        ("s-with-its-highest-bit", pair.invalid("s with its highest bit set", r, high)),
        ("s-0", pair.invalid("s is 0", r, zero)),
        ("s-1", pair.invalid("s is 1", r, one)),
        ("s-order-minus-1", pair.invalid("s is the order less 1", r, below)),
        ("s-order", pair.invalid("s is the order: 0 in another spelling", r, order())),
        ("s-order-plus-1", pair.invalid("s is the order and 1", r, above)),
        ("s-all-ones", pair.invalid("s is 2^256 - 1", r, [0xff; 32])),
        ("r-and-s-swapped", pair.invalid("s before R", s, r)),
        ("r-twice", pair.invalid("R in the place of s", r, r)),
    ]
}

fn points() -> Vec<(&'static str, Vector)> {
    let pair = Pair::new(b"farhold ed25519 vectors");
    let holding = |title: &str, r: [u8; 32]| pair.invalid(title, r, pair.s_without_r(&r));
    let one = little(&[1]);
    let prime = prime_plus(0);
    let mut other_sign = pair.r();
    other_sign[31] ^= 0x80;
    vec![
        (
            "r-neutral-and-the-equation-holds",
            holding("R is the neutral element, and the equation holds", one),
        ),
        (
            "r-neutral-in-another-spelling",
            holding("R is the neutral element, written as 1 + p", prime_plus(1)),
        ),
        (
            "r-neutral-with-the-sign-of-0",
            holding("R is the neutral element, with a sign for x = 0", little_with_sign(&[1])),
        ),
        ("r-of-order-2", holding("R is of order 2: it holds times the cofactor", prime_plus(-1))),
        ("r-of-order-4", holding("R is of order 4: it holds times the cofactor", [0; 32])),
        ("r-of-order-8", holding("R is of order 8: it holds times the cofactor", order_8())),
        ("r-0-in-another-spelling", holding("R is of order 4, written as p", prime)),
        ("r-all-ones", pair.invalid("R is no point: 2^256 - 1", [0xff; 32], pair.s())),
        ("r-off-the-curve", pair.invalid("R is no point of the curve", little(&[2]), pair.s())),
        ("r-of-the-other-sign", pair.invalid("R with the other sign", other_sign, pair.s())),
        ("r-is-the-key", pair.invalid("R is the key", pair.public, pair.s())),
        (
            "of-another-key",
            Case::signature(
                "By another key",
                &Pair::new(b"farhold ed25519 vectors, another").public,
                MESSAGE,
                &pair.signature,
            )
            .refused(Code::SignatureInvalid),
        ),
        (
            "of-another-message",
            Case::signature("Over another message", &pair.public, b"farhole", &pair.signature)
                .refused(Code::SignatureInvalid),
        ),
    ]
}

fn lengths() -> Vec<(&'static str, Vector)> {
    let pair = Pair::new(b"farhold ed25519 vectors");
    let signature = pair.signature;
    let of = |title: &str, signature: &[u8]| {
        Case::signature(title, &pair.public, MESSAGE, signature).refused(Code::SignatureInvalid)
    };
    vec![
        ("signature-empty", of("No bytes are no signature", &[])),
        ("signature-of-32-bytes", of("R alone is none", &signature[..32])),
        ("signature-of-63-bytes", of("One byte is missing", &signature[..63])),
        ("signature-of-65-bytes", of("One byte too many", &[&signature[..], &[0]].concat())),
        ("signature-after-a-byte", of("One byte before it", &[&[0], &signature[..]].concat())),
        ("signature-twice", of("Twice is not better", &signature.repeat(2))),
        ("signature-all-zeros", of("Zeros", &[0; 64])),
    ]
}

fn keys() -> Vec<(&'static str, Vector)> {
    let pair = Pair::new(b"farhold ed25519 vectors");
    // By the neutral element as key, R = r·B and s = r hold for every message.
    let anyones = [pair.public, times(&pair.scalar, &little(&[1]))].concat();
    let of = |title: &str, key: [u8; 32]| {
        Case::signature(title, &key, MESSAGE, &anyones).refused(Code::KeyWeak)
    };
    let short = Case::signature("A key has 32 bytes", &pair.public[..31], MESSAGE, &anyones);
    vec![
        ("key-neutral", of("The neutral element: anyone signs for it", little(&[1]))),
        ("key-neutral-in-another-spelling", of("The neutral element, as 1 + p", prime_plus(1))),
        (
            "key-neutral-with-the-sign-of-0",
            of("The neutral element, with a sign for x = 0", little_with_sign(&[1])),
        ),
        ("key-of-order-2", of("A key of order 2", prime_plus(-1))),
        ("key-of-order-4", of("A key of order 4", [0; 32])),
        ("key-of-order-4-negative", of("The other key of order 4", little_with_sign(&[0]))),
        ("key-of-order-4-in-another-spelling", of("A key of order 4, as p", prime_plus(0))),
        ("key-of-order-8", of("A key of order 8", order_8())),
        ("key-in-another-spelling", of("y = 3 has one spelling", prime_plus(3))),
        ("key-off-the-curve", of("y = 2 is on no point", little(&[2]))),
        ("key-all-ones", of("2^256 - 1 is no key", [0xff; 32])),
        ("key-short", short.refused(Code::KeyWeak)),
    ]
}

fn key_id(key: &[u8]) -> KeyId {
    KeyId::new(Sha256::digest(key).into())
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("the constant is hex")
}

fn little(low: &[u8]) -> [u8; 32] {
    std::array::from_fn(|at| low.get(at).copied().unwrap_or(0))
}

fn little_with_sign(low: &[u8]) -> [u8; 32] {
    let mut point = little(low);
    point[31] |= 0x80;
    point
}

/// p + n, where p = 2^255 - 19 is the prime of the field.
fn prime_plus(n: i8) -> [u8; 32] {
    let mut number = [0xff; 32];
    number[0] = 0xed_u8.wrapping_add_signed(n);
    number[31] = 0x7f;
    number
}

/// One of the four points of order 8.
fn order_8() -> [u8; 32] {
    let point = unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    little(&point)
}
