import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silence } from '../../gateway/balance/load-report.ts';
import { nearFirst } from '../../gateway/balance/near-first.ts';
import { cheapest } from '../../gateway/balance/policies/cheapest.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { expectedCompletion } from '../../gateway/balance/signals/expected-completion.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { hold, newReplicas } from '../support/replicas.ts';

const policy = nearFirst(cheapest(seededRng(1)), 'edge');
const pick = (replicas: readonly [Replica, ...Replica[]]): Replica => policy.pick(replicas, lightWork, 0);

describe('near first', () => {
  it('takes a near replica that has nothing to do, and counts those of no zone among the near', () => {
    const replicas = newReplicas({ zone: 'far' }, { zone: 'edge', inFlight: 1 }, {}, { zone: 'far' });
    assert.equal(pick(replicas), replicas[2]);
    assert.equal(policy.preference, 'zone');
  });

  it('lets the policy choose among the near while the cheapest costs at most twice as much as the cheapest of the far', () => {
    const replicas = newReplicas({ zone: 'far' }, { zone: 'edge', inFlight: 1 }, { zone: 'edge', inFlight: 2 });
    assert.equal(pick(replicas), replicas[1]);
    hold(replicas[1] as Replica);
    assert.equal(pick(replicas), replicas[0]);
    assert.equal(policy.preference, null);
    hold(replicas[0]);
    assert.notEqual(pick(replicas), replicas[0]);
  });

  it('keeps everything near while there is a free slot, and shares what is more, where prices are expected completions', () => {
    const zones = ['edge', 'edge', 'far', 'far'] as const;
    const specs = zones.map((zone) => ({ zone, slots: 4, signal: expectedCompletion }));
    const [first, ...others] = specs;
    assert.ok(first !== undefined);
    const replicas = newReplicas(first, ...others);
    for (const replica of replicas) {
      const lease = hold(replica);
      lease.report({ ...silence, serviceSeconds: 0.1 });
      lease.release('succeeded');
    }
    const chosen = Array.from({ length: 16 }, () => {
      const replica = pick(replicas);
      hold(replica);
      return replica.zone;
    });
    assert.deepEqual(
      chosen.slice(0, 8),
      Array.from({ length: 8 }, () => 'edge'),
    );
    const far = chosen.slice(8).filter((zone) => zone === 'far').length;
    assert.ok(far > 2, `${far} of the 8 beyond`);
  });

  it('goes by the policy alone where all are near, or all are far', () => {
    const far = newReplicas({ zone: 'far', inFlight: 1 }, { zone: 'farther' });
    assert.equal(pick(far), far[1]);
    const near = newReplicas({ zone: 'edge', inFlight: 1 }, {});
    assert.equal(pick(near), near[1]);
    assert.equal(policy.preference, null);
  });
});
