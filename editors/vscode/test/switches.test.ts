// What turning on and off writes into the settings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everywhere, language, workspace } from "../src/switches";

test("a language is added to those that are off now, and taken away again", () => {
    const off = language("rust", ["markdown"], undefined);
    assert.deepEqual(off, { key: "disabled_languages", value: ["markdown", "rust"], where: "user" });
    assert.deepEqual(language("rust", ["markdown", "rust"], {}).value, ["markdown"]);
});

test("a workspace's own list of languages is changed where it stands", () => {
    assert.equal(language("rust", [], { workspaceValue: [] }).where, "workspace");
});

test("a workspace is on again when nothing is said of it, or against what is said for all", () => {
    assert.deepEqual(workspace(true, {}), { key: "enabled", value: false, where: "workspace" });
    assert.equal(workspace(false, { workspaceValue: false }).value, undefined);
    assert.equal(workspace(false, { globalValue: false }).value, true);
});

test("everywhere is on again when nothing is said, or against the user's own file", () => {
    assert.equal(everywhere(true, false).value, false);
    assert.equal(everywhere(false, false).value, undefined);
    assert.equal(everywhere(false, true).value, true);
});
