import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, GatewayError } from '../../gateway/kernel/errors.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { type Body, type BodyEnd, bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { account } from '../../gateway/stages/account.ts';
import { FedBody, pumped } from '../support/bodies.ts';
import { readExchange } from '../support/exchanges.ts';

const replyOf = (body: Body, status = 200): Reply => ({ status, headers: [], source: 'upstream', body });

/** The stage on a virtual clock, and the exchanges it told of. */
class Accounting {
  readonly clock = new VirtualClock();
  readonly settled: Exchange[] = [];
  readonly exchange = readExchange({ clock: this.clock });
  readonly serve: Serve;

  constructor(next: Serve) {
    const topic = new Topic<Exchange>();
    topic.subscribe((exchange) => this.settled.push(exchange));
    this.serve = account(topic, this.clock).wrap(next);
  }

  get journal(): Exchange['journal'] {
    return this.exchange.journal;
  }
}

describe('accounting for an answer', () => {
  it('notes its first and last byte, and tells of it once, at the last', async () => {
    const inner = new FedBody();
    const accounting = new Accounting(async () => replyOf(inner, 201));
    const { clock, exchange, journal, settled } = accounting;
    await clock.runUntil(5);
    const sink = pumped((await accounting.serve(exchange)).body);
    await clock.runUntil(10);
    inner.feed('abc');
    await clock.runUntil(20);
    assert.deepEqual(settled, []);
    inner.feed('de');
    inner.end('complete');
    assert.equal(sink.text, 'abcde');
    assert.deepEqual(settled, [exchange]);
    assert.deepEqual(
      [journal.status, journal.code, journal.source, journal.bodyEnd],
      [201, 'ok', 'upstream', 'complete'],
    );
    assert.deepEqual([journal.firstByteAtMs, journal.endedAtMs, journal.bytesOut], [10, 20, 5]);
  });

  it('calls it ok whatever its status, since that is the replica’s answer', async () => {
    const accounting = new Accounting(async () => replyOf(bytesBody(Buffer.from('no')), 500));
    pumped((await accounting.serve(accounting.exchange)).body);
    assert.deepEqual([accounting.journal.status, accounting.journal.code], [500, 'ok']);
  });

  it('tells a body that broke off from a client that left', async () => {
    const cases: readonly [BodyEnd, GatewayError | null, ErrorCode | 'ok'][] = [
      ['broken', null, 'upstream_broken'],
      ['abandoned', null, 'client_left'],
      ['abandoned', new GatewayError('deadline_exceeded', 'too late'), 'deadline_exceeded'],
      ['abandoned', new GatewayError('client_left', 'left'), 'client_left'],
      ['complete', new GatewayError('client_left', 'left'), 'ok'],
    ];
    for (const [[how, reason, code], fed] of cases.flatMap((one) => [[one, ''] as const, [one, 'x'] as const])) {
      const inner = new FedBody();
      const accounting = new Accounting(async () => replyOf(inner));
      pumped((await accounting.serve(accounting.exchange)).body);
      if (fed !== '') inner.feed(fed);
      if (reason !== null) accounting.exchange.cancellation.cancel(reason);
      inner.end(how);
      assert.deepEqual([accounting.journal.code, accounting.settled.length], [code, 1]);
      const status = code === 'ok' || fed !== '' ? 200 : errorTable[code].status;
      assert.equal(accounting.journal.status, status, 'the status that was sent stays, where one was sent');
    }
  });

  it('counts a body that is discarded, and whatever its source does then, once', async () => {
    const inner = new FedBody();
    const accounting = new Accounting(async () => replyOf(inner));
    const { body } = await accounting.serve(accounting.exchange);
    body.discard();
    inner.end('abandoned');
    body.discard();
    assert.equal(accounting.settled.length, 1);
    assert.equal(accounting.journal.code, 'client_left');
  });

  it('meets the deadline at the last byte, or at the first of a stream', async () => {
    for (const isStreaming of [false, true]) {
      const inner = new FedBody();
      const accounting = new Accounting(async () => replyOf(inner));
      const { clock, exchange } = accounting;
      exchange.ask = { ...exchange.ask, isStreaming };
      exchange.cutTo(100);
      pumped((await accounting.serve(exchange)).body);
      inner.feed('first');
      await clock.runUntil(200);
      assert.equal(exchange.cancellation.reason?.code, isStreaming ? undefined : 'deadline_exceeded');
    }
  });
});

describe('the deadline of a stream of events that nobody asked to be one', () => {
  const types: readonly (readonly [headers: string[], isMet: boolean])[] = [
    [['content-type', 'text/event-stream; charset=utf-8'], true],
    [['content-type', 'application/json'], false],
    [['content-type', 'text/event-stream', 'content-encoding', 'gzip'], false],
  ];
  for (const [headers, isMet] of types) {
    it(`is ${isMet ? '' : 'not '}met at its first byte with ${headers.join(' ')}`, async () => {
      const inner = new FedBody();
      const accounting = new Accounting(async () => ({ ...replyOf(inner), headers }));
      const { clock, exchange } = accounting;
      exchange.cutTo(100);
      pumped((await accounting.serve(exchange)).body);
      inner.feed('data: 1\n\n');
      await clock.runUntil(200);
      assert.equal(exchange.cancellation.reason?.code, isMet ? undefined : 'deadline_exceeded');
    });
  }

  it('still passes while no byte has come', async () => {
    const inner = new FedBody();
    const accounting = new Accounting(async () => ({
      ...replyOf(inner),
      headers: ['content-type', 'text/event-stream'],
    }));
    const { clock, exchange } = accounting;
    exchange.cutTo(100);
    pumped((await accounting.serve(exchange)).body);
    await clock.runUntil(200);
    assert.equal(exchange.cancellation.reason?.code, 'deadline_exceeded');
  });
});

describe('accounting for a refusal', () => {
  it('notes the error, passes it on, and tells of it once', async () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.7:8000');
    const error = new GatewayError('upstream_unreachable', 'replica a cannot be reached', { cause });
    const accounting = new Accounting(() => Promise.reject(error));
    accounting.exchange.cutTo(1000);
    await accounting.clock.runUntil(7);
    await assert.rejects(accounting.serve(accounting.exchange), error);
    const { status, code, source, detail, endedAtMs } = accounting.journal;
    assert.deepEqual([status, code, source, endedAtMs], [502, 'upstream_unreachable', 'refused', 7]);
    assert.match(detail, /^replica a cannot be reached: connect ECONNREFUSED 10\.0\.0\.7:8000/);
    assert.equal(error.message.includes('10.0.0.7'), false);
    assert.deepEqual(accounting.settled, [accounting.exchange]);
    await accounting.clock.runAll();
    assert.equal(accounting.exchange.cancellation.reason, null, 'its deadline has been disarmed');
  });

  it('makes whatever else is thrown an internal error', async () => {
    for (const next of [() => Promise.reject(new TypeError('x is undefined')), () => assert.fail('x is undefined')]) {
      const accounting = new Accounting(next);
      await assert.rejects(accounting.serve(accounting.exchange), { code: 'internal' });
      assert.equal(accounting.journal.status, 500);
      assert.match(accounting.journal.detail, /x is undefined/);
      assert.equal(accounting.settled.length, 1);
    }
  });

  it('serves nothing to an exchange that was cancelled before', async () => {
    const accounting = new Accounting(() => assert.fail('served'));
    accounting.exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await assert.rejects(accounting.serve(accounting.exchange), { code: 'client_left' });
    assert.deepEqual([accounting.journal.status, accounting.settled.length], [499, 1]);
  });
});
