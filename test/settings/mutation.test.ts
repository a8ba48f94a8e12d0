import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { ConfigError } from '../../gateway/settings/faults.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { pathsOf } from '../support/yaml-paths.ts';

const file = join(import.meta.dirname, '..', '..', 'config', 'gateway.yaml');
const original = readFileSync(file, 'utf8');
// A quick run repeats itself; the full one looks elsewhere every time, and prints its seed when it fails.
const settings = { numRuns: repetitions({ quick: 300, full: 10_000 }), ...(isFull ? {} : { seed: 1 }) };

const paths = pathsOf(parseDocument(original).contents);

const text = fc.oneof(
  fc.constantFrom(
    '',
    '*',
    'digits',
    '5',
    '5s',
    '-1s',
    '16MiB',
    'p2c',
    'http://h:1',
    'unix:/w',
    '/v2',
    '::',
    'no',
    '$$',
    '{',
  ),
  fc.constantFrom(
    `\${X}`,
    `\${X:-5}`,
    `\${X:-*x}`,
    `\${Y}`,
    'https://h',
    'worker-1',
    'a b',
    '__proto__',
    'package.json',
  ),
  fc.string(),
);
const scalar = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.double(), text);
const key = fc.oneof(
  fc.constantFrom('name', 'url', 'models', 'headers', 'port', 'backend', '__proto__', ''),
  fc.string(),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));

/** Loads a text, or else is told where in it the faults are: that is all that may happen. */
function loadsOrTells(changed: string): void {
  try {
    parseSettings(changed, file, { X: '1' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.faults.length > 0);
    const lines = changed.split('\n');
    for (const { line, column, got, wanted } of error.faults) {
      assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
      assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1, `column ${column} of line ${line}`);
      assert.ok(got !== '' && wanted !== '');
    }
  }
}

test('the configuration has enough nodes to change', () => {
  assert.ok(paths.length > 80, String(paths.length));
});

test('whatever a node is replaced by, the file loads or its faults are told with places in it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...paths), value, (path, replacement) => {
      const document = parseDocument(original);
      document.setIn(path, document.createNode(replacement));
      loadsOrTells(String(document));
    }),
    settings,
  );
});

test('whichever node is missing, the file loads or its faults are told with places in it', () => {
  for (const path of paths) {
    const document = parseDocument(original);
    document.deleteIn(path);
    loadsOrTells(String(document));
  }
});

test('whichever two nodes change places, the file loads or its faults are told with places in it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.constantFrom(...paths), (one, other) => {
      const document = parseDocument(original);
      const moved = document.getIn(one, true);
      document.setIn(one, document.getIn(other, true));
      // A node that holds the other has just been replaced by it.
      if (document.hasIn(other)) document.setIn(other, moved);
      loadsOrTells(String(document));
    }),
    settings,
  );
});

test('whatever is typed into the file, it loads or its faults are told with places in it', () => {
  const typed = fc.oneof(
    fc.constantFrom(...'{}[]:,#&*!|>%@`"\'?-\n\t$\\ ', '\r\n', '- ', ': ', '? ', '*x', '&x ', '---\n'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.nat(original.length), fc.nat(30), typed, (at, removed, added) => {
      loadsOrTells(original.slice(0, at) + added + original.slice(at + removed));
    }),
    settings,
  );
});
