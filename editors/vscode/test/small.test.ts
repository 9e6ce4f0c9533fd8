// Restarts, models, answers, progress: small parts, each with what it must not do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { conversation, forget, isAnswer, isPreview, remember } from "../src/answers";
import { languageName } from "../src/languages";
import type { Model } from "../src/models";
import { line, mustBeNamed, read } from "../src/models";
import { Reports } from "../src/progress";
import { Restarts } from "../src/restarts";

test("a server that ends again and again is left alone after the fifth time in three minutes", () => {
    const restarts = new Restarts();
    assert.deepEqual(
        [0, 1, 2, 3, 4].map((second) => restarts.again(second * 1000)),
        [true, true, true, true, false],
    );
});

test("crashes of long ago do not count", () => {
    const restarts = new Restarts();
    const minutes = [0, 2, 4, 6, 8, 10, 12, 14];
    assert.ok(minutes.every((minute) => restarts.again(minute * 60_000)));
});

const MODEL: Model = {
    name: "small",
    note: "fast",
    parameters: "0.5B",
    about_bytes: 491_400_064,
    installed: false,
    damaged: false,
    default: true,
};

test("a model that would be downloaded says so, and how much it is", () => {
    assert.deepEqual(line(MODEL), {
        label: "$(cloud-download) small",
        description: "download, 491 MB",
        detail: "0.5B: fast",
    });
    assert.equal(line({ ...MODEL, about_bytes: 8.1e9 }).description, "download, 8.1 GB");
    assert.equal(line({ ...MODEL, installed: true }).description, "installed");
    assert.match(line({ ...MODEL, installed: true, damaged: true }).description, /damaged.*491 MB/);
});

test("the default model needs no setting, others are named in it", () => {
    assert.equal(mustBeNamed(MODEL, "auto"), false);
    assert.equal(mustBeNamed(MODEL, "large"), true);
    assert.equal(mustBeNamed({ ...MODEL, name: "large", default: false }, "auto"), true);
    assert.equal(mustBeNamed({ ...MODEL, name: "large", default: false }, "large"), false);
});

test("a list that is none is a sentence, not an exception", () => {
    assert.deepEqual(read('{"models": []}'), []);
    for (const odd of ["", "{}", "null", "[1]"]) {
        assert.equal(typeof read(odd), "string", odd);
    }
});

test("an answer's conversation is known by its address, of a file by what was noted", () => {
    assert.equal(conversation({ scheme: "tandem-answer", path: "/12/answer.md" }), 12);
    assert.equal(conversation({ scheme: "tandem-answer", path: "/x/answer.md" }), undefined);
    const file = { scheme: "file", path: "/cache/tandem/asks/017-0/answer-1.md" };
    assert.equal(conversation(file), undefined);
    remember(file, 12);
    assert.equal(conversation(file), 12);
    forget();
    assert.equal(conversation(file), undefined);
});

test("a person's own answer-1.md is no answer of ours", () => {
    assert.equal(isAnswer({ scheme: "file", path: "/home/me/answer-1.md" }), false);
    assert.equal(isAnswer({ scheme: "file", path: "/cache/tandem/asks/017-0/answer-1.md" }), true);
    assert.equal(isPreview({ scheme: "file", path: "/cache/tandem/asks/017-0/preview-2.md" }), true);
});

test("progress on the model is taken from VS Code's place, that of a question is left there", () => {
    const reports = new Reports();
    assert.deepEqual(reports.take(1, { kind: "begin", title: "tandem: getting small" }), { phase: "" });
    assert.deepEqual(reports.take(1, { kind: "report", message: "verifying" }), { phase: "verifying" });
    assert.equal(reports.take(2, { kind: "begin", title: "tandem: asking sonnet" }), undefined);
    assert.equal(reports.take(2, { kind: "report", message: "thinking" }), undefined);
    assert.deepEqual(reports.take(1, { kind: "end" }), { phase: "" });
    assert.equal(reports.take(1, { kind: "report", message: "late" }), undefined);
});

test("a language is called what a person calls it", () => {
    assert.deepEqual(["rust", "cpp", "typescriptreact", ""].map(languageName), ["Rust", "C++", "TypeScript (TSX)", ""]);
});
