// The status bar tells the truth.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Facts, ServerStatus } from "../src/facts";
import { face } from "../src/words";
import { facts } from "./facts";

/** What the status bar shows, and what a screen reader says. */
function shown(change: Partial<Facts> = {}, server: Partial<ServerStatus> = {}): [string, string] {
    const { text, label } = face(facts(change, server));
    return [text, label];
}

test("an engine that sleeps is as good as ready", () => {
    assert.deepEqual(shown(), ["$(check) tandem", "tandem: ready"]);
    assert.deepEqual(shown({}, { state: "asleep" }), shown());
});

test("a server that says nothing of its state is taken to be ready", () => {
    assert.deepEqual(shown({ server: undefined }), shown());
});

test("loading and downloading say how far they are", () => {
    assert.deepEqual(shown({}, { state: "loading", percent: 42 }), [
        "$(loading~spin) tandem 42 %",
        "tandem: loading the model, 42 %",
    ]);
    assert.deepEqual(shown({}, { state: "starting" })[0], "$(loading~spin) tandem 0 %");
    const getting = face(facts({ phase: "verifying" }, { state: "downloading", percent: 7 }));
    assert.deepEqual([getting.text, getting.detail], ["$(loading~spin) tandem 7 %", "verifying"]);
});

test("work is seen by the icon alone, so that nothing beside it moves", () => {
    assert.deepEqual(shown({}, { state: "working" }), ["$(loading~spin) tandem", "tandem: working"]);
});

test("off says where it is off", () => {
    assert.equal(shown({ disabledLanguages: ["rust"] })[1], "tandem: off for Rust");
    assert.equal(shown({ enabled: { value: false, by: "workspace" } })[1], "tandem: off in this workspace");
    assert.equal(shown({ enabled: { value: false, by: "user" } })[1], "tandem: off");
    assert.equal(shown({ paused: true })[1], "tandem: paused in this window");
    const here = { language: "log", name: "Log", served: false };
    assert.equal(shown({ here })[1], "tandem: not in this kind of document");
});

test("off by the user's own file or by VS Code says by which setting", () => {
    assert.match(face(facts({}, { state: "off" })).detail, /config\.toml/);
    assert.match(face(facts({ ghostText: false })).detail, /editor\.inlineSuggest\.enabled/);
});

test("a language is off at once, also while the model is being loaded", () => {
    assert.equal(shown({ disabledLanguages: ["rust"] }, { state: "loading", percent: 1 })[1], "tandem: off for Rust");
});

test("no model is a warning, and says what to do", () => {
    const { text, severity, detail, click } = face(facts({}, { state: "no_model", message: "Get one." }));
    assert.deepEqual([text, severity, detail, click], ["$(cloud-download) tandem", "warning", "Get one.", "menu"]);
});

test("what is broken is said before what is off", () => {
    const off = { disabledLanguages: ["rust"], paused: true };
    assert.equal(face(facts(off, { state: "failed", message: "Why." })).detail, "Why.");
    assert.equal(face(facts({ ...off, program: { kind: "missing", message: "Where?" } })).severity, "error");
});

test("a click on a server that has given up starts it again", () => {
    const crashed = face(facts({ program: { kind: "crashed", message: "It ended." } }));
    assert.deepEqual([crashed.click, crashed.severity], ["restart", "error"]);
    assert.match(crashed.detail, /It ended\. Click/);
    assert.equal(face(facts()).click, "menu");
});
