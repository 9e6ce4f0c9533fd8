// Ghost text under a person's hands: seen, taken, typed along, gone through, turned down.

import assert from 'node:assert/strict';
import { file, test } from './house.mjs';
import { journal } from './journal.mjs';
import { BOX, MENU } from './texts.mjs';
import { until } from './wait.mjs';

const taken = file('taken.py', BOX);
test('what is typed brings ghost text, and Tab takes it exactly once', async (window) => {
  await window.open(taken);
  const before = journal('accepted').length;
  await window.type('ret');
  const ghost = await window.ghost();
  await window.shot('ghost_text', 260);
  await window.press('Tab');
  await window.noGhost();
  assert.equal(await window.saved(taken), `${BOX}ret${ghost}`);
  await until('the server to hear of it', () => journal('accepted').length > before);
  assert.equal(journal('accepted').length, before + 1);
});

const along = file('along.py', BOX);
test('typing along ghost text keeps it, key by key', async (window) => {
  await window.open(along);
  await window.type('ret');
  let rest = await window.ghost();
  for (let key = 0; key < 4; key++) {
    await window.type(rest[0]);
    rest = rest.slice(1);
    await window.ghost(`ghost text to be ${rest}`, (text) => text === rest);
  }
});

const cycled = file('cycled.py', BOX);
test('Alt+\\ asks, Alt+] and Alt+[ go through what else it could be, and Tab takes what is seen', async (window) => {
  await window.open(cycled);
  await window.press('Alt+\\');
  const first = await window.ghost();
  await window.press('Alt+]');
  const second = await window.ghost('another suggestion', (text) => text !== first);
  await window.press('Alt+[');
  await window.ghost('the first suggestion again', (text) => text === first);
  await window.press('Alt+]');
  await window.ghost('the other one again', (text) => text === second);
  await window.press('Tab');
  await window.noGhost();
  assert.equal(await window.saved(cycled), BOX + second);
});

const words = file('words.py', BOX);
test('Ctrl+→ takes a word and leaves the rest as ghost text', async (window) => {
  await window.open(words);
  await window.type('ret');
  const ghost = await window.ghost();
  await window.press('Control+ArrowRight');
  const rest = await window.ghost('less ghost text', (text) => text !== ghost && ghost.endsWith(text));
  const word = ghost.slice(0, ghost.length - rest.length);
  assert.match(word, /^\w+ ?$/);
  assert.equal(await window.saved(words), `${BOX}ret${word}`);
});

const turnedDown = file('turned_down.py', BOX);
test('Esc puts ghost text away and changes nothing', async (window) => {
  await window.open(turnedDown);
  await window.type('ret');
  await window.ghost();
  await window.press('Escape');
  await window.noGhost();
  assert.equal(await window.saved(turnedDown), `${BOX}ret`);
});

const menu = file('menu.ts', MENU);
test('beside an open menu, ghost text goes on from the entry that is chosen there', async (window) => {
  await window.open(menu);
  await window.type('  return 2 * (box.');
  await window.openMenu();
  const one = await window.menuEntry();
  await window.ghost(`ghost text that goes on from ${one}`, (text) => text.startsWith(one));
  await window.press('ArrowDown');
  const other = await window.menuEntry((entry) => entry !== one);
  await window.ghost(`ghost text that goes on from ${other}`, (text) => text.startsWith(other));
  await window.shot('menu', 320);
  // The first Tab takes the entry, and the ghost text goes on from there.
  await window.press('Tab');
  await window.menuClosed();
  assert.match(await window.saved(menu), new RegExp(`\\(box\\.${other}\\)?$`));
});
