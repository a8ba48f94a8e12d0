import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { balancings } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { Standing } from '../../gateway/balance/replica-state.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { repetitions } from '../support/counts.ts';
import { Dispatching, type Taken } from '../support/dispatching.ts';
import { newReplica, tellLoad } from '../support/replicas.ts';

const maxLength = 5;
const waitMs = 200;

const standings: readonly Standing[] = ['starting', 'ready', 'ready', 'unready', 'draining'];
// Few, or nobody would have to wait.
const slots = fc.option(fc.integer({ min: 1, max: 3 }), { nil: null, freq: 12 });

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      notThis: fc.option(fc.nat(3), { nil: null, freq: 4 }),
      withinMs: fc.option(fc.integer({ min: 1, max: 150 }), { nil: null }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('report' as const), replica: fc.nat(3), slots }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stand' as const),
      replica: fc.nat(3),
      standing: fc.constantFrom(...standings),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), forMs: fc.integer({ min: 1, max: 80 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const history = fc.record({
  seed: fc.nat(),
  policy: fc.constantFrom(...(Object.keys(balancings) as (keyof typeof balancings)[])),
  configured: fc.array(slots, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { maxLength: 80, size: 'max' }),
});

/** A wish as the test remembers it. */
interface Made {
  readonly taken: Taken;
  readonly notThese: readonly Replica[];
  isReleased: boolean;
}

class Play {
  readonly replicas: readonly Replica[];
  readonly dispatching: Dispatching;
  /** In the order in which they came. */
  readonly made: Made[] = [];

  constructor(configured: readonly (number | null)[], policy: keyof typeof balancings, seed: number) {
    this.replicas = configured.map((one, at) => newReplica({ id: `r${at}`, slots: one }));
    this.dispatching = new Dispatching(this.replicas, { policy, seed, maxLength, waitMs });
  }

  async step(step: Step): Promise<void> {
    const waiting = this.#waiting();
    const madeCount = this.made.length;
    const inFlight = this.replicas.map(({ slot }) => slot.inFlight);
    if (step.kind === 'take') this.#take(step.notThis, step.withinMs);
    else if (step.kind === 'pass') await this.dispatching.pass(step.forMs);
    else if (step.kind === 'release') this.#release(step.which);
    else if (step.kind === 'cancel') this.#cancel(step.which);
    else if (step.kind === 'stand') this.#replica(step.replica).state.setStanding(step.standing, 'by the history');
    else tellLoad(this.#replica(step.replica), { slots: step.slots });
    await this.dispatching.pass();
    this.#assertInOrder([...waiting, ...this.made.slice(madeCount)]);
    this.#assertWithinCredits(inFlight);
    this.#assertNobodyWaitsInVain();
    this.#assertCounts();
  }

  async end(): Promise<void> {
    await this.dispatching.pass(waitMs + 20);
    assert.deepEqual(this.#waiting(), [], 'nobody waits longer than the wait');
    for (const one of this.made) this.#releaseOne(one);
    await this.dispatching.clock.runAll();
    assert.ok(this.replicas.every(({ slot }) => slot.inFlight === 0));
    assert.equal(this.dispatching.wheel.armedCount, 0);
    assert.deepEqual(this.dispatching.releasedTwice, []);
  }

  #take(notThis: number | null, withinMs: number | null): void {
    const notThese = notThis === null ? [] : [this.#replica(notThis)];
    const deadlineMs = withinMs === null ? undefined : this.dispatching.clock.nowMs() + withinMs;
    const taken = this.dispatching.take(notThese, this.dispatching.wish(deadlineMs));
    this.made.push({ taken, notThese, isReleased: false });
  }

  #release(which: number): void {
    const held = this.made.filter(({ taken, isReleased }) => taken.lease !== null && !isReleased);
    const one = held[which % Math.max(1, held.length)];
    if (one !== undefined) this.#releaseOne(one);
  }

  #releaseOne(one: Made): void {
    if (one.taken.lease === null || one.isReleased) return;
    one.isReleased = true;
    one.taken.lease.release('succeeded');
  }

  #cancel(which: number): void {
    const waiting = this.#waiting();
    const one = waiting[which % Math.max(1, waiting.length)];
    one?.taken.wish.cancellation.cancel(new GatewayError('client_left', 'by the history'));
  }

  #replica(at: number): Replica {
    return this.replicas[at % this.replicas.length] ?? assert.fail();
  }

  #waiting(): Made[] {
    return this.made.filter(({ taken }) => taken.lease === null && taken.error === null);
  }

  /** Of those who may have any replica, nobody was served while one who came before still waits. */
  #assertInOrder(open: readonly Made[]): void {
    const plain = open.filter(({ notThese, taken }) => notThese.length === 0 && !this.#isOverdue(taken));
    const firstStillThere = plain.findIndex(({ taken }) => taken.lease === null && taken.error === null);
    const behind = firstStillThere < 0 ? [] : plain.slice(firstStillThere);
    assert.ok(
      behind.every(({ taken }) => taken.lease === null),
      'somebody was overtaken',
    );
  }

  #assertWithinCredits(before: readonly number[]): void {
    for (const [at, { slot, slots: known }] of this.replicas.entries()) {
      if (known === null || slot.inFlight <= (before[at] ?? 0)) continue;
      assert.ok(slot.inFlight <= Math.ceil(1.25 * known), `${slot.inFlight} requests on ${known} slots`);
    }
  }

  /** Whoever waits could not be served now: no replica it may have has a credit. And it may hope: some replica is in prospect. */
  #assertNobodyWaitsInVain(): void {
    for (const { taken, notThese } of this.#waiting()) {
      if (this.#isOverdue(taken)) continue;
      const allowed = this.replicas.filter((one) => !notThese.includes(one));
      assert.ok(
        !allowed.some((one) => one.standing === 'ready' && one.hasCredit),
        'somebody waits beside a free credit',
      );
      assert.ok(
        allowed.some(({ standing }) => standing === 'ready' || standing === 'starting'),
        'somebody waits for nothing',
      );
    }
  }

  #assertCounts(): void {
    const waiting = this.#waiting();
    assert.equal(this.dispatching.dispatcher.waitingCount, waiting.length);
    assert.ok(waiting.filter(({ notThese }) => notThese.length === 0).length <= maxLength);
    for (const replica of this.replicas) {
      const held = this.made.filter(({ taken, isReleased }) => taken.lease?.replica === replica && !isReleased);
      assert.equal(replica.slot.inFlight, held.length);
    }
  }

  #isOverdue({ wish }: Taken): boolean {
    return wish.deadlineMs <= this.dispatching.clock.nowMs();
  }
}

it('whatever is taken, released, reported and cancelled: credits hold, the order holds, and nobody waits in vain', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, policy, configured, steps }) => {
      const play = new Play(configured, policy, seed);
      for (const each of steps) await play.step(each);
      await play.end();
    }),
    { numRuns: repetitions({ quick: 300, full: 8000 }) },
  );
});
