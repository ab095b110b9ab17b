//! Numbers modulo the order of Ed25519's group, little-endian: signatures that no signer makes.

/// The order, 2^252 + 27742317777372353535851937790883648493, in 64-bit digits.
const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

/// The order as bytes.
pub(super) fn order() -> [u8; 32] {
    bytes(ORDER)
}

/// The product of two numbers of any size, reduced.
pub(super) fn times(a: &[u8], b: &[u8]) -> [u8; 32] {
    bytes(multiply(a, reduce(b)))
}

/// A number below 2^256 and so many times the order more, not reduced; what passes 2^256 is lost.
pub(super) fn plus_orders(number: &[u8; 32], times: usize) -> [u8; 32] {
    bytes((0..times).fold(digits(number), |sum, _| add(sum, ORDER)))
}

fn reduce(number: &[u8]) -> [u64; 4] {
    multiply(number, [1, 0, 0, 0])
}

/// Doubles and adds, bit by bit from the highest; `b` is reduced.
fn multiply(a: &[u8], b: [u64; 4]) -> [u64; 4] {
    let bits = a.iter().rev().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    bits.fold([0; 4], |product, bit| {
        let doubled = once_reduced(add(product, product));
        if bit { once_reduced(add(doubled, b)) } else { doubled }
    })
}

/// The sum modulo 2^256.
fn add(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut carry = false;
    std::array::from_fn(|at| {
        let (sum, first) = a[at].overflowing_add(b[at]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        sum
    })
}

/// A number below twice the order, reduced.
fn once_reduced(number: [u64; 4]) -> [u64; 4] {
    if number.iter().rev().lt(ORDER.iter().rev()) {
        return number;
    }
    let mut borrow = false;
    std::array::from_fn(|at| {
        let (difference, first) = number[at].overflowing_sub(ORDER[at]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first || second;
        difference
    })
}

fn digits(number: &[u8; 32]) -> [u64; 4] {
    std::array::from_fn(|at| u64::from_le_bytes(std::array::from_fn(|byte| number[8 * at + byte])))
}

fn bytes(number: [u64; 4]) -> [u8; 32] {
    std::array::from_fn(|at| number[at / 8].to_le_bytes()[at % 8])
}
