// Getting a model, and checking it. Nothing is downloaded before a person has chosen a line that says how
// much it is.

import type { ExtensionContext } from "vscode";
import { commands, ConfigurationTarget, ProgressLocation, window, workspace } from "vscode";
import { condition } from "./facts";
import type { Model } from "./models";
import { line, mustBeNamed, read } from "./models";
import { run, watched } from "./program";
import { server } from "./remote";
import type { Tandem } from "./tandem";

/** How long the server may take to begin, in ms; what it says itself is shown either way. */
const PATIENCE = 15_000;

/** `tandem.getModel`. */
export async function get(tandem: Tandem): Promise<void> {
    const found = tandem.find();
    if (found.kind === "missing") {
        void window.showErrorMessage(found.message);
        return;
    }
    const listed = async () => {
        const came = await run(found.program, ["model", "list", "--json"]);
        return came.ok ? read(came.out) : came.err;
    };
    const items = listed().then((models) => {
        if (typeof models === "string") {
            throw new Error(models);
        }
        return models.map((model) => ({ ...line(model), model }));
    });
    const placeHolder = "Choose a model to use. One that is not here yet is downloaded and checked by its SHA-256.";
    const chosen = await window.showQuickPick(items, { title: "tandem: models", placeHolder, matchOnDetail: true });
    if (chosen === undefined) {
        return;
    }
    if (!chosen.model.installed || chosen.model.damaged) {
        await pull(tandem, chosen.model);
        const models = await listed();
        const came = typeof models === "string" ? undefined : models.find((it) => it.name === chosen.model.name);
        if (came?.installed !== true) {
            return; // The server has said why.
        }
    }
    const configuration = workspace.getConfiguration("tandem");
    if (mustBeNamed(chosen.model, configuration.get("model", "auto"))) {
        await configuration.update("model", chosen.model.name, ConfigurationTarget.Global);
    }
}

/** Has the server download it, and shows how far it is until it has ended. */
async function pull(tandem: Tandem, model: Model): Promise<void> {
    if (!(await server("tandem.pull", model.name))) {
        return;
    }
    const options = { location: ProgressLocation.Notification, title: `tandem: getting ${model.name}` };
    await window.withProgress(options, (progress) => {
        return new Promise<void>((resolve) => {
            let [begun, percent] = [false, 0];
            const look = () => {
                const now = condition(tandem.facts);
                if (now.kind === "downloading") {
                    begun = true;
                    progress.report({
                        increment: Math.max(now.percent - percent, 0),
                        message: `${now.phase} ${now.percent} %`,
                    });
                    percent = now.percent;
                } else if (begun || now.kind === "crashed" || now.kind === "stopped") {
                    end();
                }
            };
            const end = () => {
                clearTimeout(timer);
                listening.dispose();
                resolve();
            };
            const listening = tandem.onChange(look);
            const timer = setTimeout(() => begun || end(), PATIENCE);
            look();
        });
    });
}

/** `tandem.checkModel`: is it whole? */
export async function check(tandem: Tandem, context: ExtensionContext): Promise<void> {
    const found = tandem.find();
    if (found.kind === "missing") {
        void window.showErrorMessage(found.message);
        return;
    }
    const setting = workspace.getConfiguration("tandem").get("model", "auto");
    const names = setting === "auto" ? [] : [setting];
    const came = await watched("tandem: checking the model", found.program, ["model", "verify", ...names]);
    if (came === undefined) {
        return;
    }
    tandem.log.info(`${came.out}\n${came.err}`.trim());
    if (came.ok) {
        await context.globalState.update("modelChecked", true);
        void commands.executeCommand("setContext", "tandem.modelChecked", true);
        const words = came.out.split("\n")[0] ?? "";
        void window.showInformationMessage(`tandem: ${words}`);
        return;
    }
    const again = "Get a model…";
    const last = came.err.split("\n").at(-1) ?? "";
    if ((await window.showErrorMessage(`tandem: ${last}`, again)) === again) {
        await get(tandem);
    }
}
