// Which program is run: never one that nobody chose.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Surroundings } from "../src/server";
import { find } from "../src/server";

function around(there: string[], change: Partial<Surroundings> = {}): Surroundings {
    return {
        setting: "",
        extension: "/ext",
        platform: "linux",
        path: "/usr/bin:/opt/bin",
        home: "/home/me",
        runs: (file) => there.includes(file),
        ...change,
    };
}

test("the setting comes first, then the package, then PATH", () => {
    const all = ["/mine/tandem", "/ext/bin/tandem", "/opt/bin/tandem"];
    const program = (it: Surroundings) => {
        const found = find(it);
        return found.kind === "found" ? [found.program, found.by] : found.message;
    };
    assert.deepEqual(program(around(all, { setting: "/mine/tandem" })), ["/mine/tandem", "setting"]);
    assert.deepEqual(program(around(all)), ["/ext/bin/tandem", "package"]);
    assert.deepEqual(program(around(["/opt/bin/tandem"])), ["/opt/bin/tandem", "PATH"]);
});

test("a setting that names nothing that runs is said, and no other program is run instead", () => {
    const found = find(around(["/ext/bin/tandem"], { setting: "/gone/tandem" }));
    assert.ok(found.kind === "missing" && found.message.includes('"/gone/tandem"'));
});

test("a setting is a whole path, or one below the home folder", () => {
    const there = ["/home/me/bin/tandem", "tandem", "./tandem"];
    assert.equal(find(around(there, { setting: "~/bin/tandem" })).kind, "found");
    for (const setting of ["tandem", "./tandem", "~other/tandem"]) {
        assert.equal(find(around(there, { setting })).kind, "missing", setting);
    }
});

test("a folder on PATH that depends on where one is, is passed over: a workspace's program is not run", () => {
    const there = ["tandem", "./tandem", "bin/tandem"];
    assert.equal(find(around(there, { path: ":.:bin" })).kind, "missing");
});

test("on Windows the program is tandem.exe, and PATH is divided by semicolons", () => {
    const windows = { platform: "win32", extension: "C:\\ext", path: "C:\\a;D:\\b" };
    const found = find(around(["D:\\b\\tandem.exe"], windows));
    assert.ok(found.kind === "found" && found.program === "D:\\b\\tandem.exe");
    assert.equal(find(around(["C:\\ext\\bin\\tandem.exe"], windows)).kind, "found");
});

test("where there is none, it is said what to do", () => {
    const found = find(around([]));
    assert.ok(found.kind === "missing" && found.message.includes("tandem.serverPath"));
});
