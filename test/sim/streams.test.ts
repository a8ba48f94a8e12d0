import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TryTimeouts } from '../../gateway/balance/backend.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type Call, Simulation } from '../support/simulation.ts';

const never = Number.POSITIVE_INFINITY;
/** The wheel's tick: alarms ring up to this much late and never early. */
const usualTickMs = 10;
/** Simulated hours are quick with a coarse one. */
const coarseTickMs = 250;
const headers = { 'content-type': 'text/event-stream' };
const event = (afterMs: number): { afterMs: number; bytes: Uint8Array } => ({
  afterMs,
  bytes: Buffer.from('data: {}\n\n'),
});
const events = (count: number, everyMs: number) => Array.from({ length: count }, () => event(everyMs));

interface Timeouts {
  readonly timeouts: TryTimeouts;
  readonly streamTimeouts: Partial<TryTimeouts>;
}

/** The timeouts of an openai backend for which this much is configured. */
function configured(timeouts = ''): Timeouts {
  const backend = `{ name: chat, protocol: openai, models: [chat], replicas: [{ url: "http://h:1" }], timeouts: {${timeouts}} }`;
  const [settings] = parseSettings(`backends: [${backend}]`, 'gateway.yaml', {}).backends;
  assert.ok(settings);
  const { streamTotalMs, ...common } = settings.timeouts;
  return { timeouts: common, streamTimeouts: { totalMs: streamTotalMs } };
}

/** What a test says of a call besides what the client sends. */
interface Asked extends Call {
  readonly tickMs?: number;
}

interface Seen {
  readonly answer: Answer;
  readonly tookMs: number;
  readonly outcomes: readonly string[];
  readonly abortedAtMs: number | null;
}

async function callOnce(script: Script, timeouts: Timeouts, { tickMs = usualTickMs, ...call }: Asked): Promise<Seen> {
  const simulation = new Simulation({
    seed: 1,
    tickMs,
    backends: [{ name: 'chat', protocol: 'openai', replicas: [{ id: 'a', script: () => script }], ...timeouts }],
  });
  const answering = simulation.call(call);
  await simulation.clock.runAll();
  const answer = await answering;
  assert.deepEqual(simulation.leftovers(), []);
  const { journal, receivedAtMs } = answer.exchange;
  return {
    answer,
    tookMs: journal.endedAtMs - receivedAtMs,
    outcomes: simulation.tried.map(({ outcome }) => outcome),
    abortedAtMs: simulation.replicaOf('chat/a').seen[0]?.abortedAtMs ?? null,
  };
}

const stream = (script: Script, timeouts: Timeouts, call: Asked = {}): Promise<Seen> =>
  callOnce({ headers, ...script }, timeouts, { isStreaming: true, ...call });

function assertEndsAt(tookMs: number, dueMs: number, tickMs = usualTickMs): void {
  assert.ok(tookMs >= dueMs && tookMs <= dueMs + tickMs, `${tookMs} ms, wanted ${dueMs} to ${dueMs + tickMs}`);
}

describe('a stream', () => {
  it('that goes on for an hour is not cut', async () => {
    const { answer, tookMs, outcomes, abortedAtMs } = await stream({ pieces: events(360, 10_000) }, configured(), {
      tickMs: coarseTickMs,
    });
    assert.equal(answer.end, 'complete');
    assert.equal(answer.body.toString(), 'data: {}\n\n'.repeat(360));
    assert.equal(tookMs, 3_600_000);
    assert.deepEqual(outcomes, ['succeeded']);
    assert.equal(abortedAtMs, null);
  });

  for (const begunMs of [0, 100_000]) {
    it(`that stalls when ${begunMs} ms have passed is cut at the idle timeout, and the replica is blamed`, async () => {
      const { timeouts } = configured();
      const pieces = [event(5), ...events(begunMs / 10_000, 10_000)];
      const { answer, tookMs, outcomes, abortedAtMs } = await stream({ pieces, ends: 'hangs' }, configured());
      assert.equal(answer.end, 'broken');
      assert.equal(answer.exchange.journal.code, 'upstream_timeout');
      assertEndsAt(tookMs, 5 + begunMs + timeouts.idleMs);
      assert.equal(abortedAtMs, tookMs);
      assert.deepEqual(outcomes, ['failed']);
      assert.equal(answer.body.length, 10 * pieces.length, 'what came was passed on');
    });
  }

  it('of comments alone is alive: they are bytes like any others', async () => {
    const ping = { afterMs: 20_000, bytes: Buffer.from(': ping\n\n') };
    const { answer } = await stream({ pieces: Array(30).fill(ping) }, configured(), { tickMs: coarseTickMs });
    assert.equal(answer.end, 'complete');
  });

  it('waits for its first byte as long as first_byte says, however early its head comes', async () => {
    const { timeouts } = configured();
    const script = { headAfterMs: 5, ends: 'hangs' } as const;
    const { answer, tookMs } = await stream(script, configured(), { tickMs: coarseTickMs });
    assert.equal(answer.exchange.journal.code, 'upstream_timeout');
    assert.equal(answer.body.length, 0);
    assertEndsAt(tookMs, timeouts.firstByteMs, coarseTickMs);
  });

  it('is not cut at the idle timeout because its client reads slowly', async () => {
    const call = { readMs: 400 };
    const { answer, tookMs, outcomes } = await stream({ pieces: events(20, 10) }, configured('idle: 100ms'), call);
    assert.equal(answer.end, 'complete');
    assert.ok(tookMs >= 19 * 400);
    assert.deepEqual(outcomes, ['succeeded']);
  });

  it('that stalls after its client has caught up is cut an idle timeout later', async () => {
    const script = { pieces: [event(10)], ends: 'hangs' } as const;
    const { answer, tookMs } = await stream(script, configured('idle: 100ms'), { readMs: 400 });
    assert.equal(answer.exchange.journal.code, 'upstream_timeout');
    assertEndsAt(tookMs, 10 + 400 + 100);
  });
});

describe('total', () => {
  it('ends a request that is not streamed, and a stream as well, where it is configured', async () => {
    for (const isStreaming of [false, true]) {
      const { answer, tookMs } = await stream({ pieces: events(100, 100) }, configured('total: 2s'), { isStreaming });
      assert.equal(answer.exchange.journal.code, 'upstream_timeout');
      assertEndsAt(tookMs, 2000);
    }
  });

  it('holds where a protocol has one by itself for unary requests, and not for streams', async () => {
    const own = { ...configured(), timeouts: { ...configured().timeouts, totalMs: 120_000 } };
    const script = { pieces: events(30, 10_000) };
    const unary = await callOnce(script, own, { tickMs: coarseTickMs });
    assert.equal(unary.answer.exchange.journal.code, 'upstream_timeout');
    assertEndsAt(unary.tookMs, 120_000, coarseTickMs);
    assert.equal((await stream(script, own, { tickMs: coarseTickMs })).answer.end, 'complete');
  });
});

describe('a deadline', () => {
  const deadline = { deadlineMs: 300 };
  const script = (firstMs: number) => ({ headAfterMs: 5, pieces: [event(firstMs), ...events(10, 100)] });

  it('ends a stream before its first byte, and blames nobody', async () => {
    for (const one of [{ headAfterMs: never }, script(400)]) {
      const { answer, tookMs, outcomes } = await stream(one, configured(), deadline);
      assert.equal(answer.exchange.journal.code, 'deadline_exceeded');
      assert.equal(answer.exchange.journal.status, 504);
      assertEndsAt(tookMs, 300);
      assert.deepEqual(outcomes, ['abandoned']);
    }
  });

  it('that has been met by the first byte does not end a stream, by whatever sign it is one', async () => {
    const asked = { call: { isStreaming: true }, as: 'application/x-ndjson' };
    const unasked = { call: { isStreaming: false }, as: 'text/event-stream' };
    for (const { call, as } of [asked, unasked]) {
      const told = { ...script(200), headers: { 'content-type': as } };
      const { answer, tookMs } = await stream(told, configured(), { ...deadline, ...call });
      assert.equal(answer.end, 'complete');
      assert.equal(tookMs, 5 + 200 + 10 * 100);
    }
  });

  it('ends an answer that is no stream also after its first byte', async () => {
    const { answer, tookMs } = await callOnce(script(200), configured(), deadline);
    assert.equal(answer.exchange.journal.code, 'deadline_exceeded');
    assertEndsAt(tookMs, 300);
  });
});
