import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../gateway/balance/backend.ts';
import type { NonEmpty } from '../../gateway/balance/policy.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { bytesBody } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { attempt } from '../../gateway/stages/attempt.ts';
import { newBackend } from '../support/backends.ts';
import { pumped } from '../support/bodies.ts';
import { Dispatching } from '../support/dispatching.ts';
import { readExchange } from '../support/exchanges.ts';
import { hold, newReplicas } from '../support/replicas.ts';
import { ScriptedTransport, unreachable, upstreamReply } from '../support/scripted-transport.ts';

type Answer = ConstructorParameters<typeof ScriptedTransport>[0];

/** The stage over real dispatching and a scripted transport. */
class Attempting {
  readonly dispatching: Dispatching;
  readonly transport: ScriptedTransport;
  readonly tried: TryFact[] = [];
  readonly serve: Serve;
  readonly replicas: NonEmpty<Replica>;

  constructor(replicas: NonEmpty<Replica>, answer: Answer) {
    this.replicas = replicas;
    this.dispatching = new Dispatching(replicas);
    this.transport = new ScriptedTransport(answer);
    const tried = new Topic<TryFact>();
    tried.subscribe((fact) => this.tried.push(fact));
    const { transport, dispatching } = this;
    this.serve = attempt({
      transport,
      clock: dispatching.clock,
      wheel: dispatching.wheel,
      rng: seededRng(1),
      tried,
    }).wrap(() => assert.fail('it has no next'));
  }

  exchange(fallbacks: readonly Backend[] = []): Exchange {
    const exchange = readExchange({ clock: this.dispatching.clock, body: '{}' });
    const { dispatching, replicas } = this;
    const backend = newBackend('pool', { dispatching, replicas, wantsReports: true });
    const route = {
      name: 'pool',
      destinations: [{ backend, weight: 1 }],
      fallbacks,
      mirror: null,
      deadlineMs: null,
      serve: this.serve,
    } as const;
    exchange.choice = { route, backend, upstreamModel: 'digits' };
    return exchange;
  }

  /** How its tries ended, each as kind and outcome. */
  get outcomes(): string[] {
    return this.tried.map(({ kind, outcome }) => `${kind} ${outcome}`);
  }

  assertAtRest(): void {
    for (const { id, slot } of this.replicas) assert.equal(slot.inFlight, 0, id);
    assert.deepEqual(this.dispatching.releasedTwice, []);
    assert.equal(this.dispatching.dispatcher.waitingCount, 0);
  }
}

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
      const attempting = new Attempting(newReplicas({}), () => answer);
      const reply = await attempting.serve(attempting.exchange());
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
    const attempting = new Attempting(newReplicas({}), () => ({
      ...upstreamReply(),
      body: bytesBody(Buffer.from('{}')),
    }));
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
      const attempting = new Attempting(newReplicas({}), () => upstreamReply(200, said));
      (await attempting.serve(attempting.exchange())).body.discard();
      assert.equal(attempting.replicas[0].slots, said === report ? 2 : null);
    }
  });

  it('is refused with the body withheld when the gateway’s own credential is bad, and blames no replica', async () => {
    for (const status of [401, 402, 403]) {
      const answer = upstreamReply(status);
      const attempting = new Attempting(newReplicas({}, {}), () => answer);
      await assert.rejects(attempting.serve(attempting.exchange()), { code: 'upstream_credential', status: 502 });
      assert.equal(answer.body.discards, 1);
      assert.deepEqual(attempting.outcomes, ['first abandoned']);
      attempting.assertAtRest();
    }
  });
});

describe('an attempt', () => {
  it('tries once more, on another replica, where nothing could be sent', async () => {
    const answer = upstreamReply();
    const attempting = new Attempting(newReplicas({ inFlight: 1 }, {}), ({ id }) => {
      if (id === 'b') throw unreachable();
      return answer;
    });
    const exchange = attempting.exchange();
    const reply = await attempting.serve(exchange);
    reply.body.discard();
    assert.deepEqual(
      attempting.transport.sent.map(({ replica }) => replica.id),
      ['b', 'a'],
    );
    assert.deepEqual(attempting.outcomes, ['first failed', 'retry abandoned']);
    assert.deepEqual([exchange.journal.tries, exchange.journal.replica], [2, 'pool/a']);
  });

  it('tries twice at the most', async () => {
    const attempting = new Attempting(newReplicas({}, {}, {}), () => Promise.reject(unreachable()));
    await assert.rejects(attempting.serve(attempting.exchange()), { code: 'upstream_unreachable' });
    assert.deepEqual(attempting.outcomes, ['first failed', 'retry failed']);
    attempting.assertAtRest();
  });

  it('does not try again what may have run, nor what is nobody’s fault', async () => {
    const cases: readonly [ErrorCode, string][] = [
      ['upstream_broken', 'first failed'],
      ['upstream_timeout', 'first failed'],
      ['deadline_exceeded', 'first abandoned'],
      ['client_left', 'first abandoned'],
    ];
    for (const [code, outcome] of cases) {
      const attempting = new Attempting(newReplicas({}, {}), () => Promise.reject(new GatewayError(code, 'so')));
      await assert.rejects(attempting.serve(attempting.exchange()), { code });
      assert.deepEqual(attempting.outcomes, [outcome]);
      attempting.assertAtRest();
    }
  });

  it('gives up with the first error where no other replica is to be had', async () => {
    for (const others of [[], [{ standing: 'unready' as const }]]) {
      const attempting = new Attempting(newReplicas({}, ...others), () => Promise.reject(unreachable()));
      await assert.rejects(attempting.serve(attempting.exchange()), { code: 'upstream_unreachable' });
      assert.deepEqual(attempting.outcomes, ['first failed']);
      attempting.assertAtRest();
    }
  });

  it('fails with why it was cancelled while it waited for another replica', async () => {
    const replicas = newReplicas({}, { slots: 1, inFlight: 2 });
    const attempting = new Attempting(replicas, () => Promise.reject(unreachable()));
    const exchange = attempting.exchange();
    const rejected = assert.rejects(attempting.serve(exchange), { code: 'client_left' });
    await attempting.dispatching.pass(10);
    assert.equal(attempting.dispatching.dispatcher.waitingCount, 1);
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await rejected;
    assert.equal(attempting.dispatching.dispatcher.waitingCount, 0);
  });

  it('is refused as the dispatcher refuses, without a try', async () => {
    const attempting = new Attempting(newReplicas({ standing: 'unready' }), () => assert.fail('sent'));
    await assert.rejects(attempting.serve(attempting.exchange()), { code: 'none_eligible' });
    assert.deepEqual(attempting.tried, []);
  });

  it('notes how long it waited, all its waits together', async () => {
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
