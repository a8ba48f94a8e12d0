import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { entryOf, keyAt } from '../support/caching/entries.ts';
import { leaseMs, leaseOf, SharedWorld } from '../support/caching/shared-world.ts';

const key = keyAt(1);

/** What waits beside the lead finds it, or looks again, within so long. */
const lookMs = 500;

/** A gateway leads, and others wait for it. */
async function waiting(count: number, seed = 1) {
  const world = new SharedWorld(seed, count + 1);
  const lead = leaseOf(await world.clock.runThrough(world.begin(0, key)));
  const others = Array.from({ length: count }, (_, at) => world.begin(at + 1, key));
  await world.clock.runUntil(100);
  return { world, lead, others };
}

function kinds(begun: readonly { readonly flight: { readonly kind: string } }[]): string[] {
  return begun.map(({ flight }) => flight.kind).toSorted();
}

/** A gateway is given leave to compute without waiting. */
async function assertLeads(world: SharedWorld, gateway: number): Promise<void> {
  const begun = await world.clock.runThrough(world.begin(gateway, key));
  assert.equal(begun.flight.kind, 'lead');
  assert.ok(begun.tookMs < 20, `after ${begun.tookMs} ms`);
}

it('one computes, and all others find what it stored', async () => {
  const { world, lead, others } = await waiting(5);
  await world.clock.runThrough(world.work(key, lead, 2_000));
  const begun = await world.clock.runThrough(Promise.all(others));
  assert.deepEqual(kinds(begun), Array(5).fill('found'));
  for (const { tookMs } of begun) assert.ok(tookMs < 100 + 2_000 + 20, `woken, not found by looking: ${tookMs} ms`);
});

it('what was stored since the store was asked is found instead of computed anew', async () => {
  const world = new SharedWorld(1, 1);
  world.stored.set(key, entryOf('x', world.clock.wallMs()));
  const one = await world.clock.runThrough(world.begin(0, key));
  assert.equal(one.flight.kind, 'found');
  world.stored.clear();
  await world.clock.runUntil(20);
  await assertLeads(world, 0);
});

it('what is no longer fresh is not found', async () => {
  const world = new SharedWorld(1, 1);
  world.stored.set(key, entryOf('x', world.clock.wallMs() - 60_000, { freshMs: 60_000 }));
  await assertLeads(world, 0);
});

it('after one that failed one other tries, and again one, never two at once', async () => {
  const { world, lead, others } = await waiting(5);
  let computing = 1;
  const each = others.map(async (other) => {
    const begun = await other;
    assert.equal(++computing, 1);
    const lease = leaseOf(begun);
    await world.clock.sleep(50);
    computing -= 1;
    lease.end('failed');
  });
  computing -= 1;
  lead.end('failed');
  await world.clock.runThrough(Promise.all(each));
  assert.ok(world.clock.nowMs() < 100 + 5 * 80, `told, not found out by looking: ${world.clock.nowMs()} ms`);
});

it('after one whose answer cannot be shared all go on by themselves, and for a while nobody waits', async () => {
  const { world, lead, others } = await waiting(5);
  lead.end('unshareable');
  const begun = await world.clock.runThrough(Promise.all(others));
  assert.deepEqual(kinds(begun), Array(5).fill('alone'));
  for (const { tookMs } of begun) assert.ok(tookMs < 120, `${tookMs} ms`);
  assert.deepEqual(kinds([await world.clock.runThrough(world.begin(1, key))]), ['alone']);
  await world.clock.runUntil(world.clock.nowMs() + leaseMs);
  await assertLeads(world, 1);
});

it('who is told that an answer was stored and does not find it goes on by itself', async () => {
  const { world, lead, others } = await waiting(5);
  lead.end('stored');
  assert.deepEqual(kinds(await world.clock.runThrough(Promise.all(others))), Array(5).fill('alone'));
});

it('an answer is found though nobody is told of it', async () => {
  const { world, lead, others } = await waiting(5);
  world.board.trouble = { unheardShare: 1 };
  await world.clock.runThrough(world.work(key, lead, 2_000));
  const begun = await world.clock.runThrough(Promise.all(others));
  assert.deepEqual(kinds(begun), Array(5).fill('found'));
  for (const { tookMs } of begun) assert.ok(tookMs < 100 + 2_000 + lookMs, `${tookMs} ms`);
});

it('where something may have been missed it is looked for at once', async () => {
  const { world, lead, others } = await waiting(1);
  world.board.trouble = { unheardShare: 1 };
  await world.clock.runThrough(world.work(key, lead, 400));
  world.board.breakListening();
  const [begun] = await world.clock.runThrough(Promise.all(others));
  assert.ok(begun !== undefined && begun.tookMs < 100 + 400 + 10, `${begun?.tookMs} ms`);
});

it('a lease lasts as long as the work, up to the deadline, and no longer than it lasts where its holder died', async () => {
  for (const [deadlineMs, diesAtMs] of [
    [Number.POSITIVE_INFINITY, null],
    [60_000, null],
    [Number.POSITIVE_INFINITY, 30_000],
  ] as const) {
    const world = new SharedWorld(1, 2);
    const lead = leaseOf(await world.clock.runThrough(world.begin(0, key, { deadlineMs })));
    if (diesAtMs !== null) world.clock.after(diesAtMs, () => world.gateways[0]?.close());
    const goneAtMs = Math.min(deadlineMs, diesAtMs ?? 100_000);
    for (let atMs = 1_000; atMs < 100_000; atMs += 1_000) {
      await world.clock.runUntil(atMs);
      const { flight } = await world.clock.runThrough(world.begin(1, key, { deadlineMs: atMs + 200 }));
      if (flight.kind === 'lead') flight.lease.end('failed');
      if (atMs < goneAtMs) assert.equal(flight.kind, 'alone', `${atMs} ms`);
      if (atMs > goneAtMs + leaseMs) assert.equal(flight.kind, 'lead', `${atMs} ms`);
    }
    lead.end('failed');
    await world.clock.runAll();
  }
});

it('one of those who wait takes over from a gateway that died', async () => {
  const { world, others } = await waiting(3);
  await world.clock.runUntil(6_000);
  const late = [world.begin(1, key), world.begin(2, key)];
  world.gateways[0]?.close();
  assert.deepEqual(kinds(await world.clock.runThrough(Promise.all(others))), Array(3).fill('alone'), 'waited enough');
  const first = await world.clock.runThrough(Promise.race(late));
  assert.ok(world.clock.nowMs() < 6_000 + leaseMs, `${world.clock.nowMs()} ms`);
  await world.clock.runThrough(world.work(key, leaseOf(first), 100));
  assert.deepEqual(kinds(await world.clock.runThrough(Promise.all(late))), ['found', 'lead']);
});

it('nobody waits longer than half of the time it has left, nor longer than a lease lasts', async () => {
  for (const leftMs of [1, 20, 100, 1_000, 15_000, 30_000, 600_000, Number.POSITIVE_INFINITY]) {
    const world = new SharedWorld(1, 2);
    const lead = leaseOf(await world.clock.runThrough(world.begin(0, key)));
    await world.clock.runUntil(100);
    const begun = await world.clock.runThrough(world.begin(1, key, { deadlineMs: world.clock.nowMs() + leftMs }));
    assert.equal(begun.flight.kind, 'alone');
    assert.ok(Math.abs(begun.tookMs - Math.min(leftMs / 2, leaseMs)) < 1e-6, `${begun.tookMs} of ${leftMs} ms`);
    lead.end('failed');
  }
});

it('where there is no time left, or nobody who waits, nothing is asked', async () => {
  const world = new SharedWorld(1, 1);
  const cancellation = new Cancellation();
  cancellation.cancel(new GatewayError('client_left', 'gone'));
  const deadlineMs = Number.POSITIVE_INFINITY;
  const [gateway] = world.gateways;
  assert.deepEqual(gateway?.begin(key, { deadlineMs: 0, cancellation: new Cancellation() }), { kind: 'alone' });
  assert.deepEqual(gateway?.begin(key, { deadlineMs, cancellation }), { kind: 'alone' });
  assert.equal(world.clock.pending, 0);
});

it('where leases are away nobody waits, not even for a promise', async () => {
  const world = new SharedWorld(1, 1);
  world.board.trouble = { isAway: true };
  const patience = { deadlineMs: Number.POSITIVE_INFINITY, cancellation: new Cancellation() };
  assert.deepEqual(world.gateways[0]?.begin(key, patience), { kind: 'alone' });
  assert.equal(world.clock.pending, 0);
});

it('who waits goes on by itself when it sees that leases are away, or frozen', async () => {
  for (const trouble of [{ isAway: true }, { isFrozen: true }]) {
    const { world, others } = await waiting(5);
    world.board.trouble = trouble;
    const begun = await world.clock.runThrough(Promise.all(others));
    assert.deepEqual(kinds(begun), Array(5).fill('alone'));
    for (const { tookMs } of begun) assert.ok(tookMs <= 100 + lookMs + world.board.waitMs, `${tookMs} ms`);
  }
});

it('whoever leaves waits no more, and holds nothing', async () => {
  for (let leavesAtMs = 0; leavesAtMs < 20; leavesAtMs += 0.5) {
    const world = new SharedWorld(1, 2);
    const cancellation = new Cancellation();
    const begun = world.begin(0, key, { cancellation });
    world.clock.after(leavesAtMs, () => cancellation.cancel(new GatewayError('client_left', 'gone')));
    const { flight, tookMs } = await world.clock.runThrough(begun);
    assert.ok(tookMs <= leavesAtMs);
    if (flight.kind === 'lead') flight.lease.end('failed');
    await world.clock.runUntil(50);
    await assertLeads(world, 1);
  }
});

it('a lease of which it is not known whether it was taken is given back', async () => {
  const world = new SharedWorld(1, 2);
  world.board.trouble = { isFrozen: true };
  assert.equal((await world.clock.runThrough(world.begin(0, key))).flight.kind, 'alone');
  world.board.trouble = {};
  await world.clock.runUntil(2_000);
  await assertLeads(world, 1);
});

it('an end that was not heard is told again', async () => {
  for (const trouble of [{ isAway: true }, { lostShare: 1 }]) {
    const { world, lead, others } = await waiting(1);
    world.stored.set(key, entryOf('x', world.clock.wallMs()));
    world.board.trouble = trouble;
    lead.end('failed');
    world.board.trouble = {};
    await world.clock.runThrough(Promise.all(others));
    world.stored.clear();
    await world.clock.runUntil(world.clock.nowMs() + 1_000);
    await assertLeads(world, 1);
  }
});

it('only the first end counts', async () => {
  const { world, lead, others } = await waiting(1);
  lead.end('failed');
  lead.end('unshareable');
  const [next] = await world.clock.runThrough(Promise.all(others));
  assert.equal(next?.flight.kind, 'lead');
  lead.end('failed');
  await world.clock.runUntil(world.clock.nowMs() + 100);
  const begun = await world.clock.runThrough(world.begin(0, key, { deadlineMs: world.clock.nowMs() + 200 }));
  assert.equal(begun.flight.kind, 'alone', 'the next one holds it');
});

it('once closed nobody waits, and no timer is left', async () => {
  const { world, others } = await waiting(3);
  for (const gateway of world.gateways) gateway.close();
  assert.deepEqual(kinds(await Promise.all(others)), Array(3).fill('alone'));
  await world.clock.runUntil(world.clock.nowMs() + 100);
  assert.equal(world.clock.pending, 0);
  assert.ok(world.board.isQuiet);
  assert.deepEqual(kinds([await world.begin(0, key)]), ['alone']);
});
