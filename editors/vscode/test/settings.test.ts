// The server hears what a person has set, and nothing else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { both } from "../scripts/settings.mjs";
import type { Configuration, Manifest } from "../src/settings";
import { explicit, keys, needsRestart, nested } from "../src/settings";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;

/** A configuration where these are set by the user, and everything else has a default. */
function configuration(set: Record<string, unknown>): Configuration {
    return {
        get: (key) => (key in set ? set[key] : "the default"),
        inspect: (key) => (key in set ? { globalValue: set[key] } : {}),
    };
}

test("package.json has the settings of the schema; `npm run settings` writes them", () => {
    const [is, shouldBe] = both();
    assert.equal(is, shouldBe);
});

test("what only the user's own file may set is not offered", () => {
    const offered = keys(manifest);
    assert.ok(offered.includes("completion.confidence") && offered.includes("disabled_languages"));
    assert.deepEqual(
        offered.filter((key) => /^(ask|model_path)\b/.test(key)),
        [],
    );
});

test("a workspace chooses no program, no model, and not how the engine runs", () => {
    const properties = Object.assign({}, ...(manifest.contributes?.configuration ?? []).map((it) => it.properties));
    for (const key of ["tandem.serverPath", "tandem.model", "tandem.engine.threads"]) {
        assert.equal((properties[key] as { scope: string }).scope, "machine", key);
    }
});

test("only what is set is sent, in the shape of the schema: a default would hide the user's own file", () => {
    const set = { enabled: false, "completion.confidence": 70, "completion.ahead": false };
    const flat = explicit(keys(manifest), configuration(set));
    assert.deepEqual(nested(flat), { enabled: false, completion: { confidence: 70, ahead: false } });
    assert.deepEqual(nested(explicit(keys(manifest), configuration({}))), {});
});

test("the extension's own settings are not sent", () => {
    const flat = explicit(keys(manifest), configuration({ serverPath: "/x", "trace.server": "verbose" }));
    assert.equal(flat.size, 0);
});

test("a setting of the start that is taken away needs a new start, other changes do not", () => {
    const of = (...names: string[]) => new Map(names.map((key) => [key, 1]));
    assert.equal(needsRestart(of("enabled"), of()), true);
    assert.equal(needsRestart(of("enabled"), of("enabled", "model")), false);
    assert.equal(needsRestart(of(), of("model")), false);
});
