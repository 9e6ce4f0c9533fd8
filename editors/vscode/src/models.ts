// The models that `tandem model list --json` names → lines to choose from. Knows nothing of VS Code.

/** A model, as far as it is read here. */
export interface Model {
    name: string;
    note: string;
    parameters: string;
    about_bytes: number;
    installed: boolean;
    damaged: boolean;
    default: boolean;
}

/** The list; a sentence where it is not one. */
export function read(json: string): Model[] | string {
    try {
        const list = JSON.parse(json) as { models?: unknown };
        if (Array.isArray(list.models)) {
            return list.models as Model[];
        }
    } catch {
        // Said below.
    }
    return "The program did not say which models there are.";
}

/** `491 MB`, as the program counts. */
export function size(bytes: number): string {
    return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/** A line to choose. Whoever takes one that is not here says yes to its download, so that it must say so. */
export function line(model: Model): { label: string; description: string; detail: string } {
    const here = model.installed && !model.damaged;
    return {
        label: `${here ? "$(check)" : "$(cloud-download)"} ${model.name}`,
        description: here
            ? "installed"
            : model.damaged
              ? `damaged: download again, ${size(model.about_bytes)}`
              : `download, ${size(model.about_bytes)}`,
        detail: `${model.parameters}: ${model.note}`,
    };
}

/** Must the setting `tandem.model` name it, so that it is used? `auto` finds the default by itself. */
export function mustBeNamed(model: Model, setting: string): boolean {
    return setting !== model.name && !(model.default && setting === "auto");
}
