// One window's tandem: its server, and all that is known of it.
//
// In: VS Code's events and the server's words. Out: `facts`, and an event when they have changed; the server's
// commands, run. What follows from the facts is decided in `facts.ts`, what is said in `words.ts`.

import * as fs from "node:fs";
import * as os from "node:os";
import type { ExtensionContext, LogOutputChannel } from "vscode";
import { commands, Disposable, EventEmitter, window, workspace } from "vscode";
import { forget } from "./answers";
import { SCHEMES, Server } from "./client";
import type { Facts, Here, Program, ServerStatus } from "./facts";
import { languageName } from "./languages";
import type { Found } from "./server";
import { find } from "./server";
import { isSet } from "./settings";

/** Settings that count from the server's next start on: what is run, and how. */
const AT_START = ["tandem.serverPath", "tandem.model", "tandem.engine"];

/** The server's commands are registered while it runs; this runs one. */
export type Ran = { command: string; result: unknown };

export class Tandem extends Disposable {
    private readonly changed = new EventEmitter<Facts>();
    private readonly didRun = new EventEmitter<Ran>();
    /** Fires when `facts` is another one. */
    readonly onChange = this.changed.event;
    /** Fires when a command of the server has been run, by anyone. */
    readonly onRun = this.didRun.event;
    private server: Server | undefined;
    private program: Program = { kind: "stopped" };
    private status: ServerStatus | undefined;
    private phase = "";
    private paused = false;
    private turn: Promise<void> = Promise.resolve();

    constructor(
        private readonly context: ExtensionContext,
        readonly log: LogOutputChannel,
    ) {
        const tell = () => this.tell();
        const events = Disposable.from(
            window.onDidChangeActiveTextEditor(tell),
            // A language that was changed comes as a close and an open.
            workspace.onDidOpenTextDocument(tell),
            workspace.onDidChangeConfiguration((change) => {
                if (AT_START.some((key) => change.affectsConfiguration(key))) {
                    void this.restart();
                } else if (change.affectsConfiguration("tandem")) {
                    this.server?.settingsChanged();
                }
                tell();
            }),
        );
        super(() => Disposable.from(events, this.changed, this.didRun).dispose());
    }

    /** All that is known now. */
    get facts(): Facts {
        const configuration = workspace.getConfiguration("tandem");
        const set = configuration.inspect<boolean>("enabled");
        const by = set?.workspaceValue !== undefined ? "workspace" : set?.globalValue !== undefined ? "user" : "nobody";
        const document = window.activeTextEditor?.document;
        const here: Here | undefined = document && {
            language: document.languageId,
            name: languageName(document.languageId),
            served: SCHEMES.includes(document.uri.scheme),
        };
        return {
            program: this.program,
            server: this.status,
            phase: this.phase,
            here,
            enabled: { value: configuration.get("enabled", true), by },
            // What is set here counts, as the server will say too; else what stands in the user's own file.
            disabledLanguages: isSet(configuration.inspect("disabled_languages"))
                ? configuration.get<string[]>("disabled_languages", [])
                : (this.status?.disabledLanguages ?? []),
            workspace: (workspace.workspaceFolders ?? []).length > 0,
            paused: this.paused,
            ghostText: workspace.getConfiguration("editor", document).get("inlineSuggest.enabled", true),
        };
    }

    get offersClaude(): boolean {
        return this.server?.offersClaude ?? false;
    }

    /** The server's program, for those of its commands that are not the language server's. */
    find(): Found {
        return find({
            setting: workspace.getConfiguration("tandem").get("serverPath", ""),
            extension: this.context.extensionPath,
            platform: process.platform,
            path: process.env["PATH"] ?? "",
            home: os.homedir(),
            runs,
        });
    }

    /** Starts the server, after it has stopped the one that runs. One after the other, however often it is called. */
    restart(): Promise<void> {
        this.turn = this.turn.then(async () => {
            await this.server?.stop();
            this.server = undefined;
            this.status = undefined;
            this.paused = false;
            forget();
            const found = this.find();
            if (found.kind === "missing") {
                this.log.error(found.message);
                this.now(found);
                return;
            }
            this.log.info(`${found.program} (from ${found.by})`);
            const server: Server = new Server(found.program, this.context, this.log, {
                program: (now) => this.server === server && this.now(now),
                status: (now) => this.server === server && this.heard(now),
                ran: (command, result) => this.ran(command, result),
                phase: (words) => (this.phase = words),
                outdated: () => void this.restart(),
            });
            this.server = server;
            // Not awaited: one that never answers must not keep the next from starting.
            void server.start();
        });
        return this.turn;
    }

    async stop(): Promise<void> {
        await this.turn;
        await this.server?.stop();
    }

    private now(program: Program): void {
        if (program.kind !== "running") {
            this.status = undefined;
            this.phase = "";
            this.paused = false;
        }
        this.program = program;
        this.tell();
    }

    private heard(status: ServerStatus): void {
        this.status = status;
        this.tell();
    }

    private ran(command: string, result: unknown): void {
        if (command === "tandem.toggle") {
            this.paused = (result as { enabled?: boolean } | null)?.enabled === false;
            this.tell();
        }
        this.didRun.fire({ command, result });
    }

    private tell(): void {
        const facts = this.facts;
        void commands.executeCommand("setContext", "tandem.running", facts.program.kind === "running");
        void commands.executeCommand("setContext", "tandem.offersClaude", this.offersClaude);
        this.changed.fire(facts);
    }
}

function runs(file: string): boolean {
    try {
        fs.accessSync(file, fs.constants.X_OK);
        return fs.statSync(file).isFile();
    } catch {
        return false;
    }
}
