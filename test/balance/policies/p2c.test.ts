import { describe, it } from 'node:test';
import { p2c } from '../../../gateway/balance/policies/p2c.ts';
import type { NonEmpty } from '../../../gateway/balance/policy.ts';
import type { Replica } from '../../../gateway/balance/replica.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';
import { repetitions } from '../../support/counts.ts';
import { newReplicas } from '../../support/replicas.ts';
import { assertDrawnFrom, tally } from '../../support/statistics.ts';

const draws = repetitions({ quick: 30_000, full: 1_000_000 });

/** Picks while the load stays as it is, against the closed form. */
function assertShares(replicas: NonEmpty<Replica>, shares: readonly number[], context: string): void {
  const policy = p2c(seededRng(9));
  assertDrawnFrom(
    shares,
    tally(replicas, draws, () => policy.pick(replicas, lightWork, 0)),
    context,
  );
}

describe('the power of two choices', () => {
  it('never takes the one busy replica, since it draws two that differ', () => {
    assertShares(newReplicas({ inFlight: 1 }, {}, {}), [0, 1 / 2, 1 / 2], 'one of three busy');
    assertShares(newReplicas({}, { inFlight: 1 }), [1, 0], 'one of two busy');
  });

  it('takes one of k busy among n with a probability of k(k-1) / n(n-1)', () => {
    const replicas = newReplicas({ inFlight: 1 }, { inFlight: 1 }, {}, {}, {});
    assertShares(replicas, [0.05, 0.05, 0.3, 0.3, 0.3], 'two of five busy');
  });

  it('takes the one with r cheaper than it among n with a probability of 2(n-1-r) / n(n-1)', () => {
    const replicas = newReplicas({ inFlight: 3 }, { inFlight: 1 }, { inFlight: 0 }, { inFlight: 2 });
    assertShares(replicas, [0, 2 / 6, 3 / 6, 1 / 6], 'four different loads');
  });

  it('compares prices by weight', () => {
    assertShares(newReplicas({ inFlight: 3, weight: 5 }, { inFlight: 0 }), [1, 0], '4/5 against 1');
    assertShares(newReplicas({ inFlight: 3, weight: 4 }, { inFlight: 0 }), [1 / 2, 1 / 2], '4/4 against 1');
  });
});
