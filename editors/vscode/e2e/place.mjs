// Where everything is: told by the test program (tests/editors/vscode.rs) in the environment, whose HOME and XDG
// folders are already those of a private desk. Refuses to run without it, so that nobody's own files are touched.

import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

function told(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run this by \`make editors\``);
  return value;
}

/** What .ci/editors-vscode has installed. */
export const INSTALLED = told('TANDEM_CODE_SERVER');
/** The private desk: everything that these tests write lies in it. */
export const DESK = told('TANDEM_DESK');
/** The folder that is opened in VS Code. */
export const PROJECT = told('TANDEM_PROJECT');
export const VSIX = told('TANDEM_VSIX');
/** Where screenshots go. */
export const SHOTS = told('TANDEM_SHOTS');

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

/** As .ci/editors-vscode looks for it. */
export const CHROMIUM = process.env.TANDEM_CHROMIUM ?? onPath(BROWSERS);

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(':');
  const files = names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = files.find((file) => fs.existsSync(file));
  if (!found) throw new Error(`none of ${names.join(', ')} is on PATH; .ci/editors-vscode installs one`);
  return found;
}

/** VS Code's user data and its extensions. */
export const USER = path.join(DESK, 'code', 'user');
export const EXTENSIONS = path.join(DESK, 'code', 'extensions');

export const { chromium } = createRequire(path.join(INSTALLED, 'package.json'))('playwright-core');
