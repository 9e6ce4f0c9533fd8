// The menu behind the status bar item.

import type { QuickPickItem } from "vscode";
import { commands, QuickPickItemKind, window } from "vscode";
import { choices } from "./choices";
import type { Tandem } from "./tandem";
import { face } from "./words";

/** `tandem.menu`. */
export async function open(tandem: Tandem): Promise<void> {
    const facts = tandem.facts;
    const { label, detail } = face(facts);
    const items = choices(facts, tandem.offersClaude).map((choice): QuickPickItem & { command?: string } =>
        choice === "---" ? { label: "", kind: QuickPickItemKind.Separator } : choice,
    );
    const chosen = await window.showQuickPick(items, { title: label, placeHolder: detail });
    if (chosen?.command !== undefined) {
        await commands.executeCommand(chosen.command);
    }
}
