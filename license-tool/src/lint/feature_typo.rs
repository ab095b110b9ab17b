//! A feature that is probably another one, misspelled.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use super::{Found, Paper, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "feature_typo",
    why: "A feature is compared letter by letter: the product asks for one, the license grants the other.",
    look,
};

/// Names longer than this are compared for one slip: what two of them leave grows with its square.
const LONG: usize = 48;
/// With so many others a name is compared at most: of many alike one is enough.
const COMPARED_MAX: usize = 32;

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let mut named: BTreeMap<&str, Vec<&Paper>> = BTreeMap::new();
    for paper in &papers.licenses {
        for entitlement in &paper.license.entitlements {
            named.entry(&entitlement.feature).or_default().push(paper);
        }
    }
    // The rarer one is the suspect; of two as rare, the later by name, so that it is told once.
    let mut names: Vec<&str> = named.keys().copied().collect();
    names.sort_by_key(|name| (Reverse(named[name].len()), *name));
    for (at, other) in suspects(&names, Name::is_like) {
        let (feature, other) = (names[at], names[other]);
        for paper in &named[feature] {
            found.warn(
                paper,
                format!("the feature {feature} looks like {other}"),
                format!("If {other} is meant, write it so; if both exist, allow this finding."),
            );
        }
    }
}

/// Each name that looks like an earlier one, and the first such, by their places.
///
/// Two names that a slip sets apart are the same once a letter or two are left out of each. So a name
/// is held against those that it shares such a rest with, and not against every other.
fn suspects(names: &[&str], mut is_like: impl FnMut(&Name, &Name) -> bool) -> Vec<(usize, usize)> {
    let mut with_rest: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    let mut suspects = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let name = Name::of(name);
        let mut compared = Vec::new();
        for rest in name.rests() {
            let others = with_rest.entry((name.digits, rest)).or_default();
            compared.extend_from_slice(&others[..others.len().min(COMPARED_MAX)]);
            // What comes later would not be looked at.
            if others.len() < COMPARED_MAX {
                others.push(at);
            }
        }
        compared.sort_unstable();
        compared.dedup();
        compared.truncate(COMPARED_MAX);
        let other = compared.into_iter().find(|other| is_like(&name, &Name::of(names[*other])));
        suspects.extend(other.map(|other| (at, other)));
    }
    suspects
}

/// A name as slips are looked for in it: without case and without marks between its words.
struct Name {
    letters: Vec<char>,
    /// A hash of its digits: names that count are different names, as courses.v2 and labs-10.
    digits: u64,
}

impl Name {
    fn of(name: &str) -> Self {
        let letters = name.chars().flat_map(char::to_lowercase);
        let letters: Vec<char> = letters.filter(|c| !"-_. ".contains(*c)).collect();
        let digits: Vec<char> = letters.iter().copied().filter(char::is_ascii_digit).collect();
        Self { digits: Hashes::of(&digits).all(), letters }
    }

    /// How many slips are allowed in a name as long as this.
    const fn slips(&self) -> usize {
        match self.letters.len() {
            0..5 => 0,
            5..14 => 1,
            14..=LONG => 2,
            _ => 1,
        }
    }

    /// Hashes of itself, and of what is left without any letter or any two, as slips are allowed.
    fn rests(&self) -> Vec<u64> {
        let hashes = Hashes::of(&self.letters);
        let mut rests = vec![hashes.all()];
        let (count, slips) = (self.letters.len(), self.slips());
        for first in 0..count {
            if slips > 0 {
                rests.push(hashes.without(first, None));
            }
            if slips > 1 {
                rests.extend((first + 1..count).map(|second| hashes.without(first, Some(second))));
            }
        }
        // Of a letter twice, either may be left out.
        rests.sort_unstable();
        rests.dedup();
        rests
    }

    /// Whether the two differ as a slip of the hand makes them differ.
    fn is_like(&self, other: &Self) -> bool {
        let of_digits = |name: &Self| -> Vec<char> {
            name.letters.iter().copied().filter(char::is_ascii_digit).collect()
        };
        let (one, another): (String, String) =
            (self.letters.iter().collect(), other.letters.iter().collect());
        one == another
            || of_digits(self) == of_digits(other)
                && strsim::damerau_levenshtein(&one, &another) <= self.slips().min(other.slips())
    }
}

/// Hashes of letters and of parts of them: a polynomial, so that a part is a difference. Two that
/// are equal by chance are compared, and are not alike.
struct Hashes {
    /// Of the first n letters.
    until: Vec<u64>,
    /// The base to the power n.
    power: Vec<u64>,
}

impl Hashes {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

    fn of(letters: &[char]) -> Self {
        let (mut until, mut power) = (vec![0_u64], vec![1_u64]);
        for (at, &letter) in letters.iter().enumerate() {
            until.push(until[at].wrapping_mul(Self::BASE).wrapping_add(u64::from(letter) + 1));
            power.push(power[at].wrapping_mul(Self::BASE));
        }
        Self { until, power }
    }

    fn all(&self) -> u64 {
        self.until[self.until.len() - 1]
    }

    /// Without one letter, or two.
    fn without(&self, first: usize, second: Option<usize>) -> u64 {
        let end = self.until.len() - 1;
        let before = self.until[first];
        match second {
            None => self.then(before, first + 1, end),
            Some(second) => self.then(self.then(before, first + 1, second), second + 1, end),
        }
    }

    /// What was hashed so far, and then the letters from one place to another.
    fn then(&self, before: u64, from: usize, to: usize) -> u64 {
        let power = self.power[to - from];
        let part = self.until[to].wrapping_sub(self.until[from].wrapping_mul(power));
        before.wrapping_mul(power).wrapping_add(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        !suspects(&[one, other], Name::is_like).is_empty()
    }

    #[test]
    fn a_slip_is_alike_and_a_count_is_not() {
        for (one, other) in [
            ("courses.publish", "courses.pubilsh"),
            ("courses.publish", "course.publish"),
            ("labs.run", "Labs-Run"),
            ("exports", "export"),
        ] {
            assert!(alike(one, other) && alike(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("courses.v1", "courses.v2"),
            ("labs.run", "labs.view"),
            ("read", "real"),
            ("courses.publish", "courses.archive"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn whatever_two_slips_do_to_a_name_it_is_found() {
        let name = "courses.publish.all";
        let slips = |name: &str| -> Vec<String> {
            let letters: Vec<char> = name.chars().collect();
            let mut slipped = Vec::new();
            for at in 0..letters.len() {
                let mut less = letters.clone();
                less.remove(at);
                let (mut more, mut other, mut swapped) =
                    (letters.clone(), letters.clone(), letters.clone());
                more.insert(at, 'x');
                other[at] = 'x';
                if at > 0 {
                    swapped.swap(at - 1, at);
                }
                slipped.extend([less, more, other, swapped].map(|of| of.iter().collect()));
            }
            slipped
        };
        for once in slips(name) {
            assert!(alike(name, &once), "{once}");
            for twice in slips(&once).iter().step_by(7) {
                assert!(alike(name, twice), "{twice}");
            }
        }
    }

    #[test]
    fn many_features_are_not_each_compared_with_each() {
        let word = |mut number: u64| -> String {
            let letter = |_| {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'a' + (number >> 60) as u8)
            };
            (0..20).map(letter).collect()
        };
        let like_the_next = |number: u32| -> String {
            let letter = |by: u32| char::from(b'a' + (number / by % 13) as u8);
            format!("courses.{}.publish.{}.{}", letter(1), letter(13), letter(169))
        };
        const COUNT: usize = 2_000;
        let apart: Vec<String> = (1..=COUNT as u64).map(word).collect();
        let alike: Vec<String> = (0..COUNT as u32).map(like_the_next).collect();
        for (names, most) in [(apart, COUNT / 100), (alike, COUNT * COMPARED_MAX)] {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut compared = 0;
            let found = suspects(&names, |one, other| {
                compared += 1;
                one.is_like(other)
            });
            assert!(compared <= most, "{compared} of {} pairs", COUNT * COUNT / 2);
            assert!(found.len() < COUNT, "each is told once");
        }
    }
}
