// VS Code itself: its settings, its command line, its server. In: the desk. Out: an address. Everything it writes
// lies under the desk, and it ends with the tests.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { DESK, EXTENSIONS, INSTALLED, USER } from './place.mjs';

const NODE = path.join(INSTALLED, 'bin', 'node');
const PROGRAM = path.join(INSTALLED, 'bin', 'code-server.js');
const SETTINGS = path.join(USER, 'User', 'settings.json');
/** Where what only a machine's owner may set is set, such as the server's path. */
export const MACHINE = path.join(USER, 'Machine', 'settings.json');
const CONFIG = path.join(DESK, 'code', 'config.yaml');
const FOLDERS = ['--config', CONFIG, '--user-data-dir', USER, '--extensions-dir', EXTENSIONS];

/** A quiet window that looks alike everywhere; nothing here is about tandem. */
const QUIET = {
  'workbench.colorTheme': 'Dark Modern',
  'workbench.startupEditor': 'none',
  'workbench.editor.useModal': 'off',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'editor.fontFamily': '"DejaVu Sans Mono"',
  'editor.minimap.enabled': false,
  'breadcrumbs.enabled': false,
  // Words of the file in a menu that comes unasked hide what is looked at; one test asks for the menu.
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.suggestOnTriggerCharacters': false,
  'files.autoSave': 'off',
};

/** Installs a package as a person does; what the command printed. */
export async function install(vsix) {
  fs.mkdirSync(path.dirname(CONFIG), { recursive: true });
  const arguments_ = [PROGRAM, ...FOLDERS, '--install-extension', vsix];
  const { stdout, stderr } = await promisify(execFile)(NODE, arguments_, { cwd: DESK });
  return stdout + stderr;
}

/** Starts it with the quiet settings; its address, and what ends it. */
export async function start() {
  fs.mkdirSync(path.dirname(SETTINGS), { recursive: true });
  fs.writeFileSync(SETTINGS, JSON.stringify(QUIET));
  const server = spawn(NODE, [
    PROGRAM, ...FOLDERS, '--auth', 'none', '--bind-addr', '127.0.0.1:0',
    '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust',
    '--disable-getting-started-override', '--ignore-last-opened',
      // A group of its own, so that what it starts can be ended with it.
  ], { cwd: DESK, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const end = () => {
    try {
      process.kill(-server.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  process.once('exit', end);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const log = fs.createWriteStream(path.join(DESK, 'code', 'server.log'));
  server.stderr.pipe(log);
  const lines = createInterface({ input: server.stdout });
  const address = await new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`code-server ended with ${code} before it served`)));
    lines.on('line', (line) => {
      log.write(`${line}\n`);
      const found = /HTTP server listening on (http:\/\/\S+?)\/?$/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return { address, end };
}
