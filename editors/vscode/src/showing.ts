// Where documents that the server shows are opened.
//
// An answer is beside the file that was asked about: first as it comes, in a document of the scheme
// `tandem-answer`, then, when it is whole, as a Markdown file in the same place, since in that one a
// person can ask on. What it takes the place of is closed: the preview that was said yes to, the answer
// before it in the same conversation. All else opens as VS Code would open it.

import type { ResponseError, ShowDocumentParams, ShowDocumentResult } from "vscode-languageclient/node";
import { type Tab, TabInputText, TextEditorRevealType, Uri, ViewColumn, window } from "vscode";
import { ANSWER, conversation, isAnswer, isPreview, remember } from "./answers";

/** What is answered to the server. */
type Shown = ShowDocumentResult | ResponseError<void>;

/** A document in a tab. */
interface Open {
    tab: Tab;
    uri: Uri;
}

export async function show(params: ShowDocumentParams, usual: () => Promise<Shown>): Promise<Shown> {
    const uri = Uri.parse(params.uri);
    if (!isAnswer(uri)) {
        return usual();
    }
    const before = open().filter((it) => isAnswer(it.uri));
    const coming = newest(before.filter((it) => it.uri.scheme === ANSWER));
    if (uri.scheme !== ANSWER) {
        remember(uri, conversation(coming?.uri));
    }
    const seen = window.visibleTextEditors.find(
        (editor) => coming !== undefined && same(editor.document.uri, coming.uri),
    );
    const range = seen?.visibleRanges[0];
    const viewColumn = (coming ?? before[0])?.tab.group.viewColumn ?? ViewColumn.Beside;
    const preserveFocus = params.takeFocus !== true;
    const editor = await window.showTextDocument(uri, { viewColumn, preserveFocus, preview: false });
    if (range !== undefined && uri.scheme !== ANSWER) {
        // Whoever reads goes on where they were.
        editor.revealRange(range, TextEditorRevealType.AtTop);
    }
    const talk = conversation(uri);
    const past = open().filter((it) => {
        const replaced = talk !== undefined && conversation(it.uri) === talk && !same(it.uri, uri);
        return replaced || (isPreview(it.uri) && it.tab.isPreview);
    });
    await window.tabGroups.close(
        past.map((it) => it.tab).filter((tab) => !tab.isDirty),
        true,
    );
    return { success: true };
}

function open(): Open[] {
    const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
    return tabs.flatMap((tab) => (tab.input instanceof TabInputText ? [{ tab, uri: tab.input.uri }] : []));
}

function newest(answers: Open[]): Open | undefined {
    return answers.sort((a, b) => (conversation(b.uri) ?? 0) - (conversation(a.uri) ?? 0))[0];
}

function same(a: Uri, b: Uri): boolean {
    return a.toString() === b.toString();
}
