import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackendAffinity } from '../../gateway/balance/backend.ts';
import { PrefixPlaces } from '../../gateway/balance/prefix-places.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { newBackend } from '../support/backends.ts';
import { newAsked } from '../support/caching/asked.ts';
import { newExchange, readExchange } from '../support/exchanges.ts';

describe('the deadline of an exchange', () => {
  it('cancels it when it passes, at most one tick late', async () => {
    const clock = new VirtualClock();
    const exchange = newExchange({ clock });
    exchange.cutTo(105);
    await clock.runUntil(104);
    assert.equal(reasonOf(exchange), null);
    await clock.runUntil(115);
    assert.equal(reasonOf(exchange), 'deadline_exceeded');
  });

  it('is the earliest it was cut to', async () => {
    const clock = new VirtualClock();
    const exchange = newExchange({ clock });
    assert.equal(exchange.deadlineMs, Number.POSITIVE_INFINITY);
    for (const deadlineMs of [300, 100, 200]) exchange.cutTo(deadlineMs);
    assert.equal(exchange.deadlineMs, 100);
    await clock.runUntil(110);
    assert.equal(reasonOf(exchange), 'deadline_exceeded');
  });

  it('that was met cancels nothing, and leaves no alarm', async () => {
    const clock = new VirtualClock();
    const exchange = newExchange({ clock });
    exchange.meetDeadline();
    exchange.cutTo(100);
    exchange.meetDeadline();
    await clock.runAll();
    assert.equal(reasonOf(exchange), null);
    assert.equal(clock.pending, 0);
  });
});

describe('a detached exchange', () => {
  it('is the same work with facts and time of its own, which nobody else’s leaving ends', () => {
    const exchange = newAsked({ body: '{"inputs":[]}' });
    exchange.sharing = { key: 'k', wish: 'new' };
    exchange.cutTo(100);
    const own = exchange.detached(exchange.choice, 100);
    assert.deepEqual([exchange.isDetached, own.isDetached], [false, true]);
    for (const name of ['id', 'head', 'tenant', 'choice', 'sharing', 'generation'] as const)
      assert.equal(own[name], exchange[name], name);
    assert.notEqual(own.journal, exchange.journal);
    assert.equal(own.journal.backend, 'digits');
    exchange.ask.payload = new Uint8Array(0);
    assert.ok(own.ask.payload.length > 0, 'it may have to be sent when its client’s is done with');
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    assert.equal(reasonOf(own), null);
  });

  it('has as long as whoever waits longest, and arms no alarm for that', async () => {
    const clock = new VirtualClock();
    const exchange = newAsked({ clock });
    const own = exchange.detached(exchange.choice, 100);
    own.prolongTo(300);
    own.prolongTo(200);
    assert.deepEqual([own.deadlineMs, clock.pending], [300, 0]);
    await clock.runUntil(299);
    own.expire(clock);
    assert.equal(reasonOf(own), null);
    await clock.runUntil(300);
    own.expire(clock);
    assert.equal(reasonOf(own), 'deadline_exceeded');
    own.prolongTo(Number.POSITIVE_INFINITY);
    assert.equal(own.deadlineMs, Number.POSITIVE_INFINITY);
  });
});

it('what a stage writes cannot be read before', () => {
  const exchange = newExchange();
  assert.throws(() => exchange.tenant, /exchange\.tenant was read before the stage that writes it/);
  assert.throws(() => exchange.ask, /exchange\.ask/);
  assert.throws(() => exchange.work, /exchange\.ask/);
  assert.throws(() => exchange.choice, /exchange\.choice/);
  exchange.tenant = 'team';
  assert.equal(exchange.tenant, 'team');
});

const neverServed: Serve = () => Promise.reject(new Error('nobody serves it'));

it('work has what the affinity of the chosen backend goes by, read once, and while the body is there', () => {
  const exchange = readExchange({ body: '{"inputs":[]}' });
  const reads: string[] = [];
  const affinityOf = (name: string): BackendAffinity => ({
    read(_head, content) {
      reads.push(`${name} ${content}`);
      return { prefix: null, sessionKey: name };
    },
    places: new PrefixPlaces(1),
  });
  const choose = (name: string, affinity?: BackendAffinity): void => {
    const backend = newBackend(name, affinity === undefined ? {} : { affinity });
    const destinations = [{ backend, weight: 1 }] as const;
    const route = {
      name,
      destinations,
      fallbacks: [],
      mirror: null,
      sharing: null,
      deadlineMs: null,
      serve: neverServed,
    };
    exchange.choice = { route, backend, upstreamModel: 'm' };
  };
  choose('first', affinityOf('first'));
  assert.deepEqual(reads, []);
  assert.equal(exchange.work.sessionKey, 'first');
  exchange.ask.content = new Uint8Array(0);
  assert.equal(exchange.work.sessionKey, 'first');
  choose('none');
  assert.equal(exchange.work, exchange.ask.work);
  choose('second', affinityOf('second'));
  assert.equal(exchange.work.sessionKey, 'second');
  assert.deepEqual(reads, ['first {"inputs":[]}', 'second ']);
});

describe('the same work, going on by itself,', () => {
  const detach = (deadlineMs?: number) => {
    const clock = new VirtualClock();
    const exchange = newAsked({ clock, body: '{}', tenant: 't' });
    exchange.sharing = { key: 'k', wish: 'any' };
    exchange.journal.cache = { kind: 'forwarded', why: 'miss' };
    exchange.journal.tries = 3;
    exchange.cutTo(100);
    return { clock, exchange, own: exchange.detached(exchange.choice, deadlineMs) };
  };

  it('asks the same of the same, for the same tenant', () => {
    const { exchange, own } = detach();
    for (const field of [
      'id',
      'receivedAtMs',
      'generation',
      'protocol',
      'head',
      'tenant',
      'choice',
      'sharing',
    ] as const)
      assert.equal(own[field], exchange[field], field);
    assert.deepEqual([own.isDetached, exchange.isDetached], [true, false]);
    assert.deepEqual(own.ask, exchange.ask);
  });

  it('writes its own journal, with what was settled before', () => {
    const { exchange, own } = detach();
    assert.notEqual(own.journal, exchange.journal);
    const { backend, cache, tries } = own.journal;
    assert.deepEqual([backend, cache, tries], ['digits', { kind: 'forwarded', why: 'miss' }, 0]);
  });

  it('keeps its request when the other one forgets it, and the other way round', () => {
    const { exchange, own } = detach();
    exchange.ask.payload = exchange.ask.content = new Uint8Array(0);
    assert.equal(Buffer.from(own.ask.payload).toString(), '{}');
    const second = detach();
    second.own.ask.content = new Uint8Array(0);
    assert.equal(Buffer.from(second.exchange.ask.content).toString(), '{}');
  });

  it('is not cancelled with the other one, nor by a deadline', async () => {
    const { clock, exchange, own } = detach(50);
    assert.equal(own.deadlineMs, 50);
    await clock.runUntil(200);
    assert.equal(reasonOf(exchange), 'deadline_exceeded');
    assert.equal(reasonOf(own), null);
    own.expire(clock);
    assert.equal(reasonOf(own), 'deadline_exceeded');
  });

  it('has no deadline unless one is said, and one that is put off is not brought forward again', () => {
    assert.equal(detach().own.deadlineMs, Number.POSITIVE_INFINITY);
    const { own } = detach(50);
    for (const deadlineMs of [80, 60]) own.prolongTo(deadlineMs);
    assert.equal(own.deadlineMs, 80);
  });
});

it('an exchange without a deadline arms no alarm', () => {
  const clock = new VirtualClock();
  newExchange({ clock });
  assert.equal(clock.pending, 0);
});

/** The code for which it was cancelled, or null. */
function reasonOf({ cancellation }: Exchange): string | null {
  return cancellation.reason?.code ?? null;
}
