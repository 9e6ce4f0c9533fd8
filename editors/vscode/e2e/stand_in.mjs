// Claude's stand-in, which runs in the program that started these tests: a line asks it, a line is its answer.

import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
// Waiting for a line must not keep these tests from ending.
process.stdin.unref?.();

async function ask(what) {
  process.stdin.ref?.();
  process.stdout.write(`@${what}\n`);
  const { value } = await lines.next();
  process.stdin.unref?.();
  return JSON.parse(value);
}

/** The bodies of all requests so far. */
export const seen = () => ask('seen');

/** Lets an answer that has stopped in the middle go on. */
export const goOn = () => ask('go on');
