// How long a key takes to ghost text on the screen. Measured and said, never judged: a slow machine is no fault.
//
// In the page itself: from the browser's time of the key event to the change of the document that shows the key's
// letter with ghost text behind it. A key counts where that comes before the next key.

import assert from 'node:assert/strict';
import { file, test } from './house.mjs';
import { timed } from './stopwatch.mjs';
import { BOX } from './texts.mjs';

/** Typed without a look at what is suggested. */
const TYPED = 'width = self.width\nheight = self.height\nreturn 2 * (width + height)';
/** Milliseconds from key to key, of somebody who types well: 60 words of 5 letters a minute. */
const PACE = 200;

const typed = file('typed.py', BOX);
test('who types on has written exactly that, and from key to ghost text it takes as long as is said here', async (window) => {
  await window.open(typed);
  await window.status('tandem: ready');
  const times = await timed(window, () => window.type(TYPED, PACE));
  assert.equal(await window.saved(typed), BOX + TYPED.replaceAll('\n', '\n        '));
  const anew = times.filter((key) => key.anew);
  const how = `${TYPED.length} keys typed, one every ${PACE} ms`;
  console.log(`VS Code key to ghost text: ${p50(times)} (${how})`);
  console.log(`  of these where there was none before the key: ${p50(anew)}`);
});

function p50(times) {
  // On a machine with other work to do, a key may come before the ghost text of the one before, again and again.
  if (times.length === 0) return 'no key had any before the next key';
  const sorted = times.map((key) => key.ms).sort((a, b) => a - b);
  return `p50 ${Math.round(sorted[Math.floor(sorted.length / 2)])} ms over ${times.length} keys`;
}
