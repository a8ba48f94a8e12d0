import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesPattern } from '../../gateway/routing/pattern.ts';
import { repetitions } from '../support/counts.ts';

/** The same without expressions: the first part at the start, the last at the end, the others in order between. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
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
