// Asking Claude: the question and its place, for the server's `tandem.ask`. What is sent is shown by the server
// before it is sent, and after a yes the server sends it; nothing here opens a connection.

import type { TextEditor, Uri } from "vscode";
import { window } from "vscode";
import { conversation } from "./answers";
import { SCHEMES } from "./client";
import { server } from "./remote";

/** `tandem.askAbout` and `tandem.askChange`. */
export async function ask(kind: "ask" | "change"): Promise<void> {
    const editor = window.activeTextEditor;
    const talk = editor && conversation(editor.document.uri);
    if (editor === undefined || (talk === undefined && !SCHEMES.includes(editor.document.uri.scheme))) {
        void window.showInformationMessage(
            "tandem: open the file that you want to ask about, and put the cursor there.",
        );
        return;
    }
    const question = await window.showInputBox({
        title:
            kind === "change" ? "Ask Claude to change this" : talk === undefined ? "Ask Claude about this" : "Ask on",
        prompt: "Nothing is sent before you have seen it.",
        placeHolder: kind === "change" ? "Take the lock only once" : "Why does this deadlock?",
        ignoreFocusOut: true,
    });
    if (question === undefined || question.trim() === "") {
        return;
    }
    const place = talk === undefined ? placeOf(editor) : { conversation: talk };
    await server("tandem.ask", { kind, question, ...place });
}

/** `tandem.applyAnswer`: the edits of the answer that is shown, else of the last one. */
export async function apply(uri?: Uri): Promise<void> {
    const talk = conversation(uri ?? window.activeTextEditor?.document.uri);
    await server("tandem.applyEdits", ...(talk === undefined ? [] : [{ conversation: talk }]));
}

/** `tandem.cancelAsking`. */
export async function cancel(uri?: Uri): Promise<void> {
    const talk = conversation(uri ?? window.activeTextEditor?.document.uri);
    await server("tandem.cancel", ...(talk === undefined ? [] : [{ conversation: talk }]));
}

function placeOf(editor: TextEditor): object {
    const { start, end } = editor.selection;
    const at = ({ line, character }: { line: number; character: number }) => ({ line, character });
    return { uri: editor.document.uri.toString(), range: { start: at(start), end: at(end) } };
}
