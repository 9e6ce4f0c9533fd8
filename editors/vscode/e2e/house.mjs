// One VS Code and one browser for all tests, because each takes seconds to start: `test` runs a sentence in its
// window, and keeps a picture where one fails.

import fs from 'node:fs';
import path from 'node:path';
import { after, before, test as plain } from 'node:test';
import * as codeServer from './code_server.mjs';
import { CHROMIUM, PROJECT, SHOTS, VSIX, chromium } from './place.mjs';
import { DEADLINE } from './wait.mjs';
import { SIZE, Window } from './window.mjs';

/** Longer than all waits of a test that fails at its end. */
const TEST = 3 * DEADLINE;

/** What is there while tests run. */
export const house = { window: undefined, browser: undefined, end: undefined, printed: '' };

/** A file that the project has from the beginning, for when tests are read: the explorer misses some that come while it starts. */
export function file(name, text) {
  fs.writeFileSync(path.join(PROJECT, name), text);
  return { name, text };
}

before(async () => {
  fs.rmSync(SHOTS, { recursive: true, force: true });
  house.printed = await codeServer.install(VSIX);
  const { address, end } = await codeServer.start();
  house.end = end;
  // In a container there is no sandbox to be had, and only our own pages are opened.
  house.browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const page = await house.browser.newPage({ viewport: SIZE, colorScheme: 'dark', permissions: ['clipboard-read', 'clipboard-write'] });
  house.window = new Window(page, address);
  await house.window.load();
  await house.window.listen();
}, { timeout: TEST });

after(async () => {
  await house.browser?.close();
  house.end?.();
});

/** A test in the window that all share. */
export function test(sentence, body) {
  plain(sentence, { timeout: TEST }, async () => {
    try {
      await body(house.window);
    } catch (error) {
      const name = `FAILED-${sentence.replaceAll(/[^A-Za-z0-9]+/g, '_')}`;
      await house.window?.shot(name).catch(() => {});
      throw error;
    }
  });
}
