// Makes the package for one platform, with the server in it; `npm run package`.
//
// In, from the environment: TARGET (`linux-x64`; default: this machine's) and BINARY (the program; default:
// target/release/tandem of this repository). Libraries in `lib/` and licences in `licences/` beside the
// program are taken along, as `make dist` lays them out. Out: dist/tandem-TARGET-VERSION.vsix, whose
// path is the last line printed.

import { createVSIX } from "@vscode/vsce";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = path.join(here, "../..");
process.chdir(here);

const target = process.env.TARGET || `${process.platform}-${process.arch}`;
const name = target.startsWith("win32") ? "tandem.exe" : "tandem";
const binary = path.resolve(process.env.BINARY || path.join(root, "target/release", name));
if (!existsSync(binary)) {
    console.error(`There is no program ${binary}: build it (cargo build --release), or name one in BINARY.`);
    process.exit(1);
}

rmSync("bin", { recursive: true, force: true });
rmSync("licences", { recursive: true, force: true });
mkdirSync("bin", { recursive: true });
cpSync(binary, `bin/${name}`);
chmodSync(`bin/${name}`, 0o755);
const beside = path.dirname(binary);
if (existsSync(path.join(beside, "lib"))) {
    cpSync(path.join(beside, "lib"), "bin/lib", { recursive: true });
}
if (existsSync(path.join(beside, "licences"))) {
    cpSync(path.join(beside, "licences"), "licences", { recursive: true });
}
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    cpSync(path.join(root, licence), licence);
}
writeFileSync("LICENSE.txt", "MIT or Apache-2.0, as you like: see LICENSE-MIT and LICENSE-APACHE.\n");

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
mkdirSync("dist", { recursive: true });
const packagePath = path.resolve(`dist/tandem-${target}-${version}.vsix`);
await createVSIX({ cwd: here, target, packagePath, dependencies: false, allowMissingRepository: true });
console.log(packagePath);
