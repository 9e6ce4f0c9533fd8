// What dies comes back, without a word where nothing is to be done, and with one where something is.

import assert from 'node:assert/strict';
import { file, test } from './house.mjs';
import { kill, ours } from './processes.mjs';
import { BOX } from './texts.mjs';
import { until } from './wait.mjs';

/** Waits until processes of this kind run that did not before. */
const anew = (command, before) =>
  until(`a new tandem ${command}`, () => ours(command).some((id) => !before.includes(id)), () => ours(command));

const server = file('server.py', BOX);
test('a server that is killed is started again, and ghost text comes as before', async (window) => {
  await window.open(server);
  await window.status('tandem: ready');
  const before = (await window.said()).length;
  const killed = kill('serve');
  assert.equal(killed.length, 1);
  await anew('serve', killed);
  // What it says of the one before does not count.
  await until('the status bar to hear of it', async () => (await window.said()).length > before, () => window.said());
  await window.status('tandem: ready');
  await window.type('ret');
  await window.ghost();
  assert.deepEqual(await window.messages(), []);
});

const engine = file('engine.py', BOX);
test('an engine that is killed is started again by the next key', async (window) => {
  await window.open(engine);
  await window.type('ret');
  await window.ghost();
  await window.press('Escape');
  const killed = kill('engine');
  assert.equal(killed.length, 1);
  await until('the engine to be gone', () => !ours('engine').includes(killed[0]));
  await window.type('urn');
  await anew('engine', killed);
  await window.ghost();
  await window.status('tandem: ready');
  assert.deepEqual(await window.messages(), []);
});

test('a server that does not stay up is left alone, and a click on the status bar starts it again', async (window) => {
  const READY = 'tandem: ready';
  const GIVEN_UP = 'tandem: the server has stopped';
  let now = '';
  while (now !== GIVEN_UP) {
    const before = (await window.said()).length;
    kill('serve');
    await until('the status bar to hear of it', async () => (await window.said()).length > before, () => window.said());
    await until('it to be started again or given up', async () => {
      now = await window.statusNow();
      return now === READY || now === GIVEN_UP;
    }, () => now);
  }
  await window.clickStatus();
  await window.status('tandem: ready');
  assert.equal(ours('serve').length, 1);
});
