import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { ConfigError } from '../../../gateway/settings/faults.ts';
import { readText, root } from '../../conventions/sources.ts';
import { isFull, repetitions } from '../../support/counts.ts';
import { pathsOf } from '../../support/yaml-paths.ts';
import { load } from './yaml.ts';

const originals = globSync('loadtest/scenarios/*.yaml', { cwd: root }).map(readText);
// A quick run repeats itself; the full one looks elsewhere every time, and prints its seed when it fails.
const settings = { numRuns: repetitions({ quick: 300, full: 10_000 }), ...(isFull ? {} : { seed: 1 }) };

const places = originals.flatMap((text) => pathsOf(parseDocument(text).contents).map((path) => ({ text, path })));

const scalar = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 0.5, 1e9, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 'even', '', 't.csv'),
  fc.constantFrom(
    '0s',
    '5s',
    '5/s',
    '5%',
    '1KiB/s',
    'trace',
    'step',
    'zipf',
    'open-inference',
    'http://h',
    'p99<1s',
    '*',
  ),
  fc.string(),
);
const key = fc.constantFrom('kind', 'rate', 'file', 'chat', 'from', 'url', '__proto__', '');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
}));

/** Loads a text, or else is told where in it the faults are: that is all that may happen. */
function loadsOrTells(changed: string): void {
  try {
    load(changed);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.faults.length > 0);
    const lines = changed.split('\n');
    for (const { line, column, got, wanted } of error.faults) {
      assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
      assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1, `column ${column} of line ${line}`);
      assert.ok(got !== '' && wanted !== '' && !wanted.startsWith('Invalid input'), wanted);
    }
  }
}

test('the examples have enough nodes to change', () => {
  assert.ok(places.length > 150, String(places.length));
});

test('whatever a node of a scenario is replaced by, it loads or its faults are told with places in it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...places), value, ({ text, path }, replacement) => {
      const document = parseDocument(text);
      document.setIn(path, document.createNode(replacement));
      loadsOrTells(String(document));
    }),
    settings,
  );
});

test('whichever node of a scenario is missing, it loads or its faults are told with places in it', () => {
  for (const { text, path } of places) {
    const document = parseDocument(text);
    document.deleteIn(path);
    loadsOrTells(String(document));
  }
});
