import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../../loadtest/model-server/pace.ts';
import { repetitions } from '../../support/counts.ts';

test('without a slowing work takes what it takes', () => {
  assert.equal(new Pace([]).endAtMs(7, 5), 12);
});

test('a slowing that was there from the beginning and has no end slows everything', () => {
  const pace = new Pace([{ atMs: 0, untilMs: Number.POSITIVE_INFINITY, by: 20 }]);
  assert.equal(pace.endAtMs(7, 5), 107);
  const stopped = new Pace([{ atMs: 0, untilMs: Number.POSITIVE_INFINITY, by: Number.POSITIVE_INFINITY }]);
  assert.equal(stopped.endAtMs(7, 5), Number.POSITIVE_INFINITY);
});

test('slowings that overlap multiply', () => {
  const pace = new Pace([
    { atMs: 0, untilMs: 100, by: 2 },
    { atMs: 0, untilMs: Number.POSITIVE_INFINITY, by: 3 },
  ]);
  assert.equal(pace.endAtMs(0, 10), 60);
  assert.equal(pace.endAtMs(200, 10), 230);
});

test('work that nothing will ever be done about never ends, however little it is', () => {
  const pace = new Pace([{ atMs: 10, untilMs: Number.POSITIVE_INFINITY, by: Number.POSITIVE_INFINITY }]);
  assert.equal(pace.endAtMs(0, 10), 10);
  assert.equal(pace.endAtMs(0, 11), Number.POSITIVE_INFINITY);
  assert.equal(pace.endAtMs(20, 0), Number.POSITIVE_INFINITY);
});

test('work ends where a model that does it bit by bit ends it', () => {
  const slowing = fc.record({
    atMs: fc.integer({ min: 0, max: 20 }),
    forMs: fc.integer({ min: 1, max: 10 }),
    by: fc.constantFrom(1, 2, 4, Number.POSITIVE_INFINITY),
  });
  const span = fc.integer({ min: 0, max: 25 });
  const property = fc.property(fc.array(slowing, { maxLength: 4 }), span, span, (all, startAtMs, workMs) => {
    const slowings = all.map(({ atMs, forMs, by }) => ({ atMs, untilMs: atMs + forMs, by }));
    const bit = 1 / 256;
    let atMs = startAtMs;
    for (let leftMs = workMs; leftMs > 0; atMs += bit) {
      const on = slowings.filter((one) => atMs >= one.atMs && atMs < one.untilMs);
      leftMs -= bit / on.reduce((factor, { by }) => factor * by, 1);
    }
    // Without work it ends at once, but where everything stands still.
    if (workMs > 0) assert.equal(new Pace(slowings).endAtMs(startAtMs, workMs), atMs);
  });
  fc.assert(property, { numRuns: repetitions({ quick: 100, full: 2_000 }) });
});
