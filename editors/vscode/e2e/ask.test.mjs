// Asking Claude: nothing leaves before a yes, the answer is seen while it comes, and edits are applied after a look.

import assert from 'node:assert/strict';
import { file, test } from './house.mjs';
import * as standIn from './stand_in.mjs';
import { until } from './wait.mjs';

const POOL = `def take(n):
    return n - 1


def drain(n):
    return take(n) + 1
`;
const CHANGED = POOL.replace('return n - 1', 'return n');

const pool = file('pool.py', POOL);
test('a question is sent after a look at the preview and a yes, and the answer is seen while it comes', async (window) => {
  await window.open(pool);
  await window.command('Tandem: Ask Claude about This');
  await window.answer('Ask Claude about this', 'why is this one too few?');
  await window.reads(/Nothing has been sent[^]*why is this one too few\?/);
  assert.deepEqual(await standIn.seen(), []);
  await window.message('Nothing is sent before you have chosen').waitFor();
  await window.shot('preview', 492);
  await window.click('Nothing is sent before you have chosen', /^Send to /);
  await window.reads(/Der Schl$/m);
  const sent = await standIn.seen();
  assert.equal(sent.length, 1);
  assert.match(JSON.stringify(sent[0]), /why is this one too few\?/);
  await standIn.goOn();
  await window.reads(/Der Schlüssel\./);
  await window.shot('answer', 492);
});

test('edits that Claude proposes are applied after a yes, and a tick in the refactor preview', async (window) => {
  await window.open(pool);
  await window.command('Tandem: Ask Claude to Change This');
  await window.answer('Ask Claude to change this', 'take none');
  // The other way to the choices: VS Code puts the message away after some seconds.
  await window.message('Nothing is sent before you have chosen').waitFor();
  await window.choose(/^Send This, Edit the List/, /^Send to /);
  await window.click('Claude proposes edits in 1 file', 'Apply');
  await window.refactor('pool.py');
  await window.message('tandem: 1 file changed').waitFor();
  await window.backToText();
  assert.equal(await window.saved(pool), CHANGED);
  assert.equal((await standIn.seen()).length, 2);
});
