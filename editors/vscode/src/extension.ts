// The extension's beginning and end: makes the parts and ties them to one another.

import type { ExtensionContext } from "vscode";
import { commands, window } from "vscode";
import { Status } from "./status";
import { Tandem } from "./tandem";

let tandem: Tandem | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
    const log = window.createOutputChannel("tandem", { log: true });
    const status = new Status();
    tandem = new Tandem(context, log);
    tandem.onChange((facts) => status.show(facts));
    context.subscriptions.push(
        log,
        status,
        tandem,
        commands.registerCommand("tandem.restart", () => tandem?.restart()),
        commands.registerCommand("tandem.showLog", () => log.show()),
        commands.registerCommand("tandem.menu", () => log.show()),
    );
    status.show(tandem.facts);
    // Not awaited: a server that comes up slowly holds up nobody.
    void tandem.restart();
}

export async function deactivate(): Promise<void> {
    await tandem?.stop();
}
