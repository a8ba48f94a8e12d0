import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silence } from '../../gateway/balance/load-report.ts';
import type { BalancingName } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { expectedCompletion } from '../../gateway/balance/signals/expected-completion.ts';
import { Dispatching, type Taken } from '../support/dispatching.ts';
import { hold, newReplicas, type ReplicaSpec } from '../support/replicas.ts';

interface Fleet {
  readonly fastMs?: number;
  readonly slowMs?: number;
  readonly slow?: ReplicaSpec;
  readonly policy?: BalancingName;
  readonly maxLength?: number;
}

/** A fast replica whose two credits are taken, and an idle slow one that has answered, too: what comes waits, or goes to the slow one. */
function fastAndSlow({ fastMs = 20, slowMs = 200, slow = {}, policy = 'adaptive', maxLength = 1000 }: Fleet = {}) {
  const usual = { slots: 1, signal: expectedCompletion };
  const [fast, idle] = newReplicas(usual, { ...usual, ...slow });
  assert.ok(fast !== undefined && idle !== undefined);
  answerIn(fast, fastMs);
  answerIn(idle, slowMs);
  const play = new Dispatching([fast, idle], { policy, maxLength });
  const held = [play.take([idle]).lease, play.take([idle]).lease];
  return { fast, held, play };
}

function answerIn(replica: Replica, ms: number): void {
  const lease = hold(replica);
  lease.report({ ...silence, serviceSeconds: ms / 1000 });
  lease.release('succeeded');
}

function placesOf(taken: readonly Taken[]): string {
  return taken.map(({ lease }) => lease?.replica.id ?? '-').join('');
}

describe('patience', () => {
  it('waits for a full replica that would be done in less than 0.6 times what the free one takes, and for no other', () => {
    // Three in a slot, of 40 ms each, are done in 120 ms.
    for (const [slowMs, place] of [
      [300, '-'],
      [180, 'b'],
    ] as const) {
      const { play } = fastAndSlow({ fastMs: 40, slowMs });
      assert.equal(placesOf([play.take()]), place, `${slowMs} ms`);
    }
  });

  it('ends where the line is long enough for the free one to be sooner', async () => {
    // Times go in steps of a quarter. 0.6 of 331 ms are almost eleven of 18.2 ms: two in the replica, seven ahead, and itself.
    const { play } = fastAndSlow({ fastMs: 1.25 ** 13, slowMs: 1.25 ** 26 });
    const taken = Array.from({ length: 10 }, () => play.take());
    await play.pass();
    assert.equal(placesOf(taken), '--------b-');
  });

  it('gets the better replica as soon as that has a credit', async () => {
    const { held, play } = fastAndSlow();
    const taken = play.take();
    await play.pass(10);
    held[0]?.release('succeeded');
    await play.pass();
    assert.equal(placesOf([taken]), 'a');
  });

  it('ends when what was expected has not come', async () => {
    const { play } = fastAndSlow();
    const taken = play.take();
    await play.pass(100);
    assert.equal(placesOf([taken]), '-');
    await play.pass(2_000);
    assert.equal(placesOf([taken]), 'b');
  });

  it('is only for those who may wait: neither for extra tries nor behind a full line', async () => {
    const { play } = fastAndSlow();
    assert.equal(play.dispatcher.tryTake(play.wish())?.replica.id, 'b');
    const nobodyWaits = fastAndSlow({ maxLength: 0 });
    assert.equal(placesOf([nobodyWaits.play.take()]), 'b');
    const short = fastAndSlow({ maxLength: 2, slowMs: 300 });
    const taken = Array.from({ length: 3 }, () => short.play.take());
    await short.play.pass();
    assert.equal(placesOf(taken), 'bb-');
  });

  it('is not for those that are tried before, nor where the free one has unknown slots or has answered nothing', () => {
    const unknown = fastAndSlow({ slow: { slots: null } });
    assert.equal(placesOf([unknown.play.take()]), 'b');
    const { fast, play } = fastAndSlow();
    assert.equal(placesOf([play.take([fast])]), 'b');
    const [busy, fresh] = newReplicas(
      { slots: 1, signal: expectedCompletion },
      { slots: 1, signal: expectedCompletion },
    );
    assert.ok(fresh !== undefined);
    answerIn(busy, 20);
    for (let n = 0; n < 2; n++) hold(busy);
    assert.equal(placesOf([new Dispatching([busy, fresh], { policy: 'adaptive' }).take()]), 'b');
  });

  it('goes by weight', () => {
    const { play } = fastAndSlow({ fastMs: 20, slowMs: 300, slow: { weight: 10 } });
    assert.equal(placesOf([play.take()]), 'b');
  });

  it('is of adaptive alone', () => {
    for (const policy of ['least-outstanding', 'p2c', 'shortest-expected', 'least-time', 'round-robin'] as const)
      assert.equal(placesOf([fastAndSlow({ policy }).play.take()]), 'b', policy);
  });
});
