// Our own commands, each by the name that package.json gives it a title for.
//
// The server's commands (`tandem.ask`, `tandem.pull` …) are registered by the language client under their own
// names, while the server runs; ours have other names, and call those.

import * as os from "node:os";
import type { ExtensionContext, Uri } from "vscode";
import { commands, ConfigurationTarget, window, workspace } from "vscode";
import * as ask from "./ask";
import { condition } from "./facts";
import * as get from "./get";
import * as menu from "./menu";
import { Reports, watched } from "./program";
import { server } from "./remote";
import type { Change } from "./switches";
import * as switches from "./switches";
import type { Tandem } from "./tandem";
import * as walkthrough from "./walkthrough";

export function register(context: ExtensionContext, tandem: Tandem): void {
    const reports = new Reports();
    const report = (title: string, name: string, ...args: string[]) => show(tandem, reports, title, name, args);
    const all: Record<string, (...args: never[]) => unknown> = {
        menu: () => menu.open(tandem),
        restart: () => tandem.restart(),
        showLog: () => tandem.log.show(),
        toggleLanguage: () => toggleLanguage(tandem),
        toggleWorkspace: () => toggleWorkspace(tandem),
        toggleEverywhere: () => toggleEverywhere(tandem),
        turnOnGhostText: () =>
            workspace.getConfiguration("editor").update("inlineSuggest.enabled", true, ConfigurationTarget.Global),
        pause: () => server("tandem.toggle"),
        askAbout: () => ask.ask("ask"),
        askChange: () => ask.ask("change"),
        // VS Code puts the message with the choices away after some seconds; they stand on the preview, too.
        choosePreview: () => commands.executeCommand("editor.action.quickFix"),
        applyAnswer: (uri?: Uri) => ask.apply(uri),
        cancelAsking: (uri?: Uri) => ask.cancel(uri),
        setKey: () => setKey(tandem),
        getModel: () => get.get(tandem),
        checkModel: () => get.check(tandem, context),
        showStats: () => report("tandem: counting", "tandem statistics.txt", "stats"),
        doctor: () => report("tandem: checking this machine, half a minute", "tandem doctor.txt", "doctor"),
        tryIt: () => walkthrough.tryIt(),
        openWalkthrough: () => walkthrough.open(context),
        openKeys: () => commands.executeCommand("workbench.action.openGlobalKeybindings", "inlineSuggest"),
        openSettings: () => commands.executeCommand("workbench.action.openSettings", `@ext:${context.extension.id}`),
        choosePath: () => commands.executeCommand("workbench.action.openSettings", "tandem.serverPath"),
    };
    context.subscriptions.push(workspace.registerTextDocumentContentProvider(Reports.SCHEME, reports));
    for (const [name, run] of Object.entries(all)) {
        context.subscriptions.push(commands.registerCommand(`tandem.${name}`, run as (...args: unknown[]) => unknown));
    }
}

async function write(change: Change): Promise<void> {
    const target = change.where === "user" ? ConfigurationTarget.Global : ConfigurationTarget.Workspace;
    await workspace.getConfiguration("tandem").update(change.key, change.value, target);
}

async function toggleLanguage(tandem: Tandem): Promise<void> {
    const { here, disabledLanguages } = tandem.facts;
    if (here === undefined) {
        void window.showInformationMessage("tandem: open a file in the language that is meant.");
        return;
    }
    const inspected = workspace.getConfiguration("tandem").inspect("disabled_languages");
    await write(switches.language(here.language, disabledLanguages, inspected));
}

async function toggleWorkspace(tandem: Tandem): Promise<void> {
    const { enabled, workspace: isOpen } = tandem.facts;
    if (!isOpen) {
        void window.showInformationMessage(
            "tandem: no folder is open, so that there is no workspace to turn it off in.",
        );
        return;
    }
    await write(switches.workspace(enabled.value, workspace.getConfiguration("tandem").inspect("enabled")));
}

async function toggleEverywhere(tandem: Tandem): Promise<void> {
    const facts = tandem.facts;
    const now = condition(facts);
    const inConfig = now.kind === "off" && now.why === "config";
    await write(switches.everywhere(facts.enabled.value && !inConfig, inConfig));
}

/** In a terminal, so that the key passes through nothing of ours. */
function setKey(tandem: Tandem): void {
    const found = tandem.find();
    if (found.kind === "missing") {
        void window.showErrorMessage(found.message);
        return;
    }
    const terminal = window.createTerminal({
        name: "tandem key",
        shellPath: found.program,
        shellArgs: ["key", "set"],
        cwd: os.homedir(),
    });
    terminal.show();
    // It goes away when the program has ended well, with what the program said.
    const closing = window.onDidCloseTerminal((closed) => {
        if (closed === terminal) {
            closing.dispose();
            if (closed.exitStatus?.code === 0) {
                void window.showInformationMessage("tandem: the key is in your system's keyring.");
            }
        }
    });
}

async function show(tandem: Tandem, reports: Reports, title: string, name: string, args: string[]): Promise<void> {
    const found = tandem.find();
    if (found.kind === "missing") {
        void window.showErrorMessage(found.message);
        return;
    }
    const came = await watched(title, found.program, args);
    if (came !== undefined) {
        // The doctor fails when something is wrong, and says what.
        await reports.show(name, came.out || came.err);
    }
}
