// Bundles the extension into out/extension.js, and with `--test` the tests into out/test: the parts that
// know nothing of VS Code, to be run by Node alone.

import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";

const common = { bundle: true, platform: "node", target: "node20", sourcemap: false, logLevel: "warning" };

if (process.argv.includes("--test")) {
    const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
    rmSync("out/test", { recursive: true, force: true });
    const entryPoints = tests.map((name) => `test/${name}`);
    await build({ ...common, entryPoints, outdir: "out/test", format: "esm", outExtension: { ".js": ".mjs" } });
} else {
    await build({
        ...common,
        entryPoints: ["src/extension.ts"],
        outfile: "out/extension.js",
        format: "cjs",
        external: ["vscode"],
        minify: true,
        // Without it the client's names of classes in the log are one letter.
        keepNames: true,
    });
}
