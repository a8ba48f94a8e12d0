import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { checkHealth } from '../../gateway/upstream/health-check.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { newReplica } from '../support/replicas.ts';
import { type Script, SimulatedReplica } from '../support/simulated-replica.ts';

/** Checks a replica that answers by a script; tells what was found, and what it was asked. */
async function check(
  script: Script,
  forMs = 0,
  unwellFromStatus = 300,
  headers: Record<string, string> = { 'x-key': 'k' },
  wantsReport = true,
) {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const simulated = new SimulatedReplica(clock, () => script);
  const transport = new UndiciTransport({ clock, wheel, connect: () => simulated });
  const replica = newReplica({ address: { basePath: '/prefix', headers } });
  transport.hold(replica, 3000);
  const checked = checkHealth(replica, transport, {
    path: '/ready',
    timeoutMs: 500,
    unwellFromStatus,
    wantsReport,
    clock,
  });
  await clock.runUntil(clock.nowMs() + forMs);
  const found = await checked;
  return { found, seen: simulated.seen, armed: wheel.armedCount, state: replica.state };
}

test('a replica is asked where and as its configuration says', async () => {
  const { found, seen, armed } = await check({});
  assert.equal(found, null);
  assert.equal(seen[0]?.path, '/prefix/ready');
  assert.deepEqual(seen[0]?.headers, ['endpoint-load-metrics-format', 'JSON', 'x-key', 'k']);
  assert.equal(armed, 0);
});

test('a replica says of its load with the answer, where that is wanted, also when it is not well', async () => {
  for (const status of [200, 503]) {
    const script = { status, headers: { 'endpoint-load-metrics': 'TEXT named_metrics.queued=3' } };
    const { state } = await check(script);
    assert.deepEqual([state.report?.queued, state.reportSource], [3, 'probe']);
    const unasked = await check(script, 0, 300, {}, false);
    assert.deepEqual([unasked.state.report, unasked.seen[0]?.headers], [null, []]);
  }
});

test('any status from 200 to 299 is well, any other is not', async () => {
  for (const status of [200, 204, 299]) assert.equal((await check({ status })).found, null);
  for (const status of [301, 400, 404, 500, 503])
    assert.equal((await check({ status })).found, `GET /ready: status ${status}`);
});

test('where no more is known of a replica than that it answers, only what speaks against it is not well', async () => {
  for (const status of [200, 301, 401, 404, 499]) assert.equal((await check({ status }, 0, 500)).found, null);
  for (const status of [500, 503])
    assert.equal((await check({ status }, 0, 500)).found, `GET /ready: status ${status}`);
});

test('an answer that comes too late, breaks off or never ends is not well', async () => {
  const piece = { afterMs: 0, bytes: Buffer.from('{') };
  assert.match((await check({ headAfterMs: 600 }, 700)).found ?? '', /^GET \/ready: \d+ ms; limits/);
  assert.equal((await check({ pieces: [piece], ends: 'broken' })).found, 'GET /ready: the answer broke off');
  assert.equal((await check({ pieces: [piece], ends: 'hangs' }, 700)).found, 'GET /ready: the answer broke off');
  assert.equal((await check({ refusesAfterMs: 0 })).found, 'GET /ready: connect ECONNREFUSED');
});

test('what a replica says of our credential is not passed on', async () => {
  const pieces = [{ afterMs: 0, bytes: Buffer.from('the key k is wrong') }];
  for (const status of [401, 402, 403])
    assert.equal((await check({ status, pieces })).found, `GET /ready: status ${status}`);
});

test('what a replica says of its not being well is passed on, the beginning of it', async () => {
  const saying = (bytes: string) => check({ status: 503, pieces: [{ afterMs: 0, bytes: Buffer.from(bytes) }] });
  assert.equal((await saying('{"ready":false}')).found, 'GET /ready: status 503: {"ready":false}');
  assert.equal((await saying('x'.repeat(10_000))).found, `GET /ready: status 503: ${'x'.repeat(300)}`);
});

test('what a replica repeats of the headers that are its own is masked, wherever the text is cut', async () => {
  const headers = { authorization: 'Bearer sk-secret-token', 'x-key': 'sk-secret' };
  const saying = async (text: string) => {
    const pieces = [...text].map((letter) => ({ afterMs: 0, bytes: Buffer.from(letter) }));
    const { found } = await check({ status: 500, pieces }, 0, 300, headers);
    return found?.replace('GET /ready: status 500: ', '');
  };
  assert.equal(
    await saying('{"authorization":"Bearer sk-secret-token","x-key":"sk-secret","key":"sk-secret-token"}'),
    '{"authorization":"***","x-key":"***","key":"***"}',
  );
  for (let before = 270; before < 310; before++) {
    const text = await saying(`sk-secret ${'x'.repeat(before)}Bearer sk-secret-token, sk-secret`);
    assert.match(text ?? '', /^\*\*\* x+(?:\*\*\*(?:, (?:\*\*\*)?|,)?)?$/);
  }
});
