// What the menu offers, and in what order: what puts right what is wrong comes first. Knows nothing of
// VS Code but the names of its icons.

import type { Condition, Facts } from "./facts";
import { condition } from "./facts";

/** A line of the menu; or a line between two parts of it. */
export type Choice = Line | "---";

/** A command, and what it is called here. */
export interface Line {
    command: string;
    label: string;
    description?: string;
}

/** The menu, for what is known. */
export function choices(facts: Facts, offersClaude: boolean): Choice[] {
    const now = condition(facts);
    const parts = [
        remedies(now),
        facts.program.kind === "running" ? switches(now, facts) : [],
        facts.program.kind === "running" && offersClaude ? CLAUDE : [],
        MORE,
    ];
    const seen = new Set<string>();
    const once = (line: Line) => !seen.has(line.command) && seen.add(line.command);
    const full = parts.map((part) => part.filter(once)).filter((part) => part.length > 0);
    return full.flatMap((part, index) => (index === 0 ? part : ["---" as const, ...part]));
}

const GET: Line = { command: "tandem.getModel", label: "$(cloud-download) Get or choose a model…" };
const RESTART: Line = { command: "tandem.restart", label: "$(debug-restart) Restart the server" };

const CLAUDE: Line[] = [
    { command: "tandem.askAbout", label: "$(comment-discussion) Ask Claude about this…" },
    { command: "tandem.askChange", label: "$(edit) Ask Claude to change this…" },
];

const MORE: Line[] = [
    GET,
    { command: "tandem.showStats", label: "$(graph) Statistics" },
    { command: "tandem.doctor", label: "$(pulse) Check this machine" },
    { command: "tandem.showLog", label: "$(output) Show the log" },
    RESTART,
    { command: "tandem.openSettings", label: "$(gear) Settings" },
    { command: "tandem.openWalkthrough", label: "$(book) Walkthrough" },
];

function remedies(now: Condition): Line[] {
    switch (now.kind) {
        case "missing":
            return [{ command: "tandem.choosePath", label: "$(file-binary) Say where the program is…" }];
        case "crashed":
        case "stopped":
            return [RESTART];
        case "no_model":
            return [{ ...GET, label: "$(cloud-download) Get a model…" }];
        case "failed":
            return [{ command: "tandem.checkModel", label: "$(verified) Check the model" }];
        default:
            return [];
    }
}

function switches(now: Condition, facts: Facts): Line[] {
    const why = now.kind === "off" ? now.why : undefined;
    const found: Line[] = [];
    const offer = (command: string, on: boolean, where: string, description?: string) => {
        const label = on ? `$(play-circle) Turn on ${where}` : `$(circle-slash) Turn off ${where}`;
        found.push({ command, label, ...(description === undefined ? {} : { description }) });
    };
    if (why === "editor") {
        offer("tandem.turnOnGhostText", true, "VS Code's ghost text", "editor.inlineSuggest.enabled");
    }
    const here = facts.here;
    if (here?.served && (why === undefined || why === "language")) {
        offer("tandem.toggleLanguage", why === "language", `for ${here.name}`);
    }
    if (facts.workspace && why !== "paused" && why !== "config") {
        offer("tandem.toggleWorkspace", !facts.enabled.value, "in this workspace");
    }
    // Where the workspace has a say of its own, another one elsewhere would change nothing here.
    if (facts.enabled.by !== "workspace" && why !== "paused") {
        offer("tandem.toggleEverywhere", !facts.enabled.value || why === "config", "everywhere");
    }
    if (why === "paused") {
        found.push({ command: "tandem.pause", label: "$(play-circle) Go on in this window" });
    } else if (why === undefined || why === "language" || why === "document") {
        found.push({
            command: "tandem.pause",
            label: "$(debug-pause) Pause in this window",
            description: "until it is closed",
        });
    }
    return found;
}
