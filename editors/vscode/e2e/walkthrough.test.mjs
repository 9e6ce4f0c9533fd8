// The walkthrough: its first steps say what is so, and what is chosen there is done.

import { test } from './house.mjs';

test('the walkthrough knows that there is a model, and checks it', async (window) => {
  await window.closeAll();
  await window.clearMessages();
  await window.command('Tandem: Open Walkthrough');
  await window.stepIsDone('model');
  await window.step('check');
  await window.page.getByRole('button', { name: 'Check the model', exact: true }).click();
  await window.message(/qwen2\.5-coder-0\.5b is whole: \d+ bytes/).waitFor();
  await window.stepIsDone('check');
});
