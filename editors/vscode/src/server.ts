// Which program is the server: the setting, else the one in this package, else the one on PATH.
//
// In: the setting and what surrounds the extension. Out: an absolute path, or a sentence that says what
// to do. Refuses: a setting that names nothing that runs (another program than the one that was asked
// for would be a surprise), and relative folders on PATH (they would be looked for in the workspace,
// whose files are not to be run). Knows nothing of VS Code.

import * as path from "node:path";

/** What surrounds the extension. */
export interface Surroundings {
    /** `tandem.serverPath`; empty when not set. */
    setting: string;
    /** The folder of this extension. */
    extension: string;
    /** As Node names it: `linux`, `darwin`, `win32`. */
    platform: string;
    /** The variable PATH. */
    path: string;
    home: string;
    /** Is this a file that can be run? */
    runs(file: string): boolean;
}

/** Where the program was found, or why not. */
export type Found =
    { kind: "found"; program: string; by: "setting" | "package" | "PATH" } | { kind: "missing"; message: string };

/** The server's program. */
export function find(around: Surroundings): Found {
    const on = around.platform === "win32" ? path.win32 : path.posix;
    const name = around.platform === "win32" ? "tandem.exe" : "tandem";
    const wanted = around.setting.trim();
    if (wanted !== "") {
        const program = wanted.startsWith("~/") ? on.join(around.home, wanted.slice(2)) : wanted;
        if (!on.isAbsolute(program)) {
            return missing(`The setting tandem.serverPath must be a whole path, not "${wanted}".`);
        }
        if (!around.runs(program)) {
            return missing(`The setting tandem.serverPath names "${program}", which is not a program that runs.`);
        }
        return { kind: "found", program, by: "setting" };
    }
    const bundled = on.join(around.extension, "bin", name);
    if (around.runs(bundled)) {
        return { kind: "found", program: bundled, by: "package" };
    }
    const separator = around.platform === "win32" ? ";" : ":";
    for (const folder of around.path.split(separator)) {
        const program = on.join(folder, name);
        if (on.isAbsolute(folder) && around.runs(program)) {
            return { kind: "found", program, by: "PATH" };
        }
    }
    return missing(
        "The program tandem was not found: this package has none for your platform, and there is none on PATH. " +
            "Build it (make install), or say where it is in the setting tandem.serverPath.",
    );
}

function missing(message: string): Found {
    return { kind: "missing", message };
}
