// What is known of the server, of the editor and of the settings, and what follows for a person: which of
// the states the extension is in. The one place that decides that; the status bar, the language status and
// the menu only put it into words. Knows nothing of VS Code.

/** The server's notification `tandem/status`. */
export interface ServerStatus {
    state: "asleep" | "starting" | "loading" | "ready" | "working" | "downloading" | "no_model" | "failed" | "off";
    /** Of loading and downloading, 0 to 100. */
    percent?: number;
    /** What is wrong and what to do. */
    message?: string;
    /** The model's file. */
    model?: string;
    disabledLanguages?: string[];
}

/** The server's process. */
export type Program =
    | { kind: "missing"; message: string }
    | { kind: "starting" }
    | { kind: "running" }
    | { kind: "crashed"; message: string }
    | { kind: "stopped" };

/** The document in the active editor. */
export interface Here {
    /** Its language's id. */
    language: string;
    /** Its language as a person calls it. */
    name: string;
    /** Is it of a kind that the server is told of? */
    served: boolean;
}

/** All that is known. */
export interface Facts {
    program: Program;
    /** `undefined` until the server has said it. */
    server: ServerStatus | undefined;
    /** What is being done with a model: `downloading`, `verifying`; empty when nothing. */
    phase: string;
    here: Here | undefined;
    /** `tandem.enabled` here, and who says so. */
    enabled: { value: boolean; by: "workspace" | "user" | "nobody" };
    /** Is a folder open, so that there is a workspace to have settings of its own? */
    workspace: boolean;
    /** Languages without suggestions, by their ids. */
    disabledLanguages: readonly string[];
    /** Paused in this window, by the command. */
    paused: boolean;
    /** VS Code's own setting `editor.inlineSuggest.enabled`. */
    ghostText: boolean;
}

/** What the extension is doing, as a person would say it. */
export type Condition =
    | { kind: "missing"; message: string }
    | { kind: "crashed"; message: string }
    | { kind: "stopped" }
    | { kind: "starting" }
    | { kind: "failed"; message: string }
    | { kind: "no_model"; message: string }
    | { kind: "downloading"; phase: string; percent: number }
    | { kind: "off"; why: Off }
    | { kind: "loading"; percent: number }
    | { kind: "working" }
    | { kind: "ready" };

/** Why there are no suggestions here. */
export type Off = "everywhere" | "workspace" | "paused" | "config" | "editor" | "language" | "document";

/** The condition that matters most. What is broken comes before what is off, since it is off for all. */
export function condition(facts: Facts): Condition {
    const { program, server } = facts;
    if (program.kind !== "running") {
        return program;
    }
    const message = server?.message ?? "";
    switch (server?.state) {
        case "failed":
            return { kind: "failed", message };
        case "downloading":
            return { kind: "downloading", phase: facts.phase, percent: server.percent ?? 0 };
        case "no_model":
            return { kind: "no_model", message };
        default:
    }
    const why = off(facts);
    if (why !== undefined) {
        return { kind: "off", why };
    }
    switch (server?.state) {
        case "starting":
            return { kind: "loading", percent: 0 };
        case "loading":
            return { kind: "loading", percent: server.percent ?? 0 };
        case "working":
            return { kind: "working" };
        default:
            // Asleep too: the next key wakes it.
            return { kind: "ready" };
    }
}

/** Why there are no suggestions here; `undefined` when there are. */
export function off(facts: Facts): Off | undefined {
    const { here, server } = facts;
    if (!facts.enabled.value) {
        return facts.enabled.by === "workspace" ? "workspace" : "everywhere";
    }
    if (facts.paused) {
        return "paused";
    }
    if (server?.state === "off") {
        // Nothing here says so, so it stands in the user's own file.
        return "config";
    }
    if (!facts.ghostText) {
        return "editor";
    }
    if (here !== undefined && !here.served) {
        return "document";
    }
    if (here !== undefined && facts.disabledLanguages.includes(here.language)) {
        return "language";
    }
    return undefined;
}

/** Is a model there, as far as the server has said? */
export function hasModel(facts: Facts): boolean {
    const states = ["asleep", "starting", "loading", "ready", "working"];
    return facts.server !== undefined && states.includes(facts.server.state);
}
