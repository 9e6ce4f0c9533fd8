// The program's other uses: runs `tandem model list`, `tandem stats` and the like, and shows what they print.
//
// Refuses: shells. The program is run as it is, with its arguments one by one.

import { execFile } from "node:child_process";
import * as os from "node:os";
import type { CancellationToken, TextDocumentContentProvider } from "vscode";
import { EventEmitter, ProgressLocation, Uri, window, workspace } from "vscode";

/** Bytes of output that are kept. */
const MOST = 10 * 1024 * 1024;

/** What a run came to. */
export interface Run {
    ok: boolean;
    out: string;
    /** What it said is wrong. */
    err: string;
}

/** Runs the program to its end. */
export function run(program: string, args: string[], cancelled?: CancellationToken): Promise<Run> {
    return new Promise((resolve) => {
        const options = { cwd: os.homedir(), maxBuffer: MOST };
        const child = execFile(program, args, options, (error, out, err) => {
            resolve({ ok: error === null, out, err: err.trim() || (error?.message ?? "") });
        });
        cancelled?.onCancellationRequested(() => child.kill());
    });
}

/** Runs the program while a notification says so, which can be cancelled; `undefined` when it was. */
export function watched(title: string, program: string, args: string[]): Thenable<Run | undefined> {
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    return window.withProgress(options, async (_progress, token) => {
        const came = await run(program, args, token);
        return token.isCancellationRequested ? undefined : came;
    });
}

/** Texts that are in no file, to be read and not saved. */
export class Reports implements TextDocumentContentProvider {
    static readonly SCHEME = "tandem-report";
    private readonly texts = new Map<string, string>();
    private readonly changed = new EventEmitter<Uri>();
    readonly onDidChange = this.changed.event;

    provideTextDocumentContent(uri: Uri): string {
        return this.texts.get(uri.path) ?? "";
    }

    async show(name: string, text: string): Promise<void> {
        const uri = Uri.from({ scheme: Reports.SCHEME, path: `/${name}` });
        this.texts.set(uri.path, text);
        this.changed.fire(uri);
        await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
    }
}
