// A condition in words: the status bar's text and tooltip, and the language status. Knows nothing of
// VS Code but the names of its icons.

import type { Condition, Facts } from "./facts";
import { condition } from "./facts";

/** What the status bar shows. */
export interface Face {
    /** With an icon: `$(check) tandem`. */
    text: string;
    /** What a screen reader says, and the tooltip begins with. */
    label: string;
    /** Plain text of one or more sentences. */
    detail: string;
    /** Something is wrong that a person should see to. */
    severity: "information" | "warning" | "error";
    /** What a click does. */
    click: "menu" | "restart";
}

const NAME = "tandem";

/** The face of what is known. */
export function face(facts: Facts): Face {
    const now = condition(facts);
    const [icon, label, rest = ""] = words(now, facts);
    const severity = { missing: "error", crashed: "error", failed: "error", no_model: "warning" } as const;
    return {
        text: `$(${icon}) ${NAME}${rest}`,
        label: `${NAME}: ${label}`,
        detail: detail(now, facts),
        severity: now.kind in severity ? severity[now.kind as keyof typeof severity] : "information",
        click: now.kind === "crashed" || now.kind === "stopped" ? "restart" : "menu",
    };
}

/** The icon, what it means, and what follows the name in the status bar. */
function words(now: Condition, facts: Facts): [string, string, string?] {
    switch (now.kind) {
        case "missing":
            return ["error", "program not found"];
        case "crashed":
            return ["error", "the server has stopped"];
        case "stopped":
            return ["debug-disconnect", "the server is not running"];
        case "starting":
            return ["loading~spin", "starting"];
        case "failed":
            return ["error", "error"];
        case "no_model":
            return ["cloud-download", "no model"];
        case "downloading":
            return ["loading~spin", `getting a model, ${now.percent} %`, ` ${now.percent} %`];
        case "loading":
            return ["loading~spin", `loading the model, ${now.percent} %`, ` ${now.percent} %`];
        case "working":
            return ["loading~spin", "working"];
        case "ready":
            return ["check", "ready"];
        case "off":
            return ["circle-slash", offLabel(now, facts)];
    }
}

function offLabel(now: Condition & { kind: "off" }, facts: Facts): string {
    switch (now.why) {
        case "language":
            return `off for ${facts.here?.name ?? "this language"}`;
        case "workspace":
            return "off in this workspace";
        case "paused":
            return "paused in this window";
        case "document":
            return "not in this kind of document";
        case "everywhere":
        case "config":
        case "editor":
            return "off";
    }
}

function detail(now: Condition, facts: Facts): string {
    switch (now.kind) {
        case "missing":
        case "failed":
        case "no_model":
            return now.message;
        case "downloading":
            return now.phase;
        case "crashed":
            return `${now.message} Click to start it again.`;
        case "stopped":
            return "Click to start it.";
        case "off":
            switch (now.why) {
                case "config":
                    return "Your config.toml says enabled = false.";
                case "editor":
                    return "VS Code's own setting editor.inlineSuggest.enabled is off.";
                case "everywhere":
                    return "The setting tandem.enabled is off.";
                case "workspace":
                    return "The setting tandem.enabled is off in this workspace.";
                default:
                    return "";
            }
        default:
            return facts.server?.model ?? "";
    }
}
