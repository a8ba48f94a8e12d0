import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { bytesBody } from '../../gateway/pipeline/reply.ts';
import { Attempting } from '../support/attempting.ts';
import { pumped } from '../support/bodies.ts';
import { newGate } from '../support/gates.ts';
import { newReplicas } from '../support/replicas.ts';
import { unreachable, upstreamReply } from '../support/scripted-transport.ts';

const once = {
  maxTries: 1,
  isIdempotent: true,
  budget: { deposit: () => {}, withdraw: () => assert.fail('no retry') },
};

describe('a try', () => {
  it('holds its replica until the last byte, and then tells how it went', async () => {
    const cases = [
      [200, 'complete', 'first succeeded'],
      [404, 'complete', 'first succeeded'],
      [500, 'complete', 'first failed'],
      [429, 'complete', 'first refused'],
      [200, 'broken', 'first failed'],
      [500, 'abandoned', 'first abandoned'],
    ] as const;
    for (const [status, end, outcome] of cases) {
      const answer = upstreamReply(status);
      const attempting = new Attempting(newReplicas({}), () => answer, { retrying: once });
      const reply = await attempting.answer();
      assert.equal(reply.status, status);
      pumped(reply.body);
      answer.body.feed('{}');
      assert.deepEqual([attempting.replicas[0].slot.inFlight, attempting.outcomes], [1, []]);
      answer.body.end(end);
      assert.deepEqual(attempting.outcomes, [outcome]);
      attempting.assertAtRest();
    }
  });

  it('sends what the protocol writes, with the time that is left and the ask for a report', async () => {
    const whole = { ...upstreamReply(), body: bytesBody(Buffer.from('{}')) };
    const attempting = new Attempting(newReplicas({}), () => whole, { wantsReports: true });
    const exchange = attempting.exchange();
    exchange.cutTo(800);
    await attempting.dispatching.pass(300);
    pumped((await attempting.serve(exchange)).body);
    const { request } = attempting.transport.sent[0] ?? assert.fail();
    assert.deepEqual([request.method, request.path, String(request.body)], ['POST', '/v2/models/digits/infer', '{}']);
    assert.equal(headerInList(request.headers, 'x-request-timeout-ms'), '500');
    assert.equal(headerInList(request.headers, 'endpoint-load-metrics-format'), 'JSON');
    const { journal } = exchange;
    assert.deepEqual([journal.replica, journal.upstreamModel, journal.tries], ['pool/a', 'digits', 1]);
    assert.deepEqual([journal.sentAtMs, journal.headAtMs], [300, 300]);
  });

  it('takes in what the replica says of its load', async () => {
    const report = 'JSON {"named_metrics":{"slots":2,"queued":1}}';
    for (const said of [report, 'nonsense', null]) {
      const attempting = new Attempting(newReplicas({}), () => upstreamReply(200, said), { wantsReports: true });
      (await attempting.serve(attempting.exchange())).body.discard();
      const { slots, state } = attempting.replicas[0];
      assert.deepEqual([slots, state.reportSource], said === report ? [2, 'reply'] : [null, null]);
      assert.deepEqual([...state.reportFaults.counts], said === 'nonsense' ? [['malformed', 1]] : []);
    }
  });

  it('does not read what the replica says of its load where none is wanted', async () => {
    const attempting = new Attempting(newReplicas({}), () => upstreamReply(200, 'TEXT named_metrics.slots=2'), {
      wantsReports: false,
    });
    (await attempting.serve(attempting.exchange())).body.discard();
    assert.equal(attempting.replicas[0].state.report, null);
  });

  it('is refused with the body withheld when the gateway’s own credential is bad, and the gate told so', async () => {
    for (const [status, evidence] of [
      [401, 'credential'],
      [402, 'credential'],
      [403, 'client_error'],
    ] as const) {
      const told: string[] = [];
      const gate = newGate({ enter: () => ({ settle: (said) => told.push(said) }) });
      const answer = upstreamReply(status);
      const attempting = new Attempting(newReplicas({ gate }), () => answer);
      await assert.rejects(attempting.answer(), { code: 'upstream_credential', status: 502 });
      assert.deepEqual([answer.body.pumps, answer.body.discards], [0, 1]);
      assert.deepEqual([told, attempting.outcomes], [[evidence], ['first failed']]);
      attempting.assertAtRest();
    }
  });

  it('lets its replica rest that declines, for no longer than it asks', async () => {
    for (const status of [429, 503]) {
      const declined = { ...upstreamReply(status), headers: ['retry-after', '4'] };
      const attempting = new Attempting(newReplicas({}), () => declined, { retrying: once });
      (await attempting.answer(attempting.exchange(), 0)).body.discard();
      const { rest } = attempting.replicas[0].state;
      assert.ok((rest.untilMs ?? 0) >= 100 && (rest.untilMs ?? 0) <= 5000, `until ${rest.untilMs}`);
    }
  });

  it('says of its replica what came of it, and nothing where nobody waits any more', async () => {
    const told: string[] = [];
    const gate = newGate({ enter: () => ({ settle: (said) => told.push(said) }) });
    for (const failure of [
      unreachable(),
      new GatewayError('upstream_timeout', ''),
      new GatewayError('client_left', ''),
    ]) {
      const attempting = new Attempting(newReplicas({ gate }), () => Promise.reject(failure));
      await assert.rejects(attempting.answer(), { code: failure.code });
      attempting.assertAtRest();
    }
    assert.deepEqual(told, ['unreachable', 'timeout', 'none']);
  });

  it('is not passed on when its answer comes at the deadline', async () => {
    const answer = upstreamReply();
    const attempting = new Attempting(newReplicas({}), async () => {
      await attempting.dispatching.clock.sleep(105);
      return answer;
    });
    const exchange = attempting.exchange();
    exchange.cutTo(105);
    await assert.rejects(attempting.answer(exchange), { code: 'deadline_exceeded' });
    assert.equal(answer.body.discards, 1);
    assert.deepEqual(attempting.outcomes, ['first abandoned']);
  });
});

it('an attempt is refused as the dispatcher refuses, without a try', async () => {
  const attempting = new Attempting(newReplicas({ standing: 'unready' }), () => assert.fail('sent'));
  await assert.rejects(attempting.answer(), { code: 'none_eligible' });
  assert.deepEqual(attempting.tried, []);
});
