import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectEligible, isAnyInProspect } from '../../gateway/balance/eligible.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { newGate } from '../support/gates.ts';
import { newReplica, newReplicas, type ReplicaSpec } from '../support/replicas.ts';

const ejected = newGate({ state: 'ejected' });
const probing = newGate({ state: 'probing' });

function eligibleOf(replicas: readonly Replica[], notThese: readonly Replica[] = []): string[] {
  const into = [newReplica({ id: 'left over' })];
  collectEligible(replicas, notThese, into);
  return into.map(({ id }) => id);
}

describe('a replica is eligible', () => {
  it('when it is ready, not ejected, has a credit and is not ruled out', () => {
    const replicas = newReplicas({}, { slots: 1, inFlight: 1 }, { gate: probing });
    assert.deepEqual(eligibleOf(replicas), ['a', 'b', 'c']);
    assert.deepEqual(eligibleOf(replicas, [replicas[0]]), ['b', 'c']);
    assert.deepEqual(eligibleOf(replicas, replicas), []);
  });

  const reasons: readonly [string, ReplicaSpec][] = [
    ['it is starting', { standing: 'starting' }],
    ['it is unready', { standing: 'unready' }],
    ['it is draining', { standing: 'draining' }],
    ['its gate has ejected it', { gate: ejected }],
    ['its credits are used up', { slots: 1, inFlight: 2 }],
  ];
  for (const [reason, spec] of reasons) {
    it(`not when ${reason}`, () => {
      assert.deepEqual(eligibleOf(newReplicas(spec, {})), ['b']);
    });
  }
});

describe('waiting can help', () => {
  it('while a replica is busy or starting', () => {
    assert.equal(isAnyInProspect(newReplicas({ slots: 1, inFlight: 2 }, { standing: 'unready' }), []), true);
    assert.equal(isAnyInProspect(newReplicas({ standing: 'starting' }), []), true);
  });

  it('not when every replica is unready, draining, ejected or ruled out', () => {
    const replicas = newReplicas({ standing: 'unready' }, { standing: 'draining' }, { gate: ejected }, {});
    assert.equal(isAnyInProspect(replicas, []), true);
    assert.equal(isAnyInProspect(replicas, replicas.slice(3)), false);
    assert.equal(isAnyInProspect([], []), false);
  });
});
