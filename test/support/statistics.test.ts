import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { assertDrawnFrom, assertUniform, tally } from './statistics.ts';

describe('the chi-square test', () => {
  it('passes fair draws on nearly every seed', () => {
    let failures = 0;
    for (let seed = 0; seed < 300; seed++) {
      const rng = seededRng(seed);
      try {
        assertUniform(
          tally([0, 1, 2, 3, 4], 1000, () => rng.below(5)),
          'fair',
        );
      } catch {
        failures += 1;
      }
    }
    assert.ok(failures <= 1, `${failures} of 300 fair ones failed`);
  });

  it('fails draws that are off by a fifth', () => {
    const rng = seededRng(1);
    const counts = tally([0, 1], 10_000, () => (rng.next() < 0.6 ? 0 : 1));
    assert.throws(() => assertUniform(counts, 'unfair'), /unfair: chi-square/);
  });

  it('fails a draw that cannot be, and a sample too small to say', () => {
    assert.throws(() => assertDrawnFrom([1, 0], [99, 1], 'impossible'), /bin 1 must stay empty/);
    assert.throws(() => assertUniform([2, 2], 'small'), /too few draws/);
    assertDrawnFrom([1, 0], [100, 0], 'certain');
  });
});

it('a tally knows its keys', () => {
  assert.throws(() => tally(['a'], 1, () => 'b'), /b was drawn but is none of the keys/);
});
