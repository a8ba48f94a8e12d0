import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byPrefix, bySession, withAffinity } from '../../gateway/balance/affinity.ts';
import { cheapest } from '../../gateway/balance/policies/cheapest.ts';
import type { NonEmpty, Policy } from '../../gateway/balance/policy.ts';
import { PrefixPlaces } from '../../gateway/balance/prefix-places.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import type { Work } from '../../gateway/balance/work.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { hold, newReplicas } from '../support/replicas.ts';
import { assertUniform } from '../support/statistics.ts';

const bound = 1.25;
const prefixed = (...prefix: number[]): Work => ({ ...lightWork, prefix });
const ofSession = (sessionKey: string): Work => ({ ...lightWork, sessionKey });
const byBeginning = (): Policy => withAffinity(cheapest(seededRng(1)), byPrefix(new PrefixPlaces(1000)), bound);
const bySessions = withAffinity(cheapest(seededRng(1)), bySession, bound);
const four = (): NonEmpty<Replica> => newReplicas({}, {}, {}, {});

/** A price that does not go by what is in flight. */
const priced = (price: number): LoadSignal => ({
  name: `${price}`,
  unit: 'ms',
  newMeter: () => ({ costOf: () => price, begin: () => ({ report() {}, firstByte() {}, settle() {} }) }),
});

describe('affinity by prefix', () => {
  it('keeps a conversation where it began, and lets others go where the policy says', () => {
    const replicas = four();
    const policy = byBeginning();
    const first = policy.pick(replicas, prefixed(1, 2), 0);
    const held = hold(first);
    const said = [1, 2];
    for (let turn = 3; turn < 30; turn++) {
      said.push(turn);
      assert.equal(policy.pick(replicas, prefixed(...said), 0), first);
      assert.equal(policy.preference, 'affinity');
    }
    assert.notEqual(policy.pick(replicas, prefixed(999), 0), first);
    assert.equal(policy.preference, null);
    assert.notEqual(policy.pick(replicas, prefixed(), 0), first);
    assert.notEqual(policy.pick(replicas, lightWork, 0), first);
    held.release('succeeded');
  });

  it('follows a conversation that had to go elsewhere', () => {
    const [a, b, ...others] = four();
    const policy = byBeginning();
    assert.ok(a !== undefined && b !== undefined && others.length === 2);
    policy.pick([a], prefixed(1), 0);
    assert.equal(policy.pick([b], prefixed(1, 2), 0), b);
    for (let n = 0; n < 5; n++) assert.equal(policy.pick([a, b, ...others], prefixed(1, 2, 3), 0), b);
  });

  it('gives a replica no more than its bound of what is in flight, rounded up', () => {
    const replicas = four();
    const policy = byBeginning();
    const counts = new Map<Replica, number>();
    for (let n = 0; n < 200; n++) {
      const chosen = policy.pick(replicas, prefixed(1, n + 2), 0);
      const most = Math.ceil((bound * (n + 1)) / 4) + 1;
      hold(chosen);
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
      for (const { slot } of replicas) assert.ok(slot.inFlight <= most, `${slot.inFlight} of ${n + 1}`);
    }
  });

  it('is given up where the preferred costs more than three times the cheapest, and what is below 20 ms counts for that', () => {
    for (const [price, isKept] of [
      [300, true],
      [60, true],
      [301, false],
    ] as const) {
      const replicas = newReplicas(
        { signal: priced(price) },
        { signal: priced(price === 60 ? 1 : 100) },
        { signal: priced(200) },
      );
      const policy = byBeginning();
      policy.pick([replicas[0]], prefixed(1), 0);
      assert.equal(policy.pick(replicas, prefixed(1, 2), 0), replicas[isKept ? 0 : 1]);
    }
  });
});

describe('affinity by session', () => {
  const sessions = Array.from({ length: 4000 }, (_, n) => ofSession(`session ${n}`));
  const placesOf = (replicas: NonEmpty<Replica>): Replica[] =>
    sessions.map((work) => bySessions.pick(replicas, work, 0));

  it('spreads sessions evenly, by weight, and each always goes to the same replica', () => {
    const replicas = four();
    const places = placesOf(replicas);
    assert.deepEqual(placesOf(replicas), places);
    assertUniform(
      replicas.map((replica) => places.filter((one) => one === replica).length),
      'sessions',
    );
    const heavy = newReplicas({ weight: 3 }, {});
    const share = placesOf(heavy).filter((one) => one === heavy[0]).length / sessions.length;
    assert.ok(Math.abs(share - 0.75) < 0.03, `${share}`);
  });

  it('moves the sessions of a replica that leaves, and no others; one that comes takes its share and no more', () => {
    const [a, b, c, d] = four();
    assert.ok(b !== undefined && c !== undefined && d !== undefined);
    const before = placesOf([a, b, c, d]);
    const after = placesOf([a, b, d]);
    for (const [at, place] of before.entries()) if (place !== c) assert.equal(after[at], place);
    assertUniform(
      [a, b, d].map((replica) => after.filter((one, at) => one === replica && before[at] === c).length),
      'those that moved',
    );
  });

  it('leaves a replica that is too full, and a request without a session, to the policy', () => {
    const replicas = four();
    const work = ofSession('s');
    const own = bySessions.pick(replicas, work, 0);
    for (let n = 0; n < 8; n++) hold(own);
    assert.notEqual(bySessions.pick(replicas, work, 0), own);
    assert.notEqual(bySessions.pick(replicas, lightWork, 0), own);
  });
});
