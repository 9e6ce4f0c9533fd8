//! Rust to type in, of any length: varied, realistic, the same in every run.

use std::fmt::Write;

/// Lines of methods above the gap: more than the window of a prompt, so that the syntax around the
/// cursor is as large as it gets.
const METHODS: usize = 150;

/// A text with a place to type in.
pub struct Source {
    /// The text.
    pub text: String,
    /// An empty line, from 0, in a method of a long `impl`; eight blanks stand on it.
    pub gap: u32,
}

/// At least `lines` lines of Rust, with a gap near the middle.
pub fn source(lines: usize) -> Source {
    let mut text = String::from("//! Written by a program, for a program to read.\n\n");
    let mut state = 1;
    let mut number = 0;
    let mut until = |text: &mut String, lines: usize, part: fn(&mut String, usize, &mut u64)| {
        let mut count = text.matches('\n').count();
        while count < lines {
            let before = text.len();
            part(text, number, &mut state);
            number += 1;
            count += text[before..].matches('\n').count();
        }
    };
    until(&mut text, lines / 2, item);
    text.push_str("impl Typed {\n");
    until(&mut text, lines / 2 + METHODS, method);
    let gap = text.matches('\n').count() + 2;
    text.push_str("    fn typed(&self, input: &[u64]) -> u64 {\n        let bound = input.len();\n        \n        bound\n    }\n}\n\n");
    until(&mut text, lines, item);
    Source { text, gap: gap as u32 }
}

/// The same text, with a carriage return alone in its first line.
pub fn with_lone_return(source: Source) -> Source {
    Source { text: source.text.replacen(' ', "\r", 1), gap: source.gap + 1 }
}

const NOUNS: [&str; 8] =
    ["buffer", "cursor", "token", "window", "ledger", "socket", "parcel", "lattice"];
const TYPES: [&str; 6] = ["u64", "String", "Vec<u8>", "Option<i32>", "f64", "&'static str"];

fn item(text: &mut String, number: usize, state: &mut u64) {
    let noun = *pick(&NOUNS, state);
    // Writing to a string cannot fail.
    let _ = match next(state) % 5 {
        0 => structure(text, noun, number, state),
        1 => write!(
            text,
            "/// Adds up a {noun} — naïve, but O(n).\npub fn sum_{noun}_{number}(values: &[u64]) -> u64 {{\n    let mut total = {number};\n    for value in values {{\n        total = total.wrapping_mul({}).wrapping_add(*value);\n    }}\n    total\n}}\n\n",
            next(state) % 97
        ),
        2 => matcher(text, noun, number, state),
        3 => write!(
            text,
            "#[derive(Clone, Debug, PartialEq)]\npub enum {}{number} {{\n    Empty,\n    One({}),\n    Many {{ first: {}, rest: Vec<usize> }},\n}}\n\n",
            title(noun),
            pick(&TYPES, state),
            pick(&TYPES, state)
        ),
        _ => write!(
            text,
            "#[test]\nfn {noun}_{number}_is_kept() {{\n    let text = \"{{ \\\"{noun}\\\": [{number}, {}] }}\"; // not a block\n    assert_eq!(text.len() % 7, {}, \"{{text}}\");\n}}\n\n",
            next(state) % 1000,
            next(state) % 7
        ),
    };
}

fn method(text: &mut String, number: usize, state: &mut u64) {
    let (noun, kind) = (*pick(&NOUNS, state), *pick(&TYPES, state));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "    /// The {noun} with this name.\n    pub fn {noun}_{number}(&self, name: &str) -> Option<{kind}> {{\n        let found = self.{noun}s.get(name)?;\n        if found.len() > {} {{\n            return None;\n        }}\n        Some(found.clone())\n    }}\n\n",
        next(state) % 50
    );
}

fn structure(text: &mut String, noun: &str, number: usize, state: &mut u64) -> std::fmt::Result {
    let name = title(noun);
    let fields = 2 + next(state) % 5;
    write!(text, "/// A {noun} and what belongs to it.\npub struct {name}{number} {{\n")?;
    for field in 0..fields {
        writeln!(text, "    {}_{field}: {},", pick(&NOUNS, state), pick(&TYPES, state))?;
    }
    write!(
        text,
        "}}\n\nimpl {name}{number} {{\n    /// How many there are, ≤ {fields}.\n    pub fn len(&self) -> usize {{\n        self.fields().filter(|field| !field.is_empty()).count()\n    }}\n}}\n\n"
    )
}

fn matcher(text: &mut String, noun: &str, number: usize, state: &mut u64) -> std::fmt::Result {
    write!(
        text,
        "fn {noun}_code_{number}(name: &str) -> Result<u32, String> {{\n    match name.trim() {{\n"
    )?;
    for code in 0..2 + next(state) % 6 {
        writeln!(text, "        \"{}\" => Ok({}),", pick(&NOUNS, state), code * 10)?;
    }
    write!(
        text,
        "        other if other.len() > {} => Err(format!(\"{{other:?}} is too long\")),\n        _ => Err(String::new()),\n    }}\n}}\n\n",
        next(state) % 50
    )
}

fn title(noun: &str) -> String {
    noun[..1].to_uppercase() + &noun[1..]
}

fn pick<'a, T>(from: &'a [T], state: &mut u64) -> &'a T {
    &from[(next(state) % from.len() as u64) as usize]
}

/// Knuth's linear congruential generator; the low bits of one are poor.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}
