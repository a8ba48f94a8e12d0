import assert from 'node:assert/strict';

/** How far out a result may lie: 4 standard deviations, which chance alone exceeds once in 30,000 tests. */
const deviations = 4;

/**
 * Fails unless the counts could come from draws with these probabilities (Pearson's chi-square; the bound for any number of bins
 * by Wilson and Hilferty, 1931). A bin of probability 0 must be empty.
 */
export function assertDrawnFrom(shares: readonly number[], counts: readonly number[], context: string): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let chiSquare = 0;
  let freedom = -1;
  for (const [at, share] of shares.entries()) {
    const count = counts[at] ?? 0;
    if (share === 0) {
      assert.equal(count, 0, `${context}: bin ${at} must stay empty`);
      continue;
    }
    const expected = share * total;
    assert.ok(expected >= 5, `${context}: too few draws for a chi-square test`);
    chiSquare += (count - expected) ** 2 / expected;
    freedom += 1;
  }
  // All in one bin: that the others are empty has been seen.
  if (freedom <= 0) return;
  const spread = 2 / (9 * freedom);
  const bound = freedom * (1 - spread + deviations * Math.sqrt(spread)) ** 3;
  const seen = counts.length <= 16 ? ` for ${counts.join(', ')}` : '';
  assert.ok(chiSquare <= bound, `${context}: chi-square ${chiSquare.toFixed(1)} exceeds ${bound.toFixed(1)}${seen}`);
}

/** The same for bins that are all as likely. */
export function assertUniform(counts: readonly number[], context: string): void {
  assertDrawnFrom(
    counts.map(() => 1 / counts.length),
    counts,
    context,
  );
}

/** How often each of the keys was drawn, in the order of the keys. */
export function tally<Key>(keys: readonly Key[], draws: number, draw: () => Key): number[] {
  const counts = new Map<Key, number>(keys.map((key) => [key, 0]));
  for (let n = 0; n < draws; n++) {
    const key = draw();
    const count = counts.get(key);
    assert.notEqual(count, undefined, `${String(key)} was drawn but is none of the keys`);
    counts.set(key, (count ?? 0) + 1);
  }
  return [...counts.values()];
}
