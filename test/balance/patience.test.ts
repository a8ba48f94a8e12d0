import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BalancingName } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { expectedCompletion } from '../../gateway/balance/signals/expected-completion.ts';
import { Dispatching, type Taken } from '../support/dispatching.ts';
import { newTime } from '../support/gates.ts';
import { hold, newReplicas, type ReplicaSpec } from '../support/replicas.ts';

interface Fleet {
  readonly fastMs?: number;
  readonly slowMs?: number;
  readonly slow?: ReplicaSpec;
  readonly policy?: BalancingName;
  readonly maxLength?: number;
  readonly waitMs?: number;
  /** How long the fast one's requests stay there, beyond their first byte. */
  readonly holdsMs?: number;
}

/** A fast replica whose two credits are taken, and an idle slow one that has answered, too: what comes waits, or goes to the slow one. */
async function fastAndSlow(fleet: Fleet = {}) {
  const { fastMs = 20, slowMs = 200, slow = {}, policy = 'adaptive', maxLength = 1000, waitMs = 10_000 } = fleet;
  const time = newTime();
  const usual = { slots: 1, signal: expectedCompletion, time };
  const [fast, idle] = newReplicas(usual, { ...usual, ...slow });
  assert.ok(fast !== undefined && idle !== undefined);
  await answerIn(fast, fastMs, time, fleet.holdsMs);
  await answerIn(idle, slowMs, time);
  const play = new Dispatching([fast, idle], { policy, maxLength, waitMs, ...time });
  const held = [play.take([idle]).lease, play.take([idle]).lease];
  return { fast, held, play };
}

async function answerIn(
  replica: Replica,
  ms: number,
  { clock }: ReturnType<typeof newTime>,
  holdsMs = 0,
): Promise<void> {
  const lease = hold(replica);
  await clock.runUntil(clock.nowMs() + ms);
  lease.firstByte();
  await clock.runUntil(clock.nowMs() + holdsMs);
  lease.release('succeeded');
}

function placesOf(taken: readonly Taken[]): string {
  return taken.map(({ lease }) => lease?.replica.id ?? '-').join('');
}

describe('patience', () => {
  it('waits for a full replica that would be done in less than 0.6 times what the free one takes, and for no other', async () => {
    // Three in a slot, of 40 ms each, are done in 120 ms.
    for (const [slowMs, place] of [
      [300, '-'],
      [180, 'b'],
    ] as const) {
      const { play } = await fastAndSlow({ fastMs: 40, slowMs });
      assert.equal(placesOf([play.take()]), place, `${slowMs} ms`);
    }
  });

  it('ends where the line is long enough for the free one to be sooner', async () => {
    // Times go in steps of a quarter. 0.6 of 331 ms are almost eleven of 18.2 ms: two in the replica, seven ahead, and itself.
    const { play } = await fastAndSlow({ fastMs: 1.25 ** 13, slowMs: 1.25 ** 26 });
    const taken = Array.from({ length: 10 }, () => play.take());
    await play.pass();
    assert.equal(placesOf(taken), '--------b-');
  });

  it('gets the better replica as soon as that has a credit', async () => {
    const { held, play } = await fastAndSlow();
    const taken = play.take();
    await play.pass(10);
    held[0]?.release('succeeded');
    await play.pass();
    assert.equal(placesOf([taken]), 'a');
  });

  it('ends when what was expected has not come', async () => {
    const { play } = await fastAndSlow();
    const taken = play.take();
    await play.pass(100);
    assert.equal(placesOf([taken]), '-');
    await play.pass(2_000);
    assert.equal(placesOf([taken]), 'b');
  });

  it('is only for those who may wait: neither for extra tries nor behind a full line', async () => {
    const { play } = await fastAndSlow();
    assert.equal(play.dispatcher.tryTake(play.wish())?.replica.id, 'b');
    const nobodyWaits = await fastAndSlow({ maxLength: 0 });
    assert.equal(placesOf([nobodyWaits.play.take()]), 'b');
    const short = await fastAndSlow({ maxLength: 2, slowMs: 300 });
    const taken = Array.from({ length: 3 }, () => short.play.take());
    await short.play.pass();
    assert.equal(placesOf(taken), 'bb-');
  });

  it('is not for those that are tried before, nor where the free one has unknown slots or has answered nothing', async () => {
    const unknown = await fastAndSlow({ slow: { slots: null } });
    assert.equal(placesOf([unknown.play.take()]), 'b');
    const { fast, play } = await fastAndSlow();
    assert.equal(placesOf([play.take([fast])]), 'b');
    const time = newTime();
    const usual = { slots: 1, signal: expectedCompletion, time };
    const [busy, fresh] = newReplicas(usual, usual);
    assert.ok(fresh !== undefined);
    await answerIn(busy, 20, time);
    for (let n = 0; n < 2; n++) hold(busy);
    assert.equal(placesOf([new Dispatching([busy, fresh], { policy: 'adaptive', ...time }).take()]), 'b');
  });

  it('is not for replicas whose requests stay long after their answers have begun: a credit comes back when they end', async () => {
    const { fast, play } = await fastAndSlow({ holdsMs: 5_000 });
    assert.equal(fast.slot.inFlight, 2);
    assert.equal(placesOf([play.take()]), 'b');
  });

  it('ends with what is free, and no refusal, when nobody may wait any longer', async () => {
    const { play } = await fastAndSlow({ fastMs: 200, slowMs: 2_000, waitMs: 100 });
    const taken = play.take();
    await play.pass(50);
    assert.equal(placesOf([taken]), '-');
    await play.pass(100);
    assert.equal(placesOf([taken]), 'b');
    assert.equal(taken.error, null);
  });

  it('is over when 0.6 of the time of the free one has been waited, however often it was looked at', async () => {
    const { play } = await fastAndSlow({ slowMs: 1_000 });
    const taken = play.take();
    await play.pass(590);
    await play.pass(60);
    assert.equal(placesOf([taken]), 'b');
  });

  it('goes by weight', async () => {
    const { play } = await fastAndSlow({ fastMs: 20, slowMs: 300, slow: { weight: 10 } });
    assert.equal(placesOf([play.take()]), 'b');
  });

  it('is of adaptive alone', async () => {
    for (const policy of ['least-outstanding', 'p2c', 'shortest-expected', 'least-time', 'round-robin'] as const)
      assert.equal(placesOf([(await fastAndSlow({ policy })).play.take()]), 'b', policy);
  });
});
