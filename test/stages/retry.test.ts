import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Retrying } from '../../gateway/balance/backend.ts';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { plainHttp, plainRequest } from '../../gateway/protocols/plain-http.ts';
import { Attempting } from '../support/attempting.ts';
import { anyBudget } from '../support/backends.ts';
import { hold, newReplicas } from '../support/replicas.ts';
import { unreachable, upstreamReply } from '../support/scripted-transport.ts';

const noBudget = { deposit: () => {}, withdraw: () => false };
const four: Retrying = { maxTries: 4, isIdempotent: true, budget: anyBudget };
const broken = (): GatewayError => new GatewayError('upstream_broken', 'broke off');

describe('a retry', () => {
  it('is made on another replica each time, at once, and for nothing, where nothing could be sent', async () => {
    const retrying = { ...four, isIdempotent: false, budget: noBudget };
    const attempting = new Attempting(
      newReplicas({}, {}, {}),
      ({ id }) => (id === 'c' ? upstreamReply() : Promise.reject(unreachable())),
      { retrying },
    );
    const exchange = attempting.exchange();
    (await attempting.answer(exchange, 0)).body.discard();
    assert.equal(new Set(attempting.sentTo).size, attempting.sentTo.length);
    assert.equal(attempting.sentTo.at(-1), 'c');
    assert.deepEqual([exchange.journal.replica, exchange.journal.isBudgetSpent], ['pool/c', false]);
    assert.equal(exchange.journal.tries, attempting.sentTo.length);
    attempting.assertAtRest();
  });

  it('is made of what may have run only where that may run again', async () => {
    const failures: readonly (() => ReturnType<typeof upstreamReply> | Promise<never>)[] = [
      () => Promise.reject(broken()),
      () => Promise.reject(new GatewayError('upstream_timeout', 'too slow')),
      () => upstreamReply(500),
      () => upstreamReply(503),
      () => upstreamReply(429),
      () => upstreamReply(401),
    ];
    for (const fail of failures)
      for (const isIdempotent of [true, false]) {
        let sent = 0;
        const attempting = new Attempting(newReplicas({}, {}), () => (sent++ === 0 ? fail() : upstreamReply()), {
          retrying: { ...four, isIdempotent },
        });
        const ended = await attempting.answer().catch((error: GatewayError) => error);
        if (!(ended instanceof Error)) ended.body.discard();
        assert.equal(attempting.sentTo.length, isIdempotent ? 2 : 1);
        attempting.assertAtRest();
      }
  });

  it('is made of a GET whatever the configuration says: it changes nothing', async () => {
    let sent = 0;
    const attempting = new Attempting(
      newReplicas({}, {}),
      () => (sent++ === 0 ? upstreamReply(500) : upstreamReply()),
      {
        retrying: { ...four, isIdempotent: false },
      },
    );
    const asking = { protocol: plainHttp, endpoint: plainRequest, path: '/status' };
    (await attempting.answer(attempting.exchange(asking))).body.discard();
    assert.equal(sent, 2);
  });

  it('is not made of what was asked about a model: its answer is how the model is', async () => {
    const attempting = new Attempting(newReplicas({}, {}), () => upstreamReply(503));
    const reply = await attempting.answer(attempting.exchange({ operation: 'ready' }));
    reply.body.discard();
    assert.deepEqual([reply.status, attempting.sentTo.length], [503, 1]);
    assert.ok(attempting.replicas.every(({ state }) => state.rest.isOver));
  });

  it('is not made of what is nobody’s fault, nor of what a client would only be told again', async () => {
    for (const code of ['deadline_exceeded', 'client_left', 'internal', 'shutting_down'] satisfies ErrorCode[]) {
      const attempting = new Attempting(newReplicas({}, {}), () => Promise.reject(new GatewayError(code, 'so')));
      await assert.rejects(attempting.answer(), { code });
      assert.deepEqual(attempting.outcomes, ['first abandoned']);
      attempting.assertAtRest();
    }
    for (const status of [200, 302, 400, 404, 422]) {
      const attempting = new Attempting(newReplicas({}, {}), () => upstreamReply(status));
      const reply = await attempting.answer();
      assert.equal(reply.status, status);
      reply.body.discard();
      assert.equal(attempting.sentTo.length, 1);
    }
  });

  it('is made so often that no more tries are made than configured, the first included', async () => {
    for (const maxTries of [1, 2, 3, 4]) {
      const attempting = new Attempting(newReplicas({}, {}, {}, {}, {}), () => Promise.reject(broken()), {
        retrying: { ...four, maxTries },
      });
      const exchange = attempting.exchange();
      await assert.rejects(attempting.answer(exchange), { code: 'upstream_broken' });
      assert.deepEqual([exchange.journal.tries, new Set(attempting.sentTo).size], [maxTries, maxTries]);
      attempting.assertAtRest();
    }
  });

  it('gives its client the last answer there was, where each said that it failed', async () => {
    const statuses = [500, 502, 429];
    const answers = statuses.map((status) => upstreamReply(status));
    let sent = 0;
    const attempting = new Attempting(newReplicas({}, {}, {}), () => answers[sent++] ?? assert.fail(), {
      retrying: { ...four, maxTries: 3 },
    });
    const reply = await attempting.answer();
    assert.equal(reply.status, 429);
    assert.deepEqual(
      answers.map(({ body }) => body.discards),
      [1, 1, 0],
    );
    assert.deepEqual(attempting.outcomes, ['first failed', 'retry failed']);
    reply.body.discard();
    attempting.assertAtRest();
  });

  it('is not made where no other replica is to be had, and the failure stands', async () => {
    for (const others of [[], [{ standing: 'unready' as const }]]) {
      const attempting = new Attempting(newReplicas({}, ...others), () => Promise.reject(unreachable()));
      await assert.rejects(attempting.answer(), { code: 'upstream_unreachable' });
      assert.deepEqual(attempting.outcomes, ['first failed']);
      attempting.assertAtRest();
      const answered = new Attempting(newReplicas({}, ...others), () => upstreamReply(500));
      const reply = await answered.answer();
      assert.equal(reply.status, 500);
      reply.body.discard();
      answered.assertAtRest();
    }
  });

  it('is not made when the budget is spent, and the client is told', async () => {
    const attempting = new Attempting(newReplicas({}, {}), () => upstreamReply(500), {
      retrying: { ...four, budget: noBudget },
    });
    const exchange = attempting.exchange();
    const reply = await attempting.answer(exchange);
    assert.deepEqual([reply.status, exchange.journal.isBudgetSpent, attempting.sentTo.length], [500, true, 1]);
    reply.body.discard();
  });

  it('burdens the budget once for each request, and once for each retry of what was sent', async () => {
    const calls: string[] = [];
    const budget = {
      deposit: () => void calls.push('deposit'),
      withdraw: () => {
        calls.push('withdraw');
        return true;
      },
    };
    let sent = 0;
    const attempting = new Attempting(
      newReplicas({}, {}, {}, {}),
      () => Promise.reject(sent++ === 1 ? unreachable() : broken()),
      { retrying: { ...four, budget } },
    );
    await assert.rejects(attempting.answer());
    assert.deepEqual(calls, ['deposit', 'withdraw', 'withdraw']);
  });

  it('follows after a pause drawn below 25 ms, twice that, and so on to a quarter of a second', async () => {
    const sentAtMs: number[] = [];
    const replicas = newReplicas({}, {}, {}, {}, {}, {}, {});
    const attempting = new Attempting(
      replicas,
      () => {
        sentAtMs.push(attempting.dispatching.clock.nowMs());
        return Promise.reject(broken());
      },
      { retrying: { ...four, maxTries: 7 } },
    );
    await assert.rejects(attempting.answer());
    const tickMs = 10;
    for (const [at, mostMs] of [25, 50, 100, 200, 250, 250].entries()) {
      const pausedMs = (sentAtMs[at + 1] ?? assert.fail()) - (sentAtMs[at] ?? 0);
      assert.ok(pausedMs > 0 && pausedMs <= mostMs + tickMs, `${pausedMs} ms before retry ${at + 1}`);
    }
  });

  it('is not made when its pause would end after the deadline', async () => {
    const attempting = new Attempting(newReplicas({}, {}), () => upstreamReply(500), { retrying: four });
    const exchange = attempting.exchange();
    exchange.cutTo(0.001);
    const reply = await attempting.answer(exchange, 0);
    assert.deepEqual([reply.status, attempting.sentTo.length], [500, 1]);
    reply.body.discard();
    exchange.meetDeadline();
  });

  it('waits at the head of the line, and ends there with why it was cancelled', async () => {
    const replicas = newReplicas({}, { slots: 1, inFlight: 2 });
    for (const fail of [unreachable, broken]) {
      const attempting = new Attempting(replicas, () => Promise.reject(fail()), { retrying: four });
      const exchange = attempting.exchange();
      const rejected = assert.rejects(attempting.serve(exchange), { code: 'client_left' });
      await attempting.dispatching.pass(100);
      assert.equal(attempting.dispatching.dispatcher.waitingCount, 1);
      exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
      await rejected;
      assert.equal(attempting.dispatching.dispatcher.waitingCount, 0);
      assert.equal(attempting.dispatching.wheel.armedCount, 0);
    }
  });

  it('ends in its pause when its client leaves', async () => {
    const attempting = new Attempting(newReplicas({}, {}), () => Promise.reject(broken()), { retrying: four });
    const exchange = attempting.exchange();
    const rejected = assert.rejects(attempting.serve(exchange), { code: 'client_left' });
    await attempting.dispatching.pass();
    assert.equal(attempting.dispatching.wheel.armedCount, 1, 'it pauses');
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await rejected;
    attempting.assertAtRest();
    assert.equal(attempting.sentTo.length, 1);
  });

  it('that found no replica in its wait leaves the failure as it was; an answer given up for it is not there any more', async () => {
    for (const [first, code] of [
      [() => Promise.reject(broken()), 'upstream_broken'],
      [() => upstreamReply(500), 'queue_timeout'],
    ] as const) {
      const replicas = newReplicas({}, { slots: 1, inFlight: 2 });
      const attempting = new Attempting(replicas, () => first(), { retrying: four });
      await assert.rejects(attempting.answer(attempting.exchange(), 11_000), { code });
      assert.equal(attempting.dispatching.dispatcher.waitingCount, 0);
    }
  });

  it('adds its wait for a replica to the first one’s', async () => {
    const replicas = newReplicas({ slots: 1 }, { slots: 1, standing: 'unready' });
    const attempting = new Attempting(replicas, ({ id }) =>
      id === 'a' ? Promise.reject(unreachable()) : upstreamReply(),
    );
    const leases = [hold(replicas[0]), hold(replicas[0])];
    const exchange = attempting.exchange();
    const reply = attempting.serve(exchange);
    await attempting.dispatching.pass(40);
    const other = replicas[1] ?? assert.fail();
    other.state.setStanding('starting', 'loads its models');
    leases[0]?.release('succeeded');
    replicas[0].state.setStanding('draining', 'wakes the line');
    replicas[0].state.setStanding('ready', 'and has a credit');
    await attempting.dispatching.pass(25);
    other.state.setStanding('ready', 'passed its health check');
    (await reply).body.discard();
    assert.equal(exchange.journal.queueWaitMs, 65);
    assert.deepEqual(attempting.outcomes, ['first failed', 'retry abandoned']);
  });
});
