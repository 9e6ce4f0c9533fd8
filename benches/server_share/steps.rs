//! The steps of a keystroke, each alone.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion};
use tandem::document::{Change, Document, Encoding, Position, Range};
use tandem::prompt::{self, Budget};
use tandem::suggestion::{self, Around, Extent};
use tree_sitter::{Parser, Tree};

use super::source::Source;

const LINE: &str = "let shifted = bound.rotate_left(3) ^ (limit << 1);";
const BLOCK: &str = "
            total = total.wrapping_add(*item);
            if total > limit {
                total %= limit;
            }
        }
        total";

pub fn bench(criterion: &mut Criterion, lines: usize, source: &Source) {
    let mut document = Document::open(&source.text, 0, "rust");
    edit(criterion, lines, source, &document);
    let opener = insertion(source.gap, 8, "for item in input {");
    document.change(0, &[opener], Encoding::Utf16).expect("it fits");
    read(criterion, lines, source, &document);
}

fn insertion(line: u32, character: u32, text: &str) -> Change {
    let at = Position { line, character };
    Change { range: Some(Range { start: at, end: at }), text: text.to_owned() }
}

/// Edits of a document whose last snapshot is still held, as it is while a request runs.
fn edit(criterion: &mut Criterion, lines: usize, source: &Source, document: &Document) {
    let last = source.text.matches('\n').count() as u32;
    let mut parsed = document.clone();
    let snapshot = parsed.snapshot().expect("in sync");
    assert!(parsed.set_tree(&snapshot, parse(&source.text)), "the text has not moved");
    let middle = [insertion(source.gap, 8, "x")];
    let end = [insertion(last, 0, "x")];
    let mut group = criterion.benchmark_group("edit");
    let cases =
        [("middle", document, &middle), ("end", document, &end), ("with a tree", &parsed, &middle)];
    for (name, document, changes) in cases {
        group.bench_function(BenchmarkId::new(name, lines), |bencher| {
            let fresh = || document.clone();
            let change = |document: &mut Document| document.change(0, changes, Encoding::Utf16);
            bencher.iter_batched_ref(fresh, change, BatchSize::SmallInput);
        });
    }
    group.bench_function(BenchmarkId::new("snapshot", lines), |bencher| {
        bencher.iter(|| black_box(document).snapshot());
    });
}

fn parse(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_rust::LANGUAGE.into()).expect("the grammar fits");
    parser.parse(text, None).expect("no limit")
}

/// What is done with a snapshot whose cursor stands behind the opener of a block.
fn read(criterion: &mut Criterion, lines: usize, source: &Source, document: &Document) {
    let snapshot = document.snapshot().expect("in sync");
    let place = Position { line: source.gap, character: 27 };
    let cursor = snapshot.to_byte(place, Encoding::Utf16);
    let (rope, budget) = (&snapshot.rope, Budget::default());
    let (asked, anchor) = prompt::prompt(rope, cursor, budget, None);
    let elsewhere = prompt::prompt(rope, cursor / 2, budget, None).1;

    let mut group = criterion.benchmark_group("position");
    group.bench_function(BenchmarkId::new("to byte", lines), |bencher| {
        bencher.iter(|| snapshot.to_byte(black_box(place), Encoding::Utf16));
    });
    group.bench_function(BenchmarkId::new("from byte", lines), |bencher| {
        bencher.iter(|| snapshot.position(black_box(cursor), Encoding::Utf16));
    });
    group.bench_function(BenchmarkId::new("end of line", lines), |bencher| {
        bencher.iter(|| black_box(&snapshot).eol());
    });
    group.finish();

    let mut group = criterion.benchmark_group("prompt");
    for (name, anchor) in [("anchor kept", &anchor), ("after a jump", &elsewhere)] {
        group.bench_function(BenchmarkId::new(name, lines), |bencher| {
            bencher.iter(|| prompt::prompt(rope, black_box(cursor), budget, Some(anchor)));
        });
    }
    group.finish();

    let before = format!("{}{}", asked.prefix, asked.middle);
    let below = asked.suffix.split_once('\n').map_or("", |(_, below)| below);
    let around = Around { before: &before, rest_of_line: "", below, language: "rust" };
    assert_eq!(Extent::wanted(around), Extent::Block);
    assert!(Extent::Block.reached(around, BLOCK).is_some());
    let mut group = criterion.benchmark_group("extent");
    group.bench_function(BenchmarkId::new("wanted", lines), |bencher| {
        bencher.iter(|| Extent::wanted(black_box(around)));
    });
    group.bench_function(BenchmarkId::new("block reached", lines), |bencher| {
        bencher.iter(|| Extent::Block.reached(black_box(around), BLOCK));
    });
    group.finish();

    let mut group = criterion.benchmark_group("filters");
    for (name, answer) in [("line", LINE), ("block", BLOCK)] {
        group.bench_function(BenchmarkId::new(name, lines), |bencher| {
            bencher.iter(|| suggestion::shape(black_box(answer), around));
        });
    }
    group.finish();
}
