// Writes the server's settings into package.json, from the schema that the server generates of the types
// which read them; `npm run settings`. A test fails when they are not up to date.
//
// Refuses: what only the user's own config.toml may set (the schema says so in its description), since a
// setting that is offered here and then ignored would be a lie.

import { readFileSync, writeFileSync } from "node:fs";

// From this package's folder, where npm runs its scripts.
const SCHEMA = "../settings.schema.json";
const PACKAGE = "package.json";
const USER_ONLY = /Only in your own `config\.toml`/;

/** Set for all windows: they share one engine, and how it runs is not a workspace's. An adapter may be. */
const MACHINE = /^(engine\.(?!adapters$)|model$)/;
/** What a workspace may set that is not trusted: less, never more. */
const HARMLESS = ["tandem.enabled", "tandem.disabled_languages"];
/** Of no use in an editor that has ghost text. */
const ELSEWHERE = ["popup", "ghost_text"];

/** The extension's own. */
const OWN = {
    "tandem.serverPath": {
        type: "string",
        default: "",
        scope: "machine",
        markdownDescription:
            "The whole path of the program `tandem`. When empty, the one in this extension is used, else the one on PATH. " +
            "A workspace cannot set it.",
    },
    "tandem.trace.server": {
        type: "string",
        enum: ["off", "messages", "compact", "verbose"],
        default: "off",
        scope: "window",
        markdownDescription: "What of the conversation with the server is logged, once the log's level is *Trace*.",
    },
};

/** The groups of the settings page. */
export function groups(schema) {
    const server = properties(schema, schema, "");
    const top = Object.entries(server).filter(([key]) => !key.slice("tandem.".length).includes("."));
    const group = (title, entries) => ({ title, properties: Object.fromEntries(entries) });
    const found = [group("tandem", [...top, ...Object.entries(OWN)])];
    for (const folder of ["completion", "context", "engine", "journal"]) {
        const inside = Object.entries(server).filter(([key]) => key.startsWith(`tandem.${folder}.`));
        found.push(group(folder.charAt(0).toUpperCase() + folder.slice(1), inside));
    }
    const left = Object.keys(server).filter((key) => !found.some((it) => key in it.properties));
    if (left.length > 0) {
        throw new Error(`these settings are in no group: ${left.join(", ")}`);
    }
    return found.map((it, order) => ({ ...it, order }));
}

function properties(schema, object, prefix) {
    const found = {};
    for (const [name, property] of Object.entries(object.properties)) {
        const key = `${prefix}${name}`;
        if (USER_ONLY.test(property.description ?? "") || ELSEWHERE.includes(key)) {
            continue;
        }
        const target = property.$ref && schema.$defs[property.$ref.replace("#/$defs/", "")];
        if (target?.properties) {
            Object.assign(found, properties(schema, target, `${key}.`));
        } else {
            found[`tandem.${key}`] = setting(key, property, target);
        }
    }
    return found;
}

function setting(key, property, target) {
    const { description, type, default: preset, items, minimum, maximum } = property;
    const one = {
        type,
        default: preset,
        scope: MACHINE.test(key) ? "machine" : "window",
        markdownDescription: description?.replace(/\n/g, " "),
        items,
        minimum,
        maximum,
    };
    if (target?.oneOf) {
        one.type = "string";
        one.enum = target.oneOf.map((choice) => choice.const);
        one.markdownEnumDescriptions = target.oneOf.map((choice) => choice.description);
    }
    if (one.type === undefined) {
        throw new Error(`there is no type for ${key}`);
    }
    return JSON.parse(JSON.stringify(one));
}

/** package.json as it is, and as it should be. */
export function both() {
    const text = readFileSync(PACKAGE, "utf8");
    const manifest = JSON.parse(text);
    manifest.contributes.configuration = groups(JSON.parse(readFileSync(SCHEMA, "utf8")));
    const all = manifest.contributes.configuration.flatMap((group) => Object.keys(group.properties));
    manifest.capabilities.untrustedWorkspaces.restrictedConfigurations = all.filter((key) => !HARMLESS.includes(key));
    return [text, `${JSON.stringify(manifest, null, 2)}\n`];
}

if (process.argv.includes("--write")) {
    writeFileSync(PACKAGE, both()[1]);
}
