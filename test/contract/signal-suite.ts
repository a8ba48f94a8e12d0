import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Lease } from '../../gateway/balance/lease.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { LoadSignal, Outcome } from '../../gateway/balance/signal.ts';
import type { Work } from '../../gateway/balance/work.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { repetitions } from '../support/counts.ts';
import { hold, newReplica } from '../support/replicas.ts';

const outcomes: readonly Outcome[] = ['succeeded', 'failed', 'refused', 'abandoned'];
const work: fc.Arbitrary<Work> = fc
  .oneof(fc.integer({ min: 1, max: 64 }), fc.nat())
  .map((rows) => ({ ...lightWork, rows }));

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const), work }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('first byte' as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(20),
      as: fc.constantFrom(...outcomes),
    }),
  },
);
const history = fc.array(step, { maxLength: 60, size: 'max' });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const numRuns = repetitions({ quick: 100, full: 5000 });

/** What every signal's meters keep to. Tickets are begun and settled by leases, as the gateway does. */
export function signalSuite(signal: LoadSignal): void {
  describe(`signal ${signal.name}`, () => {
    it('prices any work at any time at a finite number of at least 0', () => {
      fc.assert(
        fc.property(history, work, (steps, asked) => {
          const replica = newReplica({ signal });
          play(replica, steps, () => {
            const cost = replica.meter.costOf(asked, 0);
            assert.ok(Number.isFinite(cost) && cost >= 0, `cost ${cost}`);
          });
        }),
        { numRuns },
      );
    });

    it('costs what it cost before when all tickets have settled that nothing was learned from', () => {
      fc.assert(
        fc.property(history, work, (steps, asked) => {
          const replica = newReplica({ signal });
          const before = replica.meter.costOf(asked, 0);
          const silent = steps.filter(({ kind }) => kind !== 'first byte');
          const unlearned = silent.map((one) => (one.kind === 'settle' ? { ...one, as: 'abandoned' as const } : one));
          for (const lease of play(replica, unlearned)) lease.release('abandoned');
          assert.equal(replica.meter.costOf(asked, 0), before);
        }),
        { numRuns },
      );
    });

    it('keeps nothing of requests that have settled but what it has learned, however they did', () => {
      fc.assert(
        fc.property(history, history, work, (steps, others, asked) => {
          const replica = newReplica({ signal });
          for (const lease of play(replica, steps)) lease.release('succeeded');
          const learned = replica.meter.costOf(asked, 0);
          const held = others.flatMap((one) => (one.kind === 'begin' ? [hold(replica, one.work)] : []));
          for (const lease of held) lease.release('refused');
          assert.equal(replica.meter.costOf(asked, 0), learned);
        }),
        { numRuns },
      );
    });

    it('costs no less with one more request, and more with many', () => {
      fc.assert(
        fc.property(fc.array(work, { minLength: 20, maxLength: 20 }), work, (all, asked) => {
          const replica = newReplica({ signal });
          const costs = [replica.meter.costOf(asked, 0)];
          for (const one of all) {
            hold(replica, one);
            costs.push(replica.meter.costOf(asked, 0));
          }
          assert.deepEqual(
            costs,
            costs.toSorted((a, b) => a - b),
          );
          assert.ok((costs.at(-1) ?? 0) > (costs[0] ?? 0), 'twenty requests cost nothing');
        }),
        { numRuns },
      );
    });

    it('asking for a price changes none', () => {
      const replica = newReplica({ signal, inFlight: 3 });
      const costs = Array.from({ length: 10 }, () => replica.meter.costOf({ ...lightWork, rows: 8 }, 0));
      assert.equal(new Set(costs).size, 1);
    });

    it('gives every replica a meter of its own', () => {
      const idle = newReplica({ signal });
      const before = idle.meter.costOf(lightWork, 0);
      newReplica({ signal, inFlight: 20 });
      assert.equal(idle.meter.costOf(lightWork, 0), before);
    });
  });
}

/** Does what a history says, and gives the leases still held. */
function play(replica: Replica, steps: readonly Step[], afterEach: () => void = () => {}): Lease[] {
  const held: Lease[] = [];
  for (const one of steps) {
    if (one.kind === 'begin') held.push(hold(replica, one.work));
    else if (one.kind === 'first byte') held[one.which % Math.max(1, held.length)]?.firstByte();
    else held.splice(one.which % Math.max(1, held.length), 1)[0]?.release(one.as);
    afterEach();
  }
  return held;
}
