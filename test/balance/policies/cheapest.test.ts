import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cheapest } from '../../../gateway/balance/policies/cheapest.ts';
import { priceOf } from '../../../gateway/balance/policy.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';
import { repetitions } from '../../support/counts.ts';
import { newReplicas } from '../../support/replicas.ts';
import { assertDrawnFrom, tally } from '../../support/statistics.ts';

const spec = fc.record({ weight: fc.constantFrom(1, 1, 2, 3), inFlight: fc.nat(6) });

describe('the cheapest', () => {
  it('is never dearer than any other, wherever it stands in the list', () => {
    fc.assert(
      fc.property(fc.nat(), spec, fc.array(spec, { maxLength: 64, size: 'max' }), (seed, first, others) => {
        const replicas = newReplicas(first, ...others);
        const chosen = cheapest(seededRng(seed)).pick(replicas, lightWork, 0);
        const lowest = Math.min(...replicas.map((one) => priceOf(one, lightWork, 0)));
        assert.equal(priceOf(chosen, lightWork, 0), lowest);
      }),
      { numRuns: repetitions({ quick: 200, full: 10_000 }) },
    );
  });

  it('is drawn evenly from those that are as cheap, and from no other', () => {
    const replicas = newReplicas({ inFlight: 2 }, {}, { inFlight: 1, weight: 2 }, { inFlight: 1 }, {}, {});
    const policy = cheapest(seededRng(4));
    const draws = repetitions({ quick: 20_000, full: 1_000_000 });
    const counts = tally(replicas, draws, () => policy.pick(replicas, lightWork, 0));
    assertDrawnFrom([0, 1 / 4, 1 / 4, 0, 1 / 4, 1 / 4], counts, 'four ties of six');
  });
});
