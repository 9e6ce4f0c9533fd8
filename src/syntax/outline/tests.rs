//! One fixture a language: definitions as `Kind container.name | signature | what it gives`, then
//! imports, then what extends what.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::super::{LANGUAGES, language};
use super::*;

fn outline(id: &str, text: &str) -> Outline {
    language(id).expect(id).outline(text).expect("an outline")
}

fn check(id: &str, fixture: &str, expected: Expect) {
    let outline = outline(id, fixture);
    let definitions = outline.definitions.iter().map(|it| {
        let container = it.container.iter().map(|name| format!("{name}.")).collect::<String>();
        let gives = match &it.gives {
            Some(Gives::Type(of)) => format!(" | {of}"),
            Some(Gives::Value(value)) => format!(" | = {value}"),
            None => String::new(),
        };
        format!("{:?} {container}{} | {}{gives}\n", it.kind, it.name, it.signature)
    });
    let imports = outline.imports.iter().map(|it| format!("{} {:?}\n", it.path, it.names));
    let bases = outline.bases.iter().map(|(of, base)| format!("{of} extends {base}\n"));
    expected.assert_eq(&definitions.chain(imports).chain(bases).collect::<String>());
}

#[test]
fn rust() {
    check(
        "rust",
        r#"
use std::io::{self, Read as R, fmt::*};
use crate::a::B;
use std::{mem, rc::Rc};
use plain;

/// A point.
/// And more.
// TODO
#[derive(Clone)]
pub struct Point<T> where T: Copy {
    /// Across.
    pub x: T,
    y: (u8, u8), // down
}
/** Two. */
pub struct Pair(u8, /* and */ String);
union Raw { a: u8, b: i8 }
enum Shape { Dot, Line(u8), Box { w: u8 } }

impl<T: Copy> Display for m::Point<T> {
    const ZERO: u8 = 0;
    /// Adds.
    pub async fn add<U>(
        &self, // me
        other: U,
    ) -> Option<T>
    where
        U: Into<T>,
    {
        fn local() {}
        const LOCAL: u8 = 1;
        None
    }
}
trait Walk: Sized { type Step; fn walk(&self); fn run(&self) {} }
mod inner { pub fn deep() {} }
pub static TABLE: [u8; 40] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
type Alias = Vec<u8>;
macro_rules! twice { ($e:expr) => { $e; $e } }

#[cfg(test)]
#[allow(unused)]
mod tests {
    use super::*;
    fn helper() {}
}
"#,
        expect![[r#"
            Type Point | pub struct Point<T> where T: Copy { pub x: T, y: (u8, u8) }
            Field Point.x | pub x: T | T
            Field Point.y | y: (u8, u8) | (u8, u8)
            Type Pair | pub struct Pair(u8, String)
            Type Raw | union Raw { a: u8, b: i8 }
            Field Raw.a | a: u8 | u8
            Field Raw.b | b: i8 | i8
            Type Shape | enum Shape { Dot, Line(u8), Box { w: u8 } }
            Field Shape.Dot | Dot
            Field Shape.Line | Line(u8)
            Field Shape.Box | Box { w: u8 }
            Constant Point.ZERO | const ZERO: u8 = 0 | u8
            Method Point.add | pub async fn add<U>(&self, other: U) -> Option<T> where U: Into<T> | Option<T>
            Type Walk | trait Walk: Sized { fn walk(&self) }
            Type Walk.Step | type Step
            Method Walk.walk | fn walk(&self)
            Method Walk.run | fn run(&self)
            Module inner | mod inner
            Function inner.deep | pub fn deep()
            Constant TABLE | pub static TABLE: [u8; 40] | [u8; 40]
            Type Alias | type Alias = Vec<u8> | Vec<u8>
            Macro twice | macro_rules! twice
            std::io ["io"]
            std::io::Read ["R"]
            std::io::fmt []
            crate::a::B ["B"]
            std::mem ["mem"]
            std::rc::Rc ["Rc"]
            plain ["plain"]
            Point extends Display
            Walk extends Sized
        "#]],
    );
}

#[test]
fn python() {
    check(
        "python",
        r#"
from __future__ import annotations
import os.path, numpy as np
from pkg.mod import (one, two as second)
from . import sibling
from stars import *

LIMIT: int = 3
LIMIT = 4

@dataclass(frozen=True)
class Point(Base, metaclass=Meta):
    """A point.

    And more."""
    x: int = 0
    y = 1

    def __init__(self, name: str):
        self.name = name
        self.size: int = 0
        local = 1
        def inner(): pass

    @property
    async def area(
        self,
        *args,  # all
    ) -> float:
        r'''Its area.'''

def top(a, b=1): return a
type Alias = list[int]
"#,
        expect![[r#"
            Constant LIMIT | LIMIT: int = 3 | int
            Type Point | class Point(Base, metaclass=Meta): x: int = 0; y = 1; name; size
            Field Point.x | x: int = 0 | int
            Field Point.y | y = 1 | = 1
            Method Point.__init__ | def __init__(self, name: str)
            Field Point.name | name | str
            Field Point.size | size | int
            Method Point.area | async def area(self, *args) -> float | float
            Function top | def top(a, b=1)
            Type Alias | type Alias = list[int]
            os.path []
            numpy ["np"]
            pkg.mod ["one", "second"]
            . ["sibling"]
            stars []
            Point extends Base
        "#]],
    );
}

const TYPESCRIPT: &str = r#"
import React, { useState as use, type Ref } from "react";
import * as path from 'node:path';
import './style.css';
export { q } from './again';
const { sep } = require('sep'), all = require('all');

/** A point. */
@Injectable()
export abstract class Point<T> extends Base implements Shape {
  private x: number = 1;
  static y?: string;
  handler = async (e: Event) => { this.x = 2; };
  constructor(readonly name: string) { super(); }
  get area(): number { const local = 1; return local; }
  abstract draw(to: Canvas /* a canvas */): void;
}
export interface Shape { kind: 'dot' | 'box'; area(): number }
export type Id = string | { id: number };
enum Color { Red, Green = 2 }
function* walk(): Iterator<Id> { yield 1; }
const third = (x: number) => x / 3;
export const half = function (x: number) { return x / 2; };
export const ZERO = 0;
declare const FLAG: boolean;
declare module 'other' { function helper(a: number): void; }
namespace Inner { export const LIMIT = 3; }
export const load = async (id: Id): Promise<Shape> => { const local = 1; return fetch(id); };
export default function main(this: Window) { function local() {} }
const table = { first: [1, 2, 3], second: [4, 5, 6], third: [7, 8, 9], fourth: [10, 11, 12] };
"#;

#[test]
fn typescript() {
    check(
        "typescript",
        TYPESCRIPT,
        expect![[r#"
            Type Point | export abstract class Point<T> extends Base implements Shape { private x: number = 1; static y?: string; abstract draw(to: Canvas): void }
            Field Point.x | private x: number = 1 | number
            Field Point.y | static y?: string | string
            Method Point.handler | handler = async (e: Event)
            Method Point.constructor | constructor(readonly name: string)
            Method Point.area | get area(): number | number
            Method Point.draw | abstract draw(to: Canvas): void | void
            Type Shape | export interface Shape { kind: 'dot' | 'box'; area(): number }
            Field Shape.kind | kind: 'dot' | 'box' | 'dot' | 'box'
            Method Shape.area | area(): number | number
            Type Id | export type Id = string | { id: number }
            Type Color | enum Color { Red, Green = 2 }
            Field Color.Red | Red
            Field Color.Green | Green = 2
            Function walk | function* walk(): Iterator<Id>
            Function third | const third = (x: number)
            Function half | export const half = function (x: number)
            Constant ZERO | export const ZERO = 0
            Constant FLAG | declare const FLAG: boolean
            Module other | declare module 'other'
            Function other.helper | function helper(a: number): void | void
            Module Inner | namespace Inner
            Constant Inner.LIMIT | export const LIMIT = 3
            Function load | export const load = async (id: Id): Promise<Shape>
            Function main | export default function main(this: Window)
            Constant table | const table
            react ["React", "use", "Ref"]
            node:path ["path"]
            ./style.css []
            ./again []
            sep ["sep"]
            all ["all"]
            Point extends Base
            Point extends Shape
        "#]],
    );
}

#[test]
fn tsx_is_typescript_with_elements() {
    assert_eq!(outline("typescriptreact", TYPESCRIPT), outline("typescript", TYPESCRIPT));
    let view = "export const View: FC<Props> = ({ name }) => <b title={name}>{name}</b>;\n";
    check(
        "typescriptreact",
        view,
        expect![[r#"
        Function View | export const View: FC<Props> = ({ name })
    "#]],
    );
}

const JAVASCRIPT: &str = r#"
import def, { a as b, same } from './mod.js';
import * as all from './all.js';
export { again } from './again.js';
const fs = require("fs"), { join } = require('path');

/**
 * A point.
 */
export class Point extends Base {
  #secret = 1;
  @bound tick() {}
  move = (by) => { this.x += by; };
  static of(x, { y } = {}) { return new Point(x, y); }
}
// no doc
function* walk(from /* there */) { const local = 1; }
const twice = x => x * 2;
export const half = function (x) { return x / 2; };
export const ZERO = 0;
let level = 1;
var LIMIT = 3;
exports.helper = function (a) { return a; };
"#;

#[test]
fn javascript() {
    check(
        "javascript",
        JAVASCRIPT,
        expect![[r#"
            Type Point | export class Point extends Base { #secret = 1 }
            Field Point.#secret | #secret = 1 | = 1
            Method Point.tick | tick()
            Method Point.move | move = (by)
            Method Point.of | static of(x, { y } = {})
            Function walk | function* walk(from)
            Function twice | const twice = x
            Function half | export const half = function (x)
            Constant ZERO | export const ZERO = 0
            Constant level | let level = 1
            Constant LIMIT | var LIMIT = 3
            Function helper | exports.helper = function (a)
            ./mod.js ["def", "b", "same"]
            ./all.js ["all"]
            ./again.js []
            fs ["fs"]
            path ["join"]
            Point extends Base
        "#]],
    );
    assert_eq!(outline("javascriptreact", JAVASCRIPT), outline("javascript", JAVASCRIPT));
}

#[test]
fn go() {
    check(
        "go",
        r#"
package shapes

import "os"
import (
	"fmt"
	js "encoding/json"
)

// Point is a point.
// And more.
type Point[T any] struct {
	X, Y int `json:"x"`
	*Base
}

type (
	// Shape has an area.
	Shape interface {
		Area() float64
	}
	Alias = Point[int]
	Handler func(x int) error
)

const Limit = 3
const (
	Red = iota
	Green
)
var cache = map[string]int{}

// Move moves it.
func (p *Point[T]) Move(by int) (*Point[T], error) {
	const local = 1
	return p, nil
}
func New[T any](x T) *Point[T] { return nil }
"#,
        expect![[r#"
            Type Point | type Point[T any] struct { X, Y int }
            Field Point.X | X, Y int | int
            Field Point.Y | X, Y int | int
            Type Shape | Shape interface { Area() float64 }
            Method Shape.Area | Area() float64 | float64
            Type Alias | Alias = Point[int]
            Type Handler | Handler func(x int) error
            Constant Limit | const Limit = 3
            Constant Red | Red = iota
            Constant Green | Green
            Constant cache | var cache = map[string]int{}
            Method Point.Move | func (p *Point[T]) Move(by int) (*Point[T], error) | (*Point[T], error)
            Function New | func New[T any](x T) *Point[T] | *Point[T]
            os []
            fmt []
            encoding/json ["js"]
        "#]],
    );
}

#[test]
fn c() {
    check(
        "c",
        r#"
#ifndef SHAPES_H
#define SHAPES_H
#include <stdio.h>
#include "base/point.h"
#define LIMIT 3
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* A point. */
struct point {
    int x, y; // across and down
    char *name;
    int (*compare)(int a, int b);
};
typedef struct { int w; } box_t;
union raw { char c; int *i; char **s; char b[4]; };
typedef struct point point_t, *point_ptr;
enum color { RED, GREEN = 2 };
typedef int (*callback)(void *data);

extern int count;
static const char *names[] = {"a", "b"};

// Moves it.
int point_move(struct point *p, int by);
char **point_names(void) { int local = 1; return 0; }
#endif
"#,
        expect![[r#"
            Constant LIMIT | #define LIMIT 3
            Macro MAX | #define MAX(a, b)
            Type point | struct point { int x, y; char *name; int (*compare)(int a, int b) }
            Field point.x | int x, y | int
            Field point.y | int x, y | int
            Field point.name | char *name | char
            Field point.compare | int (*compare)(int a, int b) | int
            Type box_t | typedef struct { int w } box_t
            Field box_t.w | int w | int
            Type raw | union raw { char c; int *i; char **s; char b[4] }
            Field raw.c | char c | char
            Field raw.i | int *i | int
            Field raw.s | char **s | char
            Field raw.b | char b[4] | char
            Type point_t | typedef struct point point_t, *point_ptr
            Type point_ptr | typedef struct point point_t, *point_ptr
            Type color | enum color { RED, GREEN = 2 }
            Field color.RED | RED
            Field color.GREEN | GREEN = 2
            Type callback | typedef int (*callback)(void *data)
            Constant count | extern int count
            Constant names | static const char *names[] = {"a", "b"}
            Function point_move | int point_move(struct point *p, int by)
            Function point_names | char **point_names(void) | char
            stdio.h []
            base/point.h []
        "#]],
    );
}

#[test]
fn cpp() {
    check(
        "cpp",
        r#"
#include "point.hpp"
using std::string;

namespace geo::flat {
/// A point.
template <typename T>
class Point : public Base {
public:
    explicit Point(T x) : x_(x) {}
    virtual ~Point();
    virtual void draw(const Canvas& to) const = 0;
    Point operator+(const Point& other) { T local; return other; }
    static Point* of(int x);
private:
    T x_ = 0;
};
enum class Color { Red, Green };
struct Pair { int &a; int *b; int **c; int d[2]; char *e[2]; };
union Raw { int a; };
typedef struct { int w; } Box;
typedef Box *BoxPtr;
typedef Box Same;
typedef int (*Callback)(int);
template <typename T> concept Small = sizeof(T) < 8;
using Alias = Point<int>;
}

int geo::flat::Point<int>::size() const { return 1; }
Point::Point() : x_(1) {}
[[nodiscard]] std::vector<int> all();
const char **names(), *first = "a";
int table[] = {1}, *end;
Point &origin();
#define MAX(a, b) (a)
#define SIZE 3
constexpr int LIMIT = 3;
"#,
        expect![[r#"
            Module geo::flat | namespace geo::flat
            Type flat.Point | template <typename T> class Point : public Base { virtual ~Point(); virtual void draw(const Canvas& to) const = 0; static Point* of(int x); T x_ = 0 }
            Method Point.Point | explicit Point(T x)
            Method Point.~Point | virtual ~Point()
            Method Point.draw | virtual void draw(const Canvas& to) const = 0 | void
            Method Point.operator+ | Point operator+(const Point& other) | Point
            Method Point.of | static Point* of(int x) | Point
            Field Point.x_ | T x_ = 0 | T
            Type flat.Color | enum class Color { Red, Green }
            Field Color.Red | Red
            Field Color.Green | Green
            Type flat.Pair | struct Pair { int &a; int *b; int **c; int d[2]; char *e[2] }
            Field Pair.a | int &a | int
            Field Pair.b | int *b | int
            Field Pair.c | int **c | int
            Field Pair.d | int d[2] | int
            Field Pair.e | char *e[2] | char
            Type flat.Raw | union Raw { int a }
            Field Raw.a | int a | int
            Type flat.Box | typedef struct { int w } Box
            Field Box.w | int w | int
            Type flat.BoxPtr | typedef Box *BoxPtr
            Type flat.Same | typedef Box Same
            Type flat.Callback | typedef int (*Callback)(int)
            Type flat.Small | template <typename T> concept Small = sizeof(T) < 8
            Type flat.Alias | using Alias = Point<int>
            Method Point.size | int geo::flat::Point<int>::size() const | int
            Method Point.Point | Point::Point()
            Function all | std::vector<int> all()
            Function names | const char **names(), *first = "a"
            Constant first | const char **names(), *first = "a"
            Constant table | int table[] = {1}, *end
            Constant end | int table[] = {1}, *end
            Function origin | Point &origin()
            Macro MAX | #define MAX(a, b)
            Constant SIZE | #define SIZE 3
            Constant LIMIT | constexpr int LIMIT = 3
            point.hpp []
            std::string ["string"]
            Point extends Base
        "#]],
    );
}

#[test]
fn java() {
    check(
        "java",
        r#"
package geo.flat;

import java.util.List;
import static geo.Math.half;
import geo.shapes.*;

/**
 * A point.
 */
@Entity(name = "p")
public class Point<T> extends Base implements Shape {
    private final int x = 1, y;
    @Inject
    public Point(int x) throws Failure { int local = 1; }
    /** Adds. */
    @Override public List<T> add(List<T> /* same */ other // one
    ) { return other; }
    enum Color { RED, GREEN(2) }
    record Pair(int a, String b) { Pair { } }
    @interface Mark { int level() default 1; }
    interface Shape { int LIMIT = 1; double area(); }
}
"#,
        expect![[r#"
            Type Point | public class Point<T> extends Base implements Shape { private final int x = 1, y }
            Field Point.x | private final int x = 1, y | int
            Field Point.y | private final int x = 1, y | int
            Method Point.Point | public Point(int x) throws Failure
            Method Point.add | public List<T> add(List<T> other) | List<T>
            Type Point.Color | enum Color { RED, GREEN(2) }
            Field Color.RED | RED
            Field Color.GREEN | GREEN(2)
            Type Point.Pair | record Pair(int a, String b)
            Method Pair.Pair | Pair
            Type Point.Mark | @interface Mark { int level() default 1 }
            Method Mark.level | int level() default 1
            Type Point.Shape | interface Shape { double area() }
            Constant Shape.LIMIT | int LIMIT = 1
            Method Shape.area | double area() | double
            java.util.List ["List"]
            geo.Math.half ["half"]
            geo.shapes []
            Point extends Base
            Point extends Shape
        "#]],
    );
}

#[test]
fn a_long_signature_is_cut() {
    let text =
        format!("fn f({}) {{}}\nstruct S {{ {} }}\n", "é: u8, ".repeat(99), "é: u8,".repeat(99));
    let outline = outline("rust", &text);
    assert_eq!(outline.definitions.len(), 3, "one field, of the same name");
    assert!(outline.definitions.iter().all(|it| it.signature.len() <= 200));
    assert!(outline.definitions[0].signature.ends_with('…'));
    let fields: String = (0..99).map(|n| format!("field_{n}: u8, ")).collect();
    let outline = self::outline("rust", &format!("struct S {{ {fields} }}"));
    let signature = &outline.definitions[0].signature;
    assert!(signature.len() <= 200 && signature.ends_with(", … }"), "{signature}");
}

#[test]
fn broken_text_gives_what_can_be_read() {
    for (id, text) in [
        ("rust", "struct A { x: u8 }\nfn f() { let y = ; }\nfn g() {}\n"),
        ("python", "class A:\n    x: int\n\ndef f(:\n\ndef g(): pass\n"),
        ("typescript", "class A { x = 1 }\nfunction f() { a( }\nfunction g() {}\n"),
        ("go", "package p\ntype A struct { x int }\nfunc f() { x. }\nfunc g() {}\n"),
        ("c", "struct A { int x; };\nint f( { x. }\nint g(void) {}\n"),
        ("java", "class A { int x; void f() { x. } void g() {} }\n"),
    ] {
        let names: Vec<String> =
            outline(id, text).definitions.into_iter().map(|it| it.name).collect();
        assert!(
            ["A", "x", "g"].iter().all(|name| names.iter().any(|it| it == name)),
            "{id} {names:?}"
        );
    }
}

#[test]
fn nothing_is_read_of_a_text_that_is_too_large() {
    let text = "x = 1\n".repeat(LIMIT / 6 + 1);
    assert_eq!(language("python").unwrap().outline(&text), None);
}

#[test]
fn empty_text_and_garbage_are_outlined() {
    for language in &LANGUAGES {
        assert_eq!(language.outline(""), Some(Outline::default()), "{}", language.id);
        for garbage in ["\0", "\u{feff}{", "'\"`", "/*", "é", "}}}", "\r\n\r", "((((", "a.b.", "::"]
        {
            language.outline(&garbage.repeat(99));
        }
    }
}

/// Pieces of all languages, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,4}",
        prop::sample::select(
            "use import from as class struct impl fn def func type interface enum const let var mod \
             export typedef template<> namespace #include #define #[cfg(test)] tests self. this. \
             /// /** */ // # \" ' ` { } ( ) [ ] < > :: : ; , . = => -> * & @ a B é 1"
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        ),
        prop::sample::select(vec![" ".to_owned(), "\n".to_owned(), "\n    ".to_owned()]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_outlined(text in pieces(), cut in any::<prop::sample::Index>()) {
        for language in &LANGUAGES {
            let outline = language.outline(&text).unwrap_or_default();
            for it in outline.definitions {
                prop_assert!(it.signature.len() <= 200);
                if let Some(Gives::Type(text) | Gives::Value(text)) = it.gives {
                    prop_assert!(text.len() <= 80);
                }
            }
            let at = cut.index(text.len() + 1);
            for reference in language.references(&text, at / 2..at) {
                prop_assert!(text.contains(&reference.name));
            }
        }
    }
}
