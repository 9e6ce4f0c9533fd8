// The menu offers what can be done now, and what puts things right first.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/choices";
import { choices } from "../src/choices";
import type { Facts, ServerStatus } from "../src/facts";
import { facts } from "./facts";

function lines(change: Partial<Facts> = {}, server: Partial<ServerStatus> = {}, offersClaude = true): Line[] {
    return choices(facts(change, server), offersClaude).filter((choice) => choice !== "---");
}

function labels(change: Partial<Facts> = {}, server: Partial<ServerStatus> = {}): string {
    return lines(change, server)
        .map((line) => line.label.replace(/^\S+ /, ""))
        .join("\n");
}

test("where all is well, it can be turned off: here, in the workspace, everywhere, for now", () => {
    const expected =
        "Turn off for Rust\nTurn off in this workspace\nTurn off everywhere\nPause in this window\nAsk Claude";
    assert.ok(labels().startsWith(expected), labels());
});

test("what is off can be turned on where it is off", () => {
    assert.match(labels({ disabledLanguages: ["rust"] }), /^Turn on for Rust/);
    assert.match(labels({ enabled: { value: false, by: "workspace" } }), /^Turn on in this workspace/);
    assert.match(labels({ enabled: { value: false, by: "user" } }), /Turn on everywhere/);
    assert.match(labels({ paused: true }), /^Go on in this window/);
    assert.match(labels({}, { state: "off" }), /^Turn on everywhere/);
    assert.match(labels({ ghostText: false }), /^Turn on VS Code's ghost text/);
});

test("a switch that would change nothing here is not offered", () => {
    assert.doesNotMatch(labels({ workspace: false }), /workspace/);
    assert.doesNotMatch(labels({ enabled: { value: false, by: "workspace" } }), /everywhere/);
    assert.doesNotMatch(labels({ here: undefined }), /for Rust/);
});

test("what puts right what is wrong comes first, and once", () => {
    const first = (change: Partial<Facts>, server: Partial<ServerStatus> = {}) => lines(change, server)[0]?.command;
    assert.equal(first({}, { state: "no_model", message: "" }), "tandem.getModel");
    assert.equal(first({}, { state: "failed", message: "" }), "tandem.checkModel");
    assert.equal(first({ program: { kind: "crashed", message: "" } }), "tandem.restart");
    assert.equal(first({ program: { kind: "missing", message: "" } }), "tandem.choosePath");
    const commands = lines({}, { state: "no_model", message: "" }).map((line) => line.command);
    assert.equal(new Set(commands).size, commands.length);
});

test("Claude is offered where the user's settings let it", () => {
    assert.ok(lines().some((line) => line.command === "tandem.askAbout"));
    assert.ok(!lines({}, {}, false).some((line) => line.command === "tandem.askAbout"));
});
