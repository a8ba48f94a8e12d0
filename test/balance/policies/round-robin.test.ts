import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundRobin } from '../../../gateway/balance/policies/round-robin.ts';
import type { NonEmpty } from '../../../gateway/balance/policy.ts';
import type { Replica } from '../../../gateway/balance/replica.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';
import { newReplicas } from '../../support/replicas.ts';
import { tally } from '../../support/statistics.ts';

function sequence(replicas: NonEmpty<Replica>, length: number): string {
  const policy = roundRobin();
  return Array.from({ length }, () => policy.pick(replicas, lightWork, 0).id).join(' ');
}

describe('round robin', () => {
  it('takes replicas of equal weight in turn, whatever they have in flight', () => {
    assert.equal(sequence(newReplicas({ inFlight: 9 }, {}, { inFlight: 3 }), 7), 'a b c a b c a');
  });

  it('spreads weights 5, 1, 1 as smoothly as nginx does', () => {
    assert.equal(sequence(newReplicas({ weight: 5 }, { weight: 1 }, { weight: 1 }), 14), 'a a b a c a a a a b a c a a');
  });

  it('gives each its exact share in every round', () => {
    const weights = [3, 1, 7, 2, 5];
    const [first, ...others] = weights.map((weight) => ({ weight }));
    const replicas = newReplicas(first ?? {}, ...others);
    const policy = roundRobin();
    for (let round = 0; round < 50; round++)
      assert.deepEqual(
        tally(replicas, 18, () => policy.pick(replicas, lightWork, 0)),
        weights,
      );
  });

  it('has nobody make up for the time it was not eligible', () => {
    const [a, b = a] = newReplicas({}, {});
    const policy = roundRobin();
    for (let n = 0; n < 100; n++) policy.pick([a], lightWork, 0);
    const counts = tally([a, b], 10, () => policy.pick([a, b], lightWork, 0));
    assert.deepEqual(counts, [5, 5]);
  });
});
