// Where documents that the server shows are opened.
//
// An answer is beside the file that was asked about: first as it comes, in a document of the scheme
// `tandem-answer`, then, when it is whole, as a Markdown file in the same place, since in that one a
// person can ask on. All else opens as VS Code would open it.

import type { Tab, TextEditor } from "vscode";
import { TabInputText, TextEditorRevealType, Uri, ViewColumn, window } from "vscode";
import type { ResponseError, ShowDocumentParams, ShowDocumentResult } from "vscode-languageclient/node";
import { ANSWER, conversation, isAnswer, remember } from "./answers";

/** What is answered to the server. */
type Shown = ShowDocumentResult | ResponseError<void>;

export async function show(
    params: ShowDocumentParams,
    usual: () => Promise<Shown>,
): Promise<Shown> {
    const uri = Uri.parse(params.uri);
    if (!isAnswer(uri)) {
        return usual();
    }
    const preserveFocus = params.takeFocus !== true;
    if (uri.scheme === ANSWER) {
        const viewColumn = answerInSight()?.viewColumn ?? ViewColumn.Beside;
        await window.showTextDocument(uri, { viewColumn, preserveFocus, preview: false });
        return { success: true };
    }
    const coming = tabOfOneThatComes();
    if (coming === undefined) {
        return usual();
    }
    const { tab, uri: before } = coming;
    const seen = window.visibleTextEditors.find((editor) => editor.document.uri.toString() === before.toString());
    const editor = await window.showTextDocument(uri, {
        viewColumn: tab.group.viewColumn,
        preserveFocus,
        preview: false,
    });
    // Whoever reads goes on where they were.
    const range = seen?.visibleRanges[0];
    if (range !== undefined) {
        editor.revealRange(range, TextEditorRevealType.AtTop);
    }
    remember(uri, conversation(before));
    await window.tabGroups.close(tab, true);
    return { success: true };
}

function answerInSight(): TextEditor | undefined {
    return window.visibleTextEditors.find((editor) => isAnswer(editor.document.uri));
}

/** The newest answer that is open as it comes. */
function tabOfOneThatComes(): { tab: Tab; uri: Uri } | undefined {
    const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
    const open = tabs.flatMap((tab) => {
        const { input } = tab;
        return input instanceof TabInputText && input.uri.scheme === ANSWER ? [{ tab, uri: input.uri }] : [];
    });
    return open.sort((a, b) => (conversation(b.uri) ?? 0) - (conversation(a.uri) ?? 0))[0];
}
