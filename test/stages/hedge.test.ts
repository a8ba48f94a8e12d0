import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Hedging } from '../../gateway/balance/backend.ts';
import type { NonEmpty } from '../../gateway/balance/policy.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { Attempting } from '../support/attempting.ts';
import { anyBudget, type BackendSpec, noneOfLate } from '../support/backends.ts';
import { type FedBody, pumped } from '../support/bodies.ts';
import { newGate } from '../support/gates.ts';
import { hold, newReplicas } from '../support/replicas.ts';
import { upstreamReply } from '../support/scripted-transport.ts';

/** What becomes of one try; times count from its sending. */
interface Fate {
  /** Never, where it is left out. */
  readonly headAfterMs?: number;
  readonly status?: number;
  readonly failsWith?: ErrorCode;
  /** Pieces of the body, each with its time; it is whole after the last. */
  readonly pieces?: readonly (readonly [afterMs: number, text: string])[];
  /** The body breaks off so long after the head. */
  readonly breaksAfterMs?: number;
}

/** A request that is hedged after 50 ms, whose tries have fates in the order in which they are sent. */
class Hedged extends Attempting {
  readonly observedMs: number[];
  /** Why each try was ended from outside. */
  readonly endedBy: (ErrorCode | null)[];
  readonly sentAtMs: number[];
  readonly bodies: FedBody[];

  constructor(
    fates: readonly Fate[],
    spec: BackendSpec & { readonly budget?: Hedging['budget']; readonly delayMs?: number | null } = {},
    replicas: NonEmpty<Replica> = newReplicas({}, {}),
  ) {
    const observedMs: number[] = [];
    const endedBy: (ErrorCode | null)[] = [];
    const sentAtMs: number[] = [];
    const bodies: FedBody[] = [];
    const { budget = anyBudget, delayMs = 50 } = spec;
    const observe = (tookMs: number): number => observedMs.push(tookMs);
    const hedging: Hedging = { budget, utilisation: noneOfLate(), delayMs: () => delayMs, observe };
    super(
      replicas,
      (_replica, cancellation) => {
        const at = sentAtMs.length;
        sentAtMs.push(this.dispatching.clock.nowMs());
        const {
          headAfterMs,
          status,
          failsWith,
          breaksAfterMs,
          pieces = [[0, '{}']],
        } = fates[at] ?? assert.fail('one try too many');
        const { clock } = this.dispatching;
        const reply = upstreamReply(status);
        endedBy.push(null);
        bodies.push(reply.body);
        return new Promise((resolve, reject) => {
          cancellation.onCancel((why) => {
            endedBy[at] = why.code;
            reply.body.end('abandoned', why);
            reject(why);
          });
          if (failsWith !== undefined) clock.after(headAfterMs ?? 0, () => reject(new GatewayError(failsWith, 'so')));
          else if (headAfterMs !== undefined) clock.after(headAfterMs, () => resolve(reply));
          if (breaksAfterMs !== undefined)
            clock.after((headAfterMs ?? 0) + breaksAfterMs, () => reply.body.end('broken'));
          for (const [afterMs, text] of pieces)
            clock.after((headAfterMs ?? 0) + afterMs, () => {
              if (cancellation.reason !== null || headAfterMs === undefined || reply.body.pumps === 0) return;
              reply.body.feed(text);
              if (text === pieces.at(-1)?.[1]) reply.body.end('complete');
            });
        });
      },
      { hedging, ...spec },
    );
    this.observedMs = observedMs;
    this.endedBy = endedBy;
    this.sentAtMs = sentAtMs;
    this.bodies = bodies;
  }
}

describe('a hedge', () => {
  it('is not sent where the answer begins in time', async () => {
    const hedged = new Hedged([{ headAfterMs: 40 }]);
    (await hedged.answer(hedged.exchange(), 45)).body.discard();
    hedged.assertAtRest();
    await hedged.dispatching.pass(1000);
    assert.deepEqual([hedged.sentAtMs, hedged.outcomes], [[0], ['first abandoned']]);
    assert.deepEqual(hedged.observedMs, [40]);
    hedged.assertAtRest();
  });

  it('is sent to another replica when the answer has not begun; the first head is taken, and the other try ended, blaming nobody', async () => {
    for (const [fates, loser] of [
      [[{}, { headAfterMs: 20 }], 0],
      [[{ headAfterMs: 60 }, {}], 1],
    ] as const) {
      const told: string[] = [];
      const gate = newGate({ enter: () => ({ settle: (said) => told.push(said) }) });
      const hedged = new Hedged(fates, {}, newReplicas({ gate }, { gate }));
      const exchange = hedged.exchange();
      const reply = await hedged.answer(exchange);
      assert.deepEqual([hedged.sentAtMs, new Set(hedged.sentTo).size], [[0, 50], 2]);
      assert.equal(hedged.endedBy[loser], loser === 0 ? 'overtaken' : 'superseded');
      assert.equal(hedged.endedBy[1 - loser], null);
      assert.deepEqual(hedged.outcomes, [loser === 0 ? 'first abandoned' : 'hedge abandoned']);
      pumped(reply.body);
      hedged.bodies[1 - loser]?.end('complete');
      assert.deepEqual(hedged.outcomes[1], loser === 0 ? 'hedge succeeded' : 'first succeeded');
      assert.equal(exchange.journal.replica, `pool/${hedged.sentTo[1 - loser]}`);
      assert.deepEqual(told, [loser === 0 ? 'overtaken' : 'none', 'success']);
      hedged.assertAtRest();
    }
  });

  it('counts what the try that lost had taken until then among the times: left out, only fast answers would be', async () => {
    const hedged = new Hedged([{}, { headAfterMs: 20 }]);
    (await hedged.answer()).body.discard();
    assert.deepEqual(hedged.observedMs.toSorted(), [20, 70]);
  });

  it('is not sent while it is not known how long to wait', async () => {
    const hedged = new Hedged([{ headAfterMs: 500 }], { delayMs: null });
    (await hedged.answer()).body.discard();
    assert.equal(hedged.sentAtMs.length, 1);
  });

  it('is not sent for what may not run twice, nor for those who can wait', async () => {
    const retrying = { maxTries: 1, isIdempotent: false, budget: anyBudget };
    const notTwice = new Hedged([{ headAfterMs: 500 }], { retrying });
    (await notTwice.answer()).body.discard();
    const batch = new Hedged([{ headAfterMs: 500 }]);
    (await batch.answer(batch.exchange({ headers: { 'x-headgate-class': 'batch' } }))).body.discard();
    assert.deepEqual([notTwice.sentAtMs.length, batch.sentAtMs.length], [1, 1]);
  });

  it('is sent for a GET also where other work may not run twice', async () => {
    const retrying = { maxTries: 1, isIdempotent: false, budget: anyBudget };
    const hedged = new Hedged([{}, { headAfterMs: 20 }], { retrying });
    (await hedged.answer(hedged.exchange({ operation: 'metadata' }))).body.discard();
    assert.equal(hedged.sentAtMs.length, 2);
  });

  it('is not sent when its budget is spent', async () => {
    const hedged = new Hedged([{ headAfterMs: 500 }], { budget: { deposit: () => {}, withdraw: () => false } });
    (await hedged.answer()).body.discard();
    assert.equal(hedged.sentAtMs.length, 1);
  });

  it('is not sent at the tick at which the deadline passes', async () => {
    const late = new Hedged([{}, {}]);
    const exchange = late.exchange();
    exchange.cutTo(48);
    await assert.rejects(late.answer(exchange), { code: 'deadline_exceeded' });
    assert.equal(late.sentAtMs.length, 1);
    late.assertAtRest();
  });

  it('does not wait for a replica: where none is free it is left out', async () => {
    const hedged = new Hedged([{ headAfterMs: 500 }], {}, newReplicas({}, { slots: 1, inFlight: 2 }));
    (await hedged.answer()).body.discard();
    assert.deepEqual([hedged.sentAtMs.length, hedged.dispatching.dispatcher.waitingCount], [1, 0]);
  });

  it('is not sent above 70 % of the slots, where those of all replicas are known', async () => {
    for (const [others, slots, sent] of [
      [6, 5, 2],
      [7, 5, 1],
      [7, null, 2],
    ] as const) {
      const replicas = newReplicas({ slots: 5 }, { slots });
      for (let n = 0; n < others; n++) hold(replicas[n % 2] ?? assert.fail());
      const hedged = new Hedged([{ headAfterMs: 500 }, { headAfterMs: 500 }], {}, replicas);
      (await hedged.answer()).body.discard();
      assert.equal(hedged.sentAtMs.length, sent, `${others} others, ${slots} slots`);
    }
  });
});

describe('of two tries beside each other', () => {
  it('one that fails lets the other go on, whose answer counts', async () => {
    const failures: readonly Fate[] = [
      { headAfterMs: 60, failsWith: 'upstream_broken' },
      { headAfterMs: 60, status: 500 },
      { headAfterMs: 60, status: 401 },
    ];
    for (const failing of failures) {
      const hedged = new Hedged([failing, { headAfterMs: 200 }]);
      const reply = await hedged.answer();
      assert.equal(reply.status, 200);
      assert.deepEqual(hedged.endedBy, [null, null]);
      assert.deepEqual(hedged.outcomes, ['first failed']);
      reply.body.discard();
      hedged.assertAtRest();
    }
  });

  it('one whose answer breaks off before it can be renamed lets the other go on', async () => {
    const fates: readonly Fate[] = [
      { headAfterMs: 60, pieces: [], breaksAfterMs: 10 },
      { headAfterMs: 200, pieces: [[0, '{}']] },
    ];
    const hedged = new Hedged(fates, { models: [{ name: 'digits', upstream: 'digits-q8' }] });
    pumped((await hedged.answer()).body);
    assert.deepEqual(hedged.outcomes, ['first failed', 'hedge succeeded']);
    hedged.assertAtRest();
  });

  it('the one whose answer is passed on is told of, whichever head came last', async () => {
    const piece = '{"model_name":"digits-q8"}';
    const hedged = new Hedged(
      [
        { headAfterMs: 60, pieces: [[40, piece]] },
        { headAfterMs: 20, pieces: [[500, piece]] },
      ],
      { models: [{ name: 'digits', upstream: 'digits-q8' }] },
    );
    const exchange = hedged.exchange();
    const reply = await hedged.answer(exchange);
    assert.deepEqual([hedged.endedBy[1], hedged.sentTo.length], ['superseded', 2]);
    assert.equal(exchange.journal.replica, `pool/${hedged.sentTo[0]}`);
    assert.deepEqual([exchange.journal.sentAtMs, exchange.journal.headAtMs], [0, 60]);
    reply.body.discard();
    hedged.assertAtRest();
  });

  it('one whose head comes in the same instant is given up: its answer, or what it failed with', async () => {
    for (const status of [200, 500]) {
      const heads: (() => void)[] = [];
      const replies = [upstreamReply(), upstreamReply(status)];
      const hedging: Hedging = {
        budget: anyBudget,
        utilisation: noneOfLate(),
        delayMs: () => 50,
        observe: () => {},
      };
      const answer = (): Promise<ReturnType<typeof upstreamReply>> =>
        new Promise((resolve) => {
          const reply = replies[heads.length] ?? assert.fail();
          heads.push(() => resolve(reply));
        });
      const attempting = new Attempting(newReplicas({}, {}), answer, { hedging });
      const served = attempting.serve(attempting.exchange());
      await attempting.dispatching.pass(60);
      for (const come of heads) come();
      const reply = await served;
      assert.equal(replies[1]?.body.discards, 1);
      reply.body.discard();
      attempting.assertAtRest();
    }
  });

  it('both fail before another is tried in their place, on a replica that is neither’s', async () => {
    const fates: readonly Fate[] = [
      { headAfterMs: 60, failsWith: 'upstream_broken' },
      { headAfterMs: 60, failsWith: 'upstream_broken' },
      { headAfterMs: 10 },
    ];
    const retrying = { maxTries: 3, isIdempotent: true, budget: anyBudget };
    const hedged = new Hedged(fates, { retrying }, newReplicas({}, {}, {}));
    (await hedged.answer()).body.discard();
    assert.deepEqual(hedged.outcomes, ['first failed', 'hedge failed', 'retry abandoned']);
    assert.equal(new Set(hedged.sentTo).size, 3);
    hedged.assertAtRest();
  });

  it('of a stream goes by the first byte: a head that comes at once is no answer yet', async () => {
    const fates: readonly Fate[] = [
      { headAfterMs: 1, pieces: [[600, 'late']] },
      { headAfterMs: 1, pieces: [[20, 'soon']] },
    ];
    const hedged = new Hedged(fates, {});
    const asked = { protocol: openai, operation: 'chat', body: '{"model":"gpt","stream":true}' };
    const reply = await hedged.answer(hedged.exchange(asked));
    assert.deepEqual(hedged.sentAtMs, [0, 50]);
    assert.equal(hedged.endedBy[0], 'overtaken');
    assert.deepEqual(
      hedged.observedMs.toSorted((a, b) => a - b),
      [21, 71],
      'times until the first byte',
    );
    const text = pumped(reply.body);
    await hedged.dispatching.pass(100);
    assert.equal(text.text, 'soon');
    hedged.assertAtRest();
  });

  it('are two of the tries there may be, and no third is made on either replica', async () => {
    const fates: readonly Fate[] = [
      { headAfterMs: 60, failsWith: 'upstream_broken' },
      { headAfterMs: 5, failsWith: 'upstream_broken' },
    ];
    const retrying = { maxTries: 2, isIdempotent: true, budget: anyBudget };
    const hedged = new Hedged(fates, { retrying }, newReplicas({}, {}, {}));
    await assert.rejects(hedged.answer(), { code: 'upstream_broken' });
    assert.deepEqual(hedged.outcomes, ['hedge failed', 'first failed']);
    hedged.assertAtRest();
  });

  it('both end when their client leaves, and blame nobody', async () => {
    const hedged = new Hedged([{}, {}]);
    const exchange = hedged.exchange();
    const rejected = assert.rejects(hedged.serve(exchange), { code: 'client_left' });
    await hedged.dispatching.pass(100);
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await rejected;
    assert.deepEqual(hedged.endedBy, ['client_left', 'client_left']);
    assert.deepEqual(hedged.outcomes, ['first abandoned', 'hedge abandoned']);
    hedged.assertAtRest();
  });
});
