import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Eligible, isAnyInProspect, soonestReturnMs } from '../../gateway/balance/eligible.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import type { EjectionCause } from '../../gateway/guard/gate.ts';
import { Dispatching } from '../support/dispatching.ts';
import { newGate } from '../support/gates.ts';
import { newReplica, newReplicas, type ReplicaSpec } from '../support/replicas.ts';

const ejected = newGate({ state: 'ejected' });
const probing = newGate({ state: 'probing' });

function eligibleOf(replicas: readonly Replica[], notThese: readonly Replica[] = []): string[] {
  const eligible = new Eligible();
  // Nothing of what was seen before is left.
  eligible.look(newReplicas({ id: 'left over' }, { id: 'unready', standing: 'unready' }), []);
  eligible.look(replicas, notThese);
  return eligible.list.map(({ id }) => id);
}

describe('the list of the eligible', () => {
  it('loses those that are taken off, and leaves the backend as it is', () => {
    const replicas = newReplicas({}, {}, {});
    const eligible = new Eligible();
    eligible.look(replicas, []);
    eligible.remove(replicas[1] as Replica);
    eligible.remove(replicas[0]);
    assert.deepEqual(
      eligible.list.map(({ id }) => id),
      ['c'],
    );
    assert.equal(replicas.length, 3);
    eligible.look(replicas, []);
    assert.equal(eligible.list.length, 3);
  });

  it('stands beside those that only lack a credit', () => {
    const replicas = newReplicas({ slots: 1, inFlight: 2 }, { slots: 1, inFlight: 2, standing: 'draining' }, {});
    const eligible = new Eligible();
    eligible.look(replicas, []);
    assert.deepEqual(
      eligible.full.map(({ id }) => id),
      ['a'],
    );
    eligible.look(replicas, [replicas[0]]);
    assert.deepEqual(eligible.full, []);
  });
});

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
    ['its probe is out', { gate: newGate({ state: 'probing', admits: false }) }],
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

/** A replica that has been asked to be left alone. */
function resting(spec: ReplicaSpec = {}, forMs = 2000): Replica {
  const replica = newReplica(spec);
  replica.state.rest.begin(forMs);
  return replica;
}

describe('a replica that rests', () => {
  it('is neither eligible nor in prospect', () => {
    assert.deepEqual(eligibleOf([resting(), newReplica({ id: 'b' })]), ['b']);
    assert.equal(isAnyInProspect([resting()], []), false);
    assert.equal(isAnyInProspect([resting(), newReplica({ slots: 1, inFlight: 2 })], []), true);
  });
});

describe('a replica whose probe is out', () => {
  it('can be waited for', () => {
    const probed = newReplica({ gate: newGate({ state: 'probing', admits: false }) });
    assert.equal(isAnyInProspect([probed], []), true);
  });
});

describe('with fewer than half of a backend left', () => {
  it('outliers get requests nevertheless, and no others that are ejected', () => {
    const replicas = newReplicas(
      {},
      out('outlier'),
      out('client_errors'),
      out('unreachable'),
      out('credential'),
      out('operator'),
    );
    assert.deepEqual(eligibleOf(replicas), ['a', 'b', 'c']);
    assert.deepEqual(eligibleOf(replicas, replicas.slice(1, 2)), ['a', 'c']);
    assert.equal(isAnyInProspect(replicas.slice(1), []), true);
    assert.equal(isAnyInProspect(replicas.slice(3), []), false);
  });

  it('whatever keeps the others away: they are unready, draining, or rest', () => {
    for (const gone of [newReplica({ standing: 'unready' }), newReplica({ standing: 'draining' }), resting()]) {
      const replicas = [newReplica({ id: 'x', ...out('outlier') }), gone];
      assert.deepEqual(eligibleOf(replicas), ['x'], gone.standing);
    }
  });

  it('an outlier that rests, is unready or has no credit is left alone', () => {
    const spec = out('outlier');
    const replicas = [
      resting(spec),
      newReplica({ ...spec, standing: 'unready' }),
      newReplica({ ...spec, id: 'full', slots: 1 }),
    ];
    for (const by of [1, 1] as const) replicas[2]?.slot.addInFlight(by);
    assert.deepEqual(eligibleOf(replicas), []);
    assert.equal(isAnyInProspect(replicas, []), true, 'the one without a credit can be waited for');
  });

  it('but not with half of it: outliers are then spared', () => {
    const replicas = newReplicas({}, {}, out('outlier'), out('outlier'));
    assert.deepEqual(eligibleOf(replicas), ['a', 'b']);
    assert.deepEqual(eligibleOf(replicas, replicas.slice(0, 2)), [], 'also to who has tried the others');
    const busy = newReplicas({ slots: 1, inFlight: 2 }, out('outlier'));
    assert.deepEqual(eligibleOf(busy), [], 'nor are busy ones gone');
  });
});

describe('the soonest return', () => {
  it('is that of the first replica whose rest and ejection are both over', () => {
    const ejectedUntil = (untilMs: number | null): ReplicaSpec => ({
      gate: newGate({ state: 'ejected', story: { reason: '', sinceMs: 0, untilMs } }),
    });
    assert.equal(soonestReturnMs([newReplica(), newReplica(ejectedUntil(null))]), null);
    assert.equal(soonestReturnMs(newReplicas(ejectedUntil(7000), ejectedUntil(3000), {})), 3000);
    const both = resting(ejectedUntil(9000));
    assert.equal(soonestReturnMs([both]), 9000);
    const rests = resting();
    assert.equal(soonestReturnMs([both, rests]), rests.state.rest.untilMs);
  });

  it('is not that of one which an operator has taken out, though it rests as well', () => {
    const operated = resting(out('operator'));
    assert.equal(soonestReturnMs([operated]), null);
    const drained = resting();
    drained.state.drain();
    assert.equal(soonestReturnMs([drained]), null);
  });
});

function out(cause: EjectionCause): ReplicaSpec {
  return { gate: newGate({ state: 'ejected', cause }) };
}

describe('replicas of unknown slots', () => {
  it('are mixed with others where both are eligible', () => {
    const areMixed = (...specs: readonly [ReplicaSpec, ...ReplicaSpec[]]): boolean => {
      const eligible = new Eligible();
      eligible.look(newReplicas(...specs), []);
      return eligible.areMixed;
    };
    assert.ok(areMixed({}, { slots: 4 }));
    const outlier = newGate({ state: 'ejected', cause: 'outlier' });
    assert.ok(areMixed({}, { gate: outlier, slots: 4 }, { gate: outlier, slots: 4 }), 'under panic, too');
    assert.ok(!areMixed({}, {}));
    assert.ok(!areMixed({ slots: 1 }, { slots: 4 }));
    assert.ok(!areMixed({}, { slots: 4, inFlight: 5 }), 'one without credit is compared with nobody');
  });

  it('are priced by what they seem to have in such a pick, and in it alone', () => {
    const seen: boolean[] = [];
    const watching: LoadSignal = {
      ...outstanding,
      newMeter: (place) => ({
        costOf: () => seen.push(place.isBesideKnown),
        begin: () => ({ report: () => {}, firstByte: () => {}, settle: () => {} }),
      }),
    };
    const replicas = newReplicas({ signal: watching }, { signal: watching, slots: 1 });
    const dispatching = new Dispatching(replicas);
    const seenBy = (notThese: readonly Replica[] = []): boolean[] => {
      seen.length = 0;
      dispatching.take(notThese).lease?.release('succeeded');
      return [...seen];
    };
    assert.deepEqual(seenBy(), [true, true]);
    assert.deepEqual(seenBy(replicas.slice(1)), [false]);
    assert.deepEqual(
      replicas.map(({ state }) => state.isBesideKnown),
      [false, false],
    );
  });
});
