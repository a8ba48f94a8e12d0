import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Lease } from '../../gateway/balance/lease.ts';
import { isNonEmpty, type NonEmpty, type Policy } from '../../gateway/balance/policy.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { repetitions } from '../support/counts.ts';
import { hold, newReplica, type ReplicaSpec } from '../support/replicas.ts';
import { assertUniform, tally } from '../support/statistics.ts';

interface Balancing {
  readonly signal: LoadSignal;
  newPolicy(rng: Rng): Policy;
}

interface Claims {
  /** Whether a replica of weight 2 carries twice as much as one of weight 1. It does, unless the policy says otherwise. */
  readonly respectsWeights?: boolean;
}

const work = lightWork;

/** Replicas in any state that the dispatcher can show to a policy. */
const specs = fc.array(
  fc.record({
    weight: fc.constantFrom(1, 1, 1, 2, 5, 0.1, 100),
    slots: fc.constantFrom(null, 1, 8),
    inFlight: fc.nat(5),
  }),
  { minLength: 1, maxLength: 12 },
);

const numRuns = repetitions({ quick: 100, full: 5000 });

/** What every policy keeps to, whatever it decides by. Run it on each entry of the registry, and on a policy of your own. */
export function policySuite(name: string, { signal, newPolicy }: Balancing, claims: Claims = {}): void {
  const make = (all: readonly ReplicaSpec[]): NonEmpty<Replica> => {
    const replicas = all.map((spec, at) => newReplica({ id: `r${at}`, signal, ...spec }));
    return isNonEmpty(replicas) ? replicas : assert.fail('no replicas');
  };

  describe(`policy ${name}`, () => {
    it('picks one of the eligible replicas, also while they come and go', () => {
      fc.assert(
        fc.property(fc.nat(), specs, fc.array(fc.array(fc.nat(11), { minLength: 1 })), (seed, all, lists) => {
          const policy = newPolicy(seededRng(seed));
          const replicas = make(all);
          for (const list of [replicas.map((_, at) => at), ...lists]) {
            const eligible = [...new Set(list.map((at) => replicas[at % replicas.length] ?? replicas[0]))];
            if (isNonEmpty(eligible)) assert.ok(eligible.includes(policy.pick(eligible, work, 0)));
          }
        }),
        { numRuns },
      );
    });

    it('picks the only one there is', () => {
      for (const weight of [0.1, 1, 7]) {
        const eligible = make([{ weight }]);
        const policy = newPolicy(seededRng(1));
        for (let n = 0; n < 10; n++) assert.equal(policy.pick(eligible, work, 0), eligible[0]);
      }
    });

    it('picks the same on the same seed', () => {
      fc.assert(
        fc.property(fc.nat(), specs, (seed, all) => {
          const sequences = [1, 2].map(() => {
            const policy = newPolicy(seededRng(seed));
            const replicas = make(all);
            return Array.from({ length: 30 }, () => {
              const chosen = policy.pick(replicas, work, 0);
              hold(chosen);
              return chosen.id;
            });
          });
          assert.deepEqual(sequences[0], sequences[1]);
        }),
        { numRuns },
      );
    });

    it('leaves the list as it is, and the load as well', () => {
      fc.assert(
        fc.property(fc.nat(), specs, (seed, all) => {
          const policy = newPolicy(seededRng(seed));
          const eligible = make(all);
          const before = [...eligible];
          const loadBefore = eligible.map(({ slot }) => slot.inFlight);
          Object.freeze(eligible);
          for (let n = 0; n < 5; n++) policy.pick(eligible, work, 0);
          assert.deepEqual([...eligible], before);
          assert.deepEqual(
            eligible.map(({ slot }) => slot.inFlight),
            loadBefore,
          );
        }),
        { numRuns },
      );
    });

    it('does not keep the list, which is filled anew for every pick', () => {
      const policy = newPolicy(seededRng(3));
      const lists = [make([{}, {}, {}]), make([{}, {}]), make([{}, {}, {}, {}])];
      const reused: Replica[] = [];
      for (let n = 0; n < 300; n++) {
        const list = lists[n % lists.length] ?? assert.fail();
        reused.length = 0;
        reused.push(...list);
        const chosen = isNonEmpty(reused) ? policy.pick(reused, work, 0) : assert.fail();
        assert.ok(list.includes(chosen), 'a replica of an earlier list was picked');
      }
    });

    it('spreads work evenly over replicas that are alike, so that ties go to no favourite', () => {
      for (const count of [2, 3, 8]) {
        const policy = newPolicy(seededRng(count));
        const replicas = make(Array(count).fill({}));
        const draws = repetitions({ quick: 8000, full: 400_000 });
        const counts = tally(replicas, draws, () => policy.pick(replicas, work, 0));
        assertUniform(counts, `${name}, ${count} idle replicas`);
      }
    });

    if (claims.respectsWeights !== false) {
      it('sends each replica its share by weight when much is in flight, to 5 parts in 100', () => {
        const weights = [1, 2, 4];
        const shares = sharesInClosedLoop(newPolicy(seededRng(11)), make(weights.map((weight) => ({ weight }))));
        for (const [at, weight] of weights.entries()) {
          const wanted = weight / 7;
          const share = shares[at] ?? 0;
          assert.ok(Math.abs(share - wanted) <= 0.05, `weight ${weight}: share ${share}, wanted ${wanted}`);
        }
      });
    }
  });
}

/** The share of the requests that each replica gets while 70 are always in flight and end in the order they were sent. */
function sharesInClosedLoop(policy: Policy, replicas: NonEmpty<Replica>): number[] {
  const leases: Lease[] = [];
  const requests = 20_000;
  const counts = tally(replicas, requests, () => {
    if (leases.length >= 70) leases.shift()?.release('succeeded');
    const chosen = policy.pick(replicas, work, 0);
    leases.push(hold(chosen, work));
    return chosen;
  });
  return counts.map((count) => count / requests);
}
