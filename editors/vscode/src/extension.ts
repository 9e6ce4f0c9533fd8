// The extension's beginning and end: makes the parts and ties them to one another.

import type { ExtensionContext } from "vscode";
import { commands as vscode, window } from "vscode";
import * as commands from "./commands";
import type { Program } from "./facts";
import { Status } from "./status";
import { Tandem } from "./tandem";
import * as walkthrough from "./walkthrough";

/** What was said to be missing last. */
const MISSING = "missing";

let tandem: Tandem | undefined;

export function activate(context: ExtensionContext): void {
    const log = window.createOutputChannel("tandem", { log: true });
    const status = new Status();
    tandem = new Tandem(context, log);
    tandem.onChange((facts) => {
        status.show(facts);
        void sayMissing(context, facts.program);
    });
    context.subscriptions.push(log, status, tandem);
    commands.register(context, tandem);
    walkthrough.follow(context, tandem);
    status.show(tandem.facts);
    // Not awaited: a server that comes up slowly holds up nobody.
    void tandem.restart();
}

/** Says that there is no program; the same trouble once, and not in each window again. */
async function sayMissing(context: ExtensionContext, program: Program): Promise<void> {
    const message = program.kind === "missing" ? program.message : undefined;
    if (program.kind === "starting" || context.globalState.get(MISSING) === message) {
        return;
    }
    await context.globalState.update(MISSING, message);
    const settings = "Open Settings";
    if (message !== undefined && (await window.showErrorMessage(`tandem: ${message}`, settings)) === settings) {
        await vscode.executeCommand("tandem.choosePath");
    }
}

export async function deactivate(): Promise<void> {
    await tandem?.stop();
}
