import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '..', 'RESULTS.md');
const begin = '<!-- figures: written by npm run bench -- --write -->';
const end = '<!-- end of the figures -->';

/** Puts figures into loadtest/RESULTS.md in the place of those there; what stands around them is written by people. */
export function writeResults(figures: string): void {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file}: wanted a line ${begin}, and after it ${end}`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${figures}\n\n${text.slice(to)}`);
}
