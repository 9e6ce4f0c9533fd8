// The server's journal of suggestions on this desk: what it knows to have become of them.

import fs from 'node:fs';
import path from 'node:path';

const FILE = path.join(process.env.TANDEM_DATA_DIR, 'journal', 'journal.jsonl');

/** All entries of a kind: `shown`, `accepted`, `turned_down`. */
export function journal(event) {
  if (!fs.existsSync(FILE)) return [];
  const lines = fs.readFileSync(FILE, 'utf8').split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).filter((entry) => entry.event === event);
}
