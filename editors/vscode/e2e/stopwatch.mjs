// From a key to ghost text, in ms, by the browser's own clock. In: a window, and somebody typing in the last line of a
// text. Out: for each key that had ghost text before the next one, how long it took. The document counts, not the
// screen's next frame, which is 16 ms later at most.

import { EDITOR } from './window.mjs';

/** `[{ ms, anew }]`; `anew` where there was no ghost text before the key. */
export async function timed(window, typing) {
  await window.page.evaluate((editor) => {
    const look = () => {
      const lines = [...document.querySelectorAll(`${editor} .view-lines .view-line`)];
      const last = lines.reduce((a, b) => (b.offsetTop > a.offsetTop ? b : a));
      const ghost = last.querySelector('[class*="ghost-text"]') !== null;
      const own = [...last.querySelectorAll('span')].filter((part) => part.childElementCount === 0 && !part.className.includes('ghost-text'));
      return { ghost, text: lines.length + own.map((part) => part.textContent).join('') };
    };
    let key;
    const times = [];
    const pressed = (event) => { key = { at: event.timeStamp, before: look() }; };
    const seen = new MutationObserver(() => {
      const now = look();
      if (key === undefined || !now.ghost || now.text === key.before.text) return;
      times.push({ ms: performance.now() - key.at, anew: !key.before.ghost });
      key = undefined;
    });
    globalThis.addEventListener('keydown', pressed, true);
    seen.observe(document.querySelector(editor), { subtree: true, childList: true, characterData: true });
    globalThis.measured = () => {
      globalThis.removeEventListener('keydown', pressed, true);
      seen.disconnect();
      return times;
    };
  }, EDITOR);
  await typing();
  return window.page.evaluate(() => globalThis.measured());
}
