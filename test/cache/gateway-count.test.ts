import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { GatewayCount, type Roll } from '../../gateway/cache/gateway-count.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { repetitions } from '../support/counts.ts';

const goneAfterMs = 5_000;
const everyMs = 1_000;
const slackMs = 300;

/** A roll on a clock, as a Redis keeps it. */
class SimulatedRoll implements Roll {
  isAway = false;
  readonly calls: number[] = [];
  readonly #clock: VirtualClock;
  readonly #seenAtMs = new Map<string, number>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  call(name: string, withinMs: number): ReturnType<Roll['call']> {
    if (this.isAway) return undefined;
    const nowMs = this.#clock.nowMs();
    this.calls.push(nowMs);
    for (const [one, atMs] of this.#seenAtMs) if (atMs <= nowMs - withinMs) this.#seenAtMs.delete(one);
    const isNew = !this.#seenAtMs.has(name);
    this.#seenAtMs.set(name, nowMs);
    const gateways = this.#seenAtMs.size;
    return this.#clock.sleep(2).then(() => ({ gateways, isNew }));
  }

  leave(name: string): undefined | Promise<unknown> {
    if (!this.isAway) this.#seenAtMs.delete(name);
    return undefined;
  }

  empty(): void {
    this.#seenAtMs.clear();
  }
}

function world(gateways: number, seed = 1) {
  const clock = new VirtualClock();
  const roll = new SimulatedRoll(clock);
  const rng = seededRng(seed);
  const add = (by: Roll = roll): GatewayCount => new GatewayCount({ roll: by, clock, rng });
  const counts = Array.from({ length: gateways }, () => add());
  return { clock, roll, add, counts, told: () => counts.map((count) => count.gateways) };
}

/** One that calls no more, and says nothing. */
function mortal(roll: Roll): Roll & { isDead: boolean } {
  return {
    isDead: false,
    call(name, withinMs) {
      return this.isDead ? undefined : roll.call(name, withinMs);
    },
    leave(name) {
      return this.isDead ? undefined : roll.leave(name);
    },
  };
}

it('one gateway is alone, before it has heard anything and after', async () => {
  const { clock, told } = world(1);
  assert.deepEqual(told(), [1]);
  await clock.runUntil(20_000);
  assert.deepEqual(told(), [1]);
});

it('gateways that come are counted within two seconds, one that leaves after it, one that dies after five more', async () => {
  const { clock, roll, add, counts, told } = world(2);
  const last = mortal(roll);
  add(last);
  await clock.runUntil(2 * everyMs + slackMs);
  assert.deepEqual(told(), [3, 3]);
  await clock.runUntil(10_000);
  const [leaves] = counts.splice(0, 1);
  await leaves?.close();
  await clock.runUntil(clock.nowMs() + everyMs + slackMs);
  assert.deepEqual(told(), [2]);
  await clock.runUntil(20_000);
  last.isDead = true;
  const diedAtMs = clock.nowMs();
  while (told()[0] === 2) await clock.runUntil(clock.nowMs() + 10);
  assert.deepEqual(told(), [1]);
  const tookMs = clock.nowMs() - diedAtMs;
  assert.ok(tookMs > goneAfterMs - 1.25 * everyMs - 10, `${tookMs} ms`);
  assert.ok(tookMs < goneAfterMs + everyMs + slackMs, `${tookMs} ms`);
});

it('while the roll is away the last number holds, and when it is back nobody is missed', async () => {
  for (let awayMs = 0; awayMs <= 12_000; awayMs += 250) {
    for (const isEmptied of [false, true]) {
      const { clock, roll, told } = world(4, awayMs);
      await clock.runUntil(10_000);
      roll.isAway = true;
      if (isEmptied) roll.empty();
      await clock.runUntil(10_000 + awayMs);
      roll.isAway = false;
      while (clock.nowMs() < 40_000) {
        assert.deepEqual(told(), [4, 4, 4, 4], `${awayMs} ms away, at ${clock.nowMs()}`);
        await clock.runUntil(clock.nowMs() + 50);
      }
    }
  }
});

it('those who went while the roll was away are forgotten some seconds after it is back', async () => {
  const { clock, roll, counts, told } = world(4);
  await clock.runUntil(10_000);
  roll.isAway = true;
  for (const gone of counts.splice(1)) await gone.close();
  await clock.runUntil(12_000);
  roll.isAway = false;
  await clock.runUntil(12_000 + goneAfterMs + 2 * everyMs);
  assert.deepEqual(told(), [1]);
});

it('whatever comes and goes, the count is right some seconds later, and no gateway calls much more than once a second', async () => {
  const event = fc.record({
    atMs: fc.nat(30_000),
    kind: fc.constantFrom('come', 'leave', 'die', 'away', 'back', 'empty'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), fc.nat(), async (events, seed) => {
      const { clock, roll, add, counts } = world(1, seed);
      const others: { readonly own: ReturnType<typeof mortal>; readonly count: GatewayCount }[] = [];
      for (const { atMs, kind } of events.toSorted((a, b) => a.atMs - b.atMs)) {
        await clock.runUntil(atMs);
        if (kind === 'away' || kind === 'back') roll.isAway = kind === 'away';
        else if (kind === 'empty') roll.empty();
        else if (kind === 'leave') await others.shift()?.count.close();
        else if (kind === 'die') for (const { own } of others.splice(0, 1)) own.isDead = true;
        else {
          const own = mortal(roll);
          others.push({ own, count: add(own) });
        }
      }
      roll.isAway = false;
      const fromMs = clock.nowMs();
      await clock.runUntil(fromMs + 2 * goneAfterMs + 3 * everyMs);
      const gateways = 1 + others.length;
      for (const count of [...counts, ...others.map(({ count }) => count)]) assert.equal(count.gateways, gateways);
      const calls = roll.calls.filter((atMs) => atMs >= fromMs).length;
      assert.ok(calls <= gateways * (1 + (2 * goneAfterMs + 3 * everyMs) / (0.75 * everyMs)), `${calls} calls`);
    }),
    { numRuns: repetitions({ quick: 200, full: 10_000 }) },
  );
});

it('gateways do not call at the same moments', async () => {
  const { clock, roll } = world(20);
  await clock.runUntil(60_000);
  const inMilliseconds = new Set(roll.calls.map((atMs) => Math.floor(atMs)));
  assert.ok(inMilliseconds.size > 0.95 * roll.calls.length, `${inMilliseconds.size} of ${roll.calls.length}`);
});

it('one that is closed calls no more, though an answer comes in later', async () => {
  const { clock, roll, counts } = world(1);
  while (roll.calls.length === 0) await clock.runUntil(clock.nowMs() + 1);
  await counts[0]?.close();
  await clock.runUntil(60_000);
  assert.equal(roll.calls.length, 1);
  assert.equal(clock.pending, 0);
});
