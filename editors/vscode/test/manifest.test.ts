// package.json and the code say the same.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { choices } from "../src/choices";
import { facts } from "./facts";

interface Step {
    description: string;
    media: { markdown: string };
}

const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as {
    contributes: {
        commands: { command: string; category: string }[];
        menus: Record<string, { command?: string }[]>;
        walkthroughs: { steps: Step[] }[];
    };
};
const titled = contributes.commands.map((it) => it.command);
const steps = contributes.walkthroughs.flatMap((it) => it.steps);

/** The names in the table of commands.ts, which cannot be loaded without an editor. */
function registered(): string[] {
    const table = /const all[^]*?^ {4}\};$/m.exec(readFileSync("src/commands.ts", "utf8"))?.[0] ?? "";
    return [...table.matchAll(/^ {8}(\w+):/gm)].map((found) => `tandem.${found[1]}`);
}

test("every title has a command behind it, and stands in the palette under Tandem", () => {
    assert.ok(titled.length > 10);
    assert.deepEqual(
        titled.filter((command) => !registered().includes(command)),
        [],
    );
    assert.ok(contributes.commands.every((it) => it.category === "Tandem"));
});

test("menus and the walkthrough name commands that there are", () => {
    const inMenus = Object.values(contributes.menus)
        .flat()
        .flatMap((it) => it.command ?? []);
    const links = steps.flatMap((step) =>
        [...step.description.matchAll(/\(command:([\w.]+)\)/g)].map((it) => it[1] ?? ""),
    );
    assert.ok(inMenus.length > 0 && links.length > 0);
    assert.deepEqual(
        [...inMenus, ...links].filter((command) => !titled.includes(command)),
        [],
    );
    const server = { state: "no_model", message: "" } as const;
    const programs = [{ kind: "running" }, { kind: "missing", message: "" }] as const;
    const lines = programs.flatMap((program) => choices(facts({ program, ghostText: false }, server), true));
    const chosen = lines.flatMap((line) => (line === "---" ? [] : line.command));
    assert.deepEqual(
        chosen.filter((command) => !registered().includes(command)),
        [],
    );
});

test("no command of ours has the name of one of the server's, which the client registers itself", () => {
    const source = readFileSync("../../src/lsp/commands.rs", "utf8");
    const names: readonly string[] =
        /NAMES: \[&str; \d+\] = \[([^\]]*)\]/.exec(source)?.[1]?.match(/tandem\.\w+/g) ?? [];
    assert.ok(names.includes("tandem.ask"));
    assert.deepEqual(
        registered().filter((command) => names.includes(command)),
        [],
    );
});

test("the pictures and pages of the walkthrough are there", () => {
    assert.deepEqual(
        steps.map((step) => step.media.markdown).filter((file) => !existsSync(file)),
        [],
    );
});
