import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesPattern } from '../../gateway/routing/pattern.ts';
import { repetitions } from '../support/counts.ts';

/** The same by a regular expression, which takes for ever where a text fits badly. */
function fits(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 's').test(text);
}

describe('a pattern', () => {
  it('without a star fits itself alone', () => {
    assert.equal(matchesPattern('digits', 'digits'), true);
    for (const text of ['digits2', 'Digits', '', 'xdigits']) assert.equal(matchesPattern('digits', text), false);
  });

  it('of a star alone fits anything', () => {
    for (const text of ['', 'x', 'a/b\nc']) assert.equal(matchesPattern('*', text), true);
  });

  it('lets a star stand for any characters, slashes, line ends and none included', () => {
    assert.equal(matchesPattern('bert-*', 'bert-'), true);
    assert.equal(matchesPattern('bert-*', 'bert-base/v1\n2'), true);
    assert.equal(matchesPattern('*-*-q8', 'bert-base-q8'), true);
    assert.equal(matchesPattern('*-*-q8', 'bert-q8'), false);
    assert.equal(matchesPattern('bert-*', 'xbert-'), false);
  });

  it('takes every other character for itself', () => {
    for (const sign of '\\^$.|?+()[]{}/-') {
      assert.equal(matchesPattern(`a${sign}b*`, `a${sign}b!`), true, sign);
      assert.equal(matchesPattern(`a${sign}b*`, 'aab!'), false, sign);
    }
  });

  it('with many stars is done with a text that nearly fits before the sun has set', () => {
    assert.equal(matchesPattern('*-*-*-*-int8', `${'-'.repeat(16_000)}x`), false);
    assert.equal(matchesPattern(`${'*a'.repeat(50)}b`, 'a'.repeat(16_000)), false);
  });

  it('fits what it should, for any pattern and text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '\n'), maxLength: 12 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        assert.equal(matchesPattern(pattern, text), fits(pattern, text));
      }),
      { numRuns: repetitions({ quick: 2000, full: 100_000 }) },
    );
  });
});
