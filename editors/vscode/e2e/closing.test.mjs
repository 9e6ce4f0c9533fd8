// What is left when the window goes: the last test, since it closes what all others share.

import { test } from './house.mjs';
import { ours } from './processes.mjs';
import { until } from './wait.mjs';

test('when the window is closed its server ends, and then the engine that nobody uses', async (window) => {
  await until('a server', () => ours('serve').length === 1);
  // VS Code asks whether to leave, where it has something to lose.
  window.page.once('dialog', (question) => question.accept());
  await window.page.close({ runBeforeUnload: true });
  await until('the window to be closed', () => window.page.isClosed());
  await until('the end of the server', () => ours('serve').length === 0, () => ours('serve'));
  await until('the end of the engine', () => ours('engine').length === 0, () => ours('engine'));
});
