//! What is told of a definition: few words that say how to use it. Pure.
//!
//! In: definitions, the best first. Out: comment lines within a budget, one a type or module.

use std::fmt;

use crate::syntax::outline::{Definition, Kind};
use crate::workspace::Found;

/// A longer result is left out, bytes.
const RESULT: usize = 24;
const SEPARATOR: &str = ", ";

/// A definition to tell of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Told {
    /// The type or module that it is in.
    pub of: Option<String>,
    /// What is told: a function's name and parameters, all of another definition's head.
    pub text: String,
}

/// What is told of one type, or one definition that is in none.
struct Line {
    of: Option<String>,
    texts: Vec<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(of) = &self.of {
            write!(f, "{of}: ")?;
        }
        f.write_str(&self.texts.join(SEPARATOR))
    }
}

/// Lines of at most `budget` bytes in all, each begun with `leader` and ended. The best stands last,
/// nearest to what follows.
pub fn lines(all: impl Iterator<Item = Told>, budget: usize, leader: &str) -> String {
    let mut lines: Vec<Line> = Vec::new();
    let mut left = budget;
    for Told { of, text } in all {
        let known = lines.iter().position(|line| of.is_some() && line.of == of);
        let bytes = match known {
            Some(_) => SEPARATOR.len() + text.len(),
            None => leader.len() + of.as_ref().map_or(0, |of| of.len() + 2) + text.len() + 1,
        };
        if bytes > left {
            continue;
        }
        left -= bytes;
        match known {
            Some(at) => lines[at].texts.push(text),
            None => lines.push(Line { of, texts: vec![text] }),
        }
    }
    lines.iter().rev().map(|line| format!("{leader}{line}\n")).collect()
}

/// What is told of a definition.
pub fn told(found: &Found) -> Told {
    let definition = found.definition;
    let callable = matches!(definition.kind, Kind::Function | Kind::Method);
    let of = match container(definition) {
        Some(container) => Some(container.to_owned()),
        None if callable => Some(module(found.path).to_owned()),
        None => None,
    };
    Told { of, text: if callable { short(definition) } else { definition.signature.clone() } }
}

/// The type or module that a definition stands in.
pub fn container(definition: &Definition) -> Option<&str> {
    definition.container.as_deref().filter(|container| !container.is_empty())
}

/// What a file is imported as: its name, or its folder's where that says nothing.
pub fn module(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    match stem {
        "mod" | "lib" | "__init__" | "index" => parts.next().unwrap_or(stem),
        _ => stem,
    }
}

/// A function's name, the names of its parameters, and a short result: `read(bytes) -> Self`.
fn short(definition: &Definition) -> String {
    let Definition { name, signature, .. } = definition;
    let Some(open) = parameters_at(signature, name) else { return name.clone() };
    let mut depth = 0_i32;
    let mut parameters = vec![String::new()];
    let mut end = signature.len();
    for (at, c) in signature[open..].char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if !signature[..open + at].ends_with(['-', '=']) => depth -= 1,
            _ => {}
        }
        match (c, depth) {
            (_, 0) => {
                end = open + at + c.len_utf8();
                break;
            }
            ('(', 1) if at == 0 => {}
            (',', 1) => parameters.push(String::new()),
            _ => parameters.last_mut().into_iter().for_each(|last| last.push(c)),
        }
    }
    let named = |text: &String| {
        let name = text.split([':', '=']).next().unwrap_or_default().trim();
        let own =
            matches!(name.trim_start_matches("mut "), "self" | "cls") || name.ends_with("self");
        (!own && !name.is_empty()).then(|| name.to_owned())
    };
    let parameters: Vec<String> = parameters.iter().filter_map(named).collect();
    let result = signature[end..].split(" where ").next().unwrap_or_default().trim_end();
    let result = if result.len() <= RESULT { result } else { "" };
    format!("{name}({}){result}", parameters.join(", "))
}

/// Where a function's parameters begin: `(` behind its name and what that is generic over.
pub fn parameters_at(signature: &str, name: &str) -> Option<usize> {
    signature.match_indices(name).find_map(|(at, _)| {
        let after = at + name.len();
        let rest = &signature[after..];
        if rest.starts_with('(') {
            return Some(after);
        }
        let mut depth = 0_i32;
        let end = rest.strip_prefix('<')?.char_indices().find_map(|(at, c)| {
            match c {
                '<' => depth += 1,
                '>' if !rest[..=at].ends_with(['-', '=']) => depth -= 1,
                _ => {}
            }
            (depth < 0).then_some(after + at + 2)
        })?;
        signature[end..].starts_with('(').then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    #[test]
    fn a_function_is_told_by_its_name_its_parameters_and_a_short_result() {
        let text = "pub fn open<T: Fn(u8) -> u8>(&mut self, path: &Path, (a, b): (u8, u8)) -> File where T: A {}\n\
                    fn long(mut a: A) -> HashMap<String, Vec<Option<u8>>> {}\n";
        let outline = syntax::language("rust").unwrap().outline(text).unwrap();
        let told: Vec<String> = outline.definitions.iter().map(short).collect();
        assert_eq!(told, ["open(path, (a, b)) -> File", "long(mut a)"]);
    }

    #[test]
    fn lines_hold_what_fits_and_the_best_stands_last() {
        let told = |of: &str, text: &str| Told { of: Some(of.to_owned()), text: text.to_owned() };
        let all =
            [told("A", "b()"), told("C", "much_too_long()"), told("D", "e()"), told("A", "f()")];
        assert_eq!(lines(all.iter().cloned(), 28, "// "), "// D: e()\n// A: b(), f()\n");
        assert_eq!(lines(all.iter().cloned(), 5, "// "), "");
    }
}
