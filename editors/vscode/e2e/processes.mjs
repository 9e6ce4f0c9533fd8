// The processes that belong to this desk: found by what they were started as and by the desk's folder in their
// environment, so that nobody else's server is ever ended. Linux only (/proc).

import fs from 'node:fs';
import { DESK } from './place.mjs';

/** Ids of this desk's processes of `tandem serve` or `tandem engine`. */
export function ours(command) {
  const ids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => isOurs(id, command)).map(Number);
}

function isOurs(id, command) {
  try {
    const [program, word] = fs.readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
    if (!program.split('/').at(-1).startsWith('tandem') || word !== command) return false;
    return fs.readFileSync(`/proc/${id}/environ`, 'utf8').includes(DESK);
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return false;
  }
}

/** Ends them as a crash would. */
export function kill(command) {
  const ids = ours(command);
  for (const id of ids) process.kill(id, 'SIGKILL');
  return ids;
}
