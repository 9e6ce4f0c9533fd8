// The walkthrough: which of its steps are done, the one hint that there is a walkthrough, and what its buttons do.
//
// Steps are done by context keys, which package.json names; those that outlast a window are kept in the
// extension's global state.

import type { ExtensionContext, TabChangeEvent } from "vscode";
import { commands, Selection, window, workspace } from "vscode";
import type { Facts } from "./facts";
import { condition, hasModel } from "./facts";
import type { Tandem } from "./tandem";

/** Kept: the model was checked, a suggestion was taken, a question was asked. */
const KEPT = ["modelChecked", "accepted", "asked"] as const;
const HINTED = "hinted";

/** What the editor shows in the step *Try it*. The cursor stands at its end. */
const SAMPLE = `# Type on where the cursor is. Tab takes the grey text, Esc puts it away.


def celsius_to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


def fahrenheit_to_celsius(fahrenheit):
    `;

export function follow(context: ExtensionContext, tandem: Tandem): void {
    for (const key of KEPT) {
        set(key, context.globalState.get(key, false));
    }
    const done = (key: (typeof KEPT)[number]) => {
        if (!context.globalState.get(key, false)) {
            void context.globalState.update(key, true);
            set(key, true);
        }
    };
    tandem.onRun(
        ({ command }) => {
            if (command === "tandem.accept") {
                done("accepted");
            } else if (command === "tandem.ask") {
                done("asked");
            }
        },
        undefined,
        context.subscriptions,
    );
    tandem.onChange(
        (facts) => {
            set("hasModel", hasModel(facts));
            void hint(context, facts);
        },
        undefined,
        context.subscriptions,
    );
    // VS Code's own pages have no input that extensions know; the walkthrough may be one of them.
    const pages = ({ opened }: TabChangeEvent) => opened.some((tab) => tab.input === undefined) && look();
    window.tabGroups.onDidChangeTabs(pages, undefined, context.subscriptions);
}

function set(key: string, value: boolean): void {
    void commands.executeCommand("setContext", `tandem.${key}`, value);
}

/** Says once, ever, that a model is needed. */
async function hint(context: ExtensionContext, facts: Facts): Promise<void> {
    if (condition(facts).kind !== "no_model" || context.globalState.get(HINTED, false)) {
        return;
    }
    await context.globalState.update(HINTED, true);
    const show = "Show me";
    const text = "tandem needs a model, once, before it can suggest anything. Nothing is downloaded unasked.";
    if ((await window.showInformationMessage(text, show, "Not now")) === show) {
        await open(context);
    }
}

/** `tandem.openWalkthrough`. */
export async function open(context: ExtensionContext): Promise<void> {
    await commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`, false);
    look();
}

/** What was true before VS Code looked at the walkthrough completes no step; this becomes true anew. */
function look(): void {
    set("looked", false);
    set("looked", true);
}

/** `tandem.tryIt`. */
export async function tryIt(): Promise<void> {
    const document = await workspace.openTextDocument({ language: "python", content: SAMPLE });
    const editor = await window.showTextDocument(document);
    const end = document.lineAt(document.lineCount - 1).range.end;
    editor.selection = new Selection(end, end);
    editor.revealRange(editor.selection);
    await commands.executeCommand("editor.action.inlineSuggest.trigger");
}
