// Turning suggestions on and off: what a choice means for the settings. Pure; `commands` writes it down.

import type { Inspected } from "./settings";

/** A setting to write, and where. `undefined` takes it away. */
export interface Change {
    key: "enabled" | "disabled_languages";
    value: unknown;
    where: "user" | "workspace";
}

/**
 * This language off, or on again. The list starts from what counts now, which may stand in the user's own
 * config.toml: setting it here hides that one.
 */
export function language(id: string, counts: readonly string[], inspected: Inspected | undefined): Change {
    const rest = counts.filter((other) => other !== id);
    const value = rest.length === counts.length ? [...rest, id].sort() : rest;
    const where = inspected?.workspaceValue !== undefined ? "workspace" : "user";
    return { key: "disabled_languages", value, where };
}

/** This workspace off, or on again. */
export function workspace(isOn: boolean, inspected: Inspected | undefined): Change {
    const value = isOn ? false : inspected?.globalValue === false ? true : undefined;
    return { key: "enabled", value, where: "workspace" };
}

/** All off, or on again; `inConfig`: it is the user's own config.toml that says off. */
export function everywhere(isOn: boolean, inConfig: boolean): Change {
    return { key: "enabled", value: isOn ? false : inConfig ? true : undefined, where: "user" };
}
