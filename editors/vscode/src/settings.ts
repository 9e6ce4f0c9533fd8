// The settings that a person has set here → what the server is told, in its own shape.
//
// In: the keys that package.json declares, and what VS Code knows of each. Out: an object as
// editors/settings.schema.json has it, with what is set and nothing else. Refuses: defaults. The server
// lets an editor's settings win over the user's config.toml, so that a default sent along would hide
// what stands there. Knows nothing of VS Code.

/** Settings of the extension itself, which the server does not know. */
export const OWN: readonly string[] = ["serverPath", "trace.server"];

/** A part of VS Code's configuration, as far as it is read here. */
export interface Configuration {
    get(key: string): unknown;
    inspect(key: string): Inspected | undefined;
}

/** Where a setting is set. */
export interface Inspected {
    globalValue?: unknown;
    workspaceValue?: unknown;
    workspaceFolderValue?: unknown;
}

/** A package.json, as far as it is read here. */
export interface Manifest {
    contributes?: { configuration?: { properties?: Record<string, unknown> }[] };
}

/** The server's settings among those that package.json declares, without `tandem.`. */
export function keys(manifest: Manifest): string[] {
    const groups = manifest.contributes?.configuration ?? [];
    const all = groups.flatMap((group) => Object.keys(group.properties ?? {}));
    return all.map((key) => key.replace(/^tandem\./, "")).filter((key) => !OWN.includes(key));
}

/** Is it set anywhere, or is its default what counts? */
export function isSet(inspected: Inspected | undefined): boolean {
    return (
        inspected?.globalValue !== undefined ||
        inspected?.workspaceValue !== undefined ||
        inspected?.workspaceFolderValue !== undefined
    );
}

/** What is set, key by key: `completion.confidence` → 70. */
export function explicit(names: readonly string[], configuration: Configuration): Map<string, unknown> {
    const set = names.filter((key) => isSet(configuration.inspect(key)));
    return new Map(set.map((key) => [key, configuration.get(key)]));
}

/** The same as the schema nests it: `{"completion": {"confidence": 70}}`. */
export function nested(flat: ReadonlyMap<string, unknown>): Record<string, unknown> {
    const root: Record<string, unknown> = {};
    for (const [key, value] of flat) {
        const folders = key.split(".");
        const last = folders.pop() ?? key;
        let at = root;
        for (const folder of folders) {
            at = (at[folder] ??= {}) as Record<string, unknown>;
        }
        at[last] = value;
    }
    return root;
}

/**
 * Must the server start anew for what is set now to count? It keeps what it was told at its start, below
 * what it is told later, so that a setting that was taken away since would go on to count.
 */
export function needsRestart(atStart: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): boolean {
    return [...atStart.keys()].some((key) => !now.has(key));
}
