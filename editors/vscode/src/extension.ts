// The extension's beginning and end: makes the parts and ties them to one another.

import type { ExtensionContext } from "vscode";
import { window } from "vscode";
import * as commands from "./commands";
import { Status } from "./status";
import { Tandem } from "./tandem";
import * as walkthrough from "./walkthrough";

let tandem: Tandem | undefined;

export function activate(context: ExtensionContext): void {
    const log = window.createOutputChannel("tandem", { log: true });
    const status = new Status();
    tandem = new Tandem(context, log);
    tandem.onChange((facts) => status.show(facts));
    context.subscriptions.push(log, status, tandem);
    commands.register(context, tandem);
    walkthrough.follow(context, tandem);
    status.show(tandem.facts);
    // Not awaited: a server that comes up slowly holds up nobody.
    void tandem.restart();
}

export async function deactivate(): Promise<void> {
    await tandem?.stop();
}
