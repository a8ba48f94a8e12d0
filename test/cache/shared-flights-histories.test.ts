import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { CacheEntry } from '../../gateway/cache/store.ts';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { entryOf, keyAt } from '../support/caching/entries.ts';
import type { Trouble } from '../support/caching/lease-board.ts';
import { leaseMs, SharedWorld } from '../support/caching/shared-world.ts';
import { repetitions } from '../support/counts.ts';

interface AskPlan {
  readonly gateway: number;
  readonly key: number;
  readonly atMs: number;
  /** From then on; null for none. */
  readonly leftMs: number | null;
  readonly leavesAfterMs: number | null;
  /** Of its work, where it falls to it. */
  readonly workMs: number;
  readonly fails: boolean;
}

interface Plan {
  readonly seed: number;
  readonly gateways: number;
  readonly asks: readonly AskPlan[];
  readonly troubles: readonly { readonly fromMs: number; readonly forMs: number; readonly trouble: Trouble }[];
  readonly flushesAtMs: readonly number[];
  readonly breaksAtMs: readonly number[];
  readonly deaths: readonly { readonly gateway: number; readonly atMs: number }[];
}

const spanMs = 20_000;
const gateways = 4;
const atMs = fc.nat(spanMs);
const often = <Value>(one: fc.Arbitrary<Value>, maxLength: number): fc.Arbitrary<Value[]> =>
  fc.oneof(fc.constant<Value[]>([]), fc.array(one, { maxLength }));

/** All of a history together are shorter than it takes a lease to be lost for want of renewal. */
const troubleMs = fc.nat(2_000);

function asks(patience: {
  leftMs: fc.Arbitrary<number | null>;
  leavesAfterMs: fc.Arbitrary<number | null>;
}): fc.Arbitrary<AskPlan[]> {
  const ask = fc.record({
    ...patience,
    gateway: fc.nat(gateways - 1),
    key: fc.nat(1),
    atMs: fc.oneof(atMs, fc.constant(100)),
    workMs: fc.oneof(fc.nat(300), fc.nat(2_000), fc.nat(25_000)),
    fails: fc.boolean(),
  });
  return fc.array(ask, { minLength: 1, maxLength: 25 });
}

const troubled: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  gateways: fc.constant(gateways),
  asks: asks({
    leftMs: fc.option(fc.nat(30_000)),
    leavesAfterMs: fc.option(fc.nat(3_000), { freq: 2 }),
  }),
  troubles: often(
    fc.record({
      fromMs: atMs,
      forMs: troubleMs,
      trouble: fc.constantFrom<Trouble[]>(
        { isAway: true },
        { isFrozen: true },
        { unheardShare: 1 },
        { unheardShare: 0.5 },
        { lostShare: 0.5 },
        { lostShare: 1 },
      ),
    }),
    3,
  ),
  flushesAtMs: often(atMs, 2),
  breaksAtMs: often(atMs, 3),
  deaths: often(fc.record({ gateway: fc.nat(gateways - 1), atMs }), 2),
});

const well: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  gateways: fc.constant(gateways),
  asks: asks({ leftMs: fc.constant(null), leavesAfterMs: fc.constant(null) }).map((all) =>
    // A chain of failures that is longer than a lease is waited out by nobody.
    all.map((ask, at) => ({ ...ask, fails: ask.fails && at % 3 === 0, workMs: Math.min(ask.workMs, 1_000) })),
  ),
  troubles: fc.constant([]),
  flushesAtMs: fc.constant([]),
  breaksAtMs: fc.array(atMs, { maxLength: 2 }),
  deaths: fc.constant([]),
});

/** What happened to one who asked. */
interface Told {
  readonly ask: AskPlan;
  readonly kind: 'found' | 'lead' | 'alone';
}

/** Plays a plan to its end. Throws where one waits too long, or finds what nobody stored. */
class Play {
  readonly told: Told[] = [];
  /** The most that computed one key for all at the same time. */
  mostAtOnce = 0;
  readonly #plan: Plan;
  readonly #world: SharedWorld;
  readonly #dead = new Set<number>();
  readonly #leading = new Map<string, Set<AskPlan>>();
  readonly #everStored = new Set<CacheEntry>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#world = new SharedWorld(plan.seed, plan.gateways);
  }

  async run(): Promise<void> {
    const { clock, board, gateways } = this.#world;
    for (const { fromMs, forMs, trouble } of this.#plan.troubles) {
      clock.after(fromMs, () => {
        board.trouble = trouble;
      });
      clock.after(fromMs + forMs, () => {
        board.trouble = {};
      });
    }
    for (const flushAtMs of this.#plan.flushesAtMs) clock.after(flushAtMs, () => board.flush());
    for (const breakAtMs of this.#plan.breaksAtMs) clock.after(breakAtMs, () => board.breakListening());
    for (const { gateway, atMs } of this.#plan.deaths) clock.after(atMs, () => this.#die(gateway));
    await clock.runThrough(Promise.all(this.#plan.asks.map((ask) => this.#ask(ask))));
    await clock.runAll();
    assert.ok(board.isQuiet, 'nobody listens any more');
    for (const gateway of gateways) gateway.close();
    assert.equal(clock.pending, 0);
  }

  #die(gateway: number): void {
    this.#dead.add(gateway);
    this.#world.gateways[gateway]?.close();
    for (const leading of this.#leading.values())
      for (const ask of leading) if (ask.gateway === gateway) leading.delete(ask);
  }

  async #ask(ask: AskPlan): Promise<void> {
    const { clock } = this.#world;
    await clock.sleep(ask.atMs);
    const cancellation = new Cancellation();
    if (ask.leavesAfterMs !== null)
      clock.after(ask.leavesAfterMs, () => cancellation.cancel(new GatewayError('client_left', 'gone')));
    const leftMs = ask.leftMs ?? Number.POSITIVE_INFINITY;
    const key = keyAt(ask.key);
    const deadlineMs = clock.nowMs() + leftMs;
    const { flight, tookMs } = await this.#world.begin(ask.gateway, key, { deadlineMs, cancellation });
    const mostMs = Math.min(leftMs / 2, leaseMs, ask.leavesAfterMs ?? leaseMs);
    assert.ok(tookMs <= mostMs + 1e-6, `waited ${tookMs} of ${mostMs} ms`);
    this.told.push({ ask, kind: flight.kind });
    if (flight.kind === 'found') assert.ok(this.#everStored.has(flight.entry));
    if (flight.kind !== 'lead') return;
    const leading = this.#leading.get(key) ?? new Set();
    this.#leading.set(key, leading.add(ask));
    this.mostAtOnce = Math.max(this.mostAtOnce, leading.size);
    await clock.sleep(Math.min(ask.workMs, Math.max(0, deadlineMs - clock.nowMs())));
    if (this.#dead.has(ask.gateway)) return;
    if (!ask.fails) {
      const entry = entryOf(`${ask.atMs}`, clock.wallMs());
      this.#everStored.add(entry);
      this.#world.stored.set(key, entry);
    }
    leading.delete(ask);
    flight.lease.end(ask.fails ? 'failed' : 'stored');
  }
}

it('while nothing is wrong exactly one computes each answer, and all others find it', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(well, async (plan) => {
      const play = new Play(plan);
      await play.run();
      assert.ok(play.mostAtOnce <= 1);
      for (const key of [0, 1]) {
        const told = play.told.filter(({ ask }) => ask.key === key);
        const leads = told.filter(({ kind }) => kind === 'lead');
        assert.ok(
          told.every(({ kind }) => kind !== 'alone'),
          'nobody computes for itself',
        );
        const succeeded = leads.filter(({ ask }) => !ask.fails);
        assert.ok(succeeded.length <= 1);
        assert.ok(told.every(({ kind }) => kind === 'lead') || succeeded.length === 1);
        found += told.length - leads.length;
      }
    }),
    { numRuns: repetitions({ quick: 500, full: 10_000 }) },
  );
  assert.ok(found > 1_000, `${found} found`);
});

it('whatever goes wrong, nobody waits longer than it may, nothing is found that was not stored, and nothing stays behind', async () => {
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(troubled, async (plan) => {
      const play = new Play(plan);
      await play.run();
      assert.equal(play.told.length, plan.asks.length);
      const isLeaseSure = plan.flushesAtMs.length === 0 && plan.troubles.every(({ trouble }) => !trouble.lostShare);
      if (isLeaseSure) assert.ok(play.mostAtOnce <= 1, `${play.mostAtOnce} at once`);
      for (const { kind } of play.told) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }),
    { numRuns: repetitions({ quick: 500, full: 10_000 }) },
  );
  for (const kind of ['found', 'lead', 'alone']) assert.ok((kinds.get(kind) ?? 0) > 100, JSON.stringify([...kinds]));
});
