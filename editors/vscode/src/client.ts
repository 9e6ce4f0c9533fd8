// The language client: starts the server, tells it the settings, and passes on what it says.
//
// In: the program, and who wants to hear. Out: a running client. Refuses: to pop up anything when the
// server crashes or does not start; the status bar says it, and starts it again after a click.

import * as os from "node:os";
import type { ExtensionContext, LogOutputChannel } from "vscode";
import { window, workspace } from "vscode";
import type {
    ClientCapabilities,
    LanguageClientOptions,
    Middleware,
    ServerOptions,
    StaticFeature,
} from "vscode-languageclient/node";
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import type { Program, ServerStatus } from "./facts";
import { Reports } from "./progress";
import { Restarts } from "./restarts";
import { explicit, keys, needsRestart, nested } from "./settings";
import { show } from "./showing";

/** The kinds of documents that the server is told of. */
export const SCHEMES: readonly string[] = ["file", "untitled"];

/** Milliseconds that a server is waited for which must stop. */
const PATIENCE = 5000;

/** Who hears what the server says. */
export interface Listener {
    program(now: Program): void;
    status(now: ServerStatus): void;
    /** A command of the server was run, and this came of it. */
    ran(command: string, result: unknown): void;
    /** What is being done with a model, in the server's words: `verifying`. */
    phase(words: string): void;
    /** A setting was taken away that the server was started with. */
    outdated(): void;
}

/** A client that says nothing by itself: its user has a status bar for that, and a log. */
class QuietClient extends LanguageClient {
    override error(message: string, data?: unknown): void {
        super.error(message, data, false);
    }

    override warn(message: string, data?: unknown): void {
        super.warn(message, data, false);
    }

    override info(message: string, data?: unknown): void {
        super.info(message, data, false);
    }
}

/** Tells the server that there is a status bar, and that a person can be asked for a line of text. */
class Experimental implements StaticFeature {
    fillClientCapabilities(capabilities: ClientCapabilities): void {
        const others = (capabilities.experimental ?? {}) as object;
        capabilities.experimental = { ...others, tandemStatus: true, tandemInput: true };
    }

    initialize(): void {}
    getState(): { kind: "static" } {
        return { kind: "static" };
    }
    clear(): void {}
}

/** A server that runs, or tries to. */
export class Server {
    private readonly client: LanguageClient;
    private readonly restarts = new Restarts();
    private readonly names: string[];
    /** What it was started with. */
    private atStart = new Map<string, unknown>();
    /** Why it does not run. */
    private failure = "";
    /** Another one takes its place. */
    private isOver = false;

    constructor(
        program: string,
        context: ExtensionContext,
        log: LogOutputChannel,
        private readonly listener: Listener,
    ) {
        this.names = keys(context.extension.packageJSON);
        const options: LanguageClientOptions = {
            documentSelector: SCHEMES.map((scheme) => ({ scheme })),
            outputChannel: log,
            revealOutputChannelOn: RevealOutputChannelOn.Never,
            initializationOptions: () => {
                this.atStart = this.settings();
                return nested(this.atStart);
            },
            initializationFailedHandler: (error) => {
                this.failure = error instanceof Error ? error.message : String(error);
                return false;
            },
            middleware: middleware(() => nested(this.settings()), listener),
            errorHandler: {
                error: (_error, _message, count) => ({
                    action: (count ?? 0) <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown,
                    handled: true,
                }),
                closed: () => this.closed(),
            },
        };
        // In the home folder: a program started in a workspace could come upon that workspace's libraries.
        const server: ServerOptions = { command: program, args: ["serve"], options: { cwd: os.homedir() } };
        this.client = new QuietClient("tandem", "tandem", server, options);
        this.client.registerFeature(new Experimental());
        this.client.onNotification("tandem/status", (status: ServerStatus) => listener.status(status));
        this.client.onRequest("tandem/input", async ({ prompt, value }: { prompt: string; value: string }) => {
            return (await window.showInputBox({ prompt, value, ignoreFocusOut: true })) ?? null;
        });
        this.client.onDidChangeState(({ newState }) => listener.program(state(newState, this.failure)));
    }

    /** Starts it; whoever listens hears how that goes. */
    async start(): Promise<void> {
        try {
            await this.client.start();
        } catch (error) {
            this.failure ||= error instanceof Error ? error.message : String(error);
            this.listener.program({ kind: "crashed", message: this.failure });
        }
    }

    /** Stops it for good. Waits for it, but not for ever: a server may never answer. */
    async stop(): Promise<void> {
        this.isOver = true;
        const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE));
        if (this.client.state === State.Starting) {
            // A client that comes up cannot be stopped.
            await Promise.race([this.client.start().catch(() => undefined), late]);
        }
        // It rejects when it has not come up, and then there is nothing to stop.
        await Promise.race([this.client.dispose().catch(() => undefined), late]);
    }

    /** Tells it of settings that have changed, or that it must be started anew for them. */
    settingsChanged(): void {
        if (this.client.state !== State.Running) {
            return;
        }
        if (needsRestart(this.atStart, this.settings())) {
            this.listener.outdated();
        } else {
            // It asks for them then.
            void this.client.sendNotification("workspace/didChangeConfiguration", { settings: null });
        }
    }

    /** Does it offer to ask Claude? The user's config.toml may have turned that off. */
    get offersClaude(): boolean {
        return this.client.initializeResult?.capabilities.codeActionProvider !== undefined;
    }

    private settings(): Map<string, unknown> {
        return explicit(this.names, workspace.getConfiguration("tandem"));
    }

    private closed(): { action: CloseAction; handled: boolean } {
        if (this.isOver) {
            return { action: CloseAction.DoNotRestart, handled: true };
        }
        const again = this.restarts.again(Date.now());
        if (!again) {
            this.failure = "The server ended several times within three minutes; the log says more.";
        }
        return { action: again ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
    }
}

function state(now: State, failure: string): Program {
    switch (now) {
        case State.Running:
            return { kind: "running" };
        case State.Starting:
            return { kind: "starting" };
        case State.StartFailed:
            return { kind: "crashed", message: failure || "The server did not start; the log says more." };
        case State.Stopped:
            return failure === "" ? { kind: "stopped" } : { kind: "crashed", message: failure };
    }
}

function middleware(settings: () => object, listener: Listener): Middleware {
    const reports = new Reports();
    return {
        workspace: {
            configuration: (params, token, next) => {
                if (params.items.every((item) => item.section === "tandem")) {
                    return params.items.map(settings);
                }
                return next(params, token);
            },
        },
        window: {
            showDocument: (params, token, next) => show(params, async () => next(params, token)),
        },
        handleWorkDoneProgress: (token, report, next) => {
            const ours = reports.take(token, report);
            if (ours === undefined) {
                next(token, report);
            } else {
                listener.phase(ours.phase);
            }
        },
        executeCommand: async (command, args, next) => {
            const result: unknown = await next(command, args);
            listener.ran(command, result);
            return result;
        },
    };
}
