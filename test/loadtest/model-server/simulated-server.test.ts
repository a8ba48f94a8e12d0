import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { serverSchema, type TensorSettings } from '../../../loadtest/model-server/settings.ts';
import { type SimulatedServer, tensorServer } from '../../../loadtest/model-server/simulated-server.ts';
import type { TensorEngine } from '../../../loadtest/model-server/tensor-engine.ts';

function serverWith(profile: object, clock: VirtualClock, seed = 1): SimulatedServer<TensorEngine> {
  return tensorServer(serverSchema.parse({ kind: 'tensor', ...profile }) as TensorSettings, clock, seed);
}

const drawn = { service: { time: 'exponential', mean: '10ms' } };

/** The service times of the next requests. */
function servicesOf(server: SimulatedServer<TensorEngine>, count = 20): unknown[] {
  return Array.from({ length: count }, () => server.engine.submit(server.nowMs, 1, () => {})?.workMs);
}

test('its time begins when it starts', async () => {
  const clock = new VirtualClock();
  await clock.runUntil(5_000);
  const server = serverWith({ faults: [{ kind: 'fail', at: '1s' }] }, clock);
  assert.deepEqual([server.nowMs, server.fate().kind], [0, 'serve']);
  await clock.runUntil(6_000);
  assert.deepEqual([server.nowMs, server.fate().kind], [1_000, 'fail']);
});

test('a server that starts when the clock has gone for weeks does not wait in vain for less than a step of it', async () => {
  const clock = new VirtualClock();
  await clock.runUntil(2 ** 33 + 0.1);
  const server = serverWith(drawn, clock);
  let ended = 0;
  for (let at = 0; at < 50; at++) server.engine.submit(server.nowMs, 1, () => ended++);
  server.rearm();
  await clock.runUntil(clock.nowMs() + 10_000);
  assert.equal(ended, 50);
});

test('the same seed gives the same service times, also when faults are added, and after it begins anew', async () => {
  const clock = new VirtualClock();
  const wanted = servicesOf(serverWith(drawn, clock));
  const faulty = serverWith({ ...drawn, faults: [{ kind: 'hang', share: '50%' }] }, clock);
  faulty.fate();
  assert.deepEqual(servicesOf(faulty), wanted);
  faulty.restart();
  assert.deepEqual(servicesOf(faulty), wanted);
  const others = servicesOf(serverWith(drawn, clock, 3));
  faulty.restart(3);
  assert.deepEqual(servicesOf(faulty), others);
  assert.notDeepEqual(servicesOf(serverWith(drawn, clock, 2)), wanted);
});

test('it tells each change of its condition at the moment of it', async () => {
  const clock = new VirtualClock();
  const faults = [
    { kind: 'cold_start', for: '1s' },
    { kind: 'refuse', at: '2s', for: '1s' },
    { kind: 'interruption', at: '3s', notice: '1s', for: '1s' },
  ];
  const server = serverWith({ faults }, clock);
  assert.equal(server.condition, 'starting');
  const told: unknown[] = [];
  server.onCondition = (condition) => told.push([server.nowMs, condition]);
  await clock.runAll();
  assert.deepEqual(told, [
    [1_000, 'up'],
    [2_000, 'closed'],
    [3_000, 'up'],
    [4_000, 'dead'],
    [5_000, 'up'],
  ]);
});

test('when it dies all that is in it is lost, and it comes back empty', async () => {
  const clock = new VirtualClock();
  const faults = [{ kind: 'interruption', at: '0s', notice: '5ms', for: '1s' }];
  const server = serverWith({ faults }, clock);
  let ended = 0;
  let emptied = 0;
  server.onEmptied = () => {
    emptied += 1;
  };
  for (const nowMs of [0, 0]) server.engine.submit(nowMs, 1, () => ended++);
  server.rearm();
  await clock.runUntil(2_000);
  assert.deepEqual({ ended, emptied, running: server.engine.load().running }, { ended: 0, emptied: 1, running: 0 });
  server.engine.submit(server.nowMs, 1, () => ended++);
  server.rearm();
  await clock.runAll();
  assert.equal(ended, 1);
});

test('beginning anew begins its faults anew', async () => {
  const clock = new VirtualClock();
  const server = serverWith({ faults: [{ kind: 'cold_start', for: '1s' }] }, clock);
  await clock.runUntil(1_500);
  assert.equal(server.condition, 'up');
  server.restart();
  assert.equal(server.condition, 'starting');
  await clock.runUntil(2_500);
  assert.equal(server.condition, 'up');
});

test('a closed server leaves no timer behind', async () => {
  const clock = new VirtualClock();
  const server = serverWith({ faults: [{ kind: 'refuse', at: '1s' }] }, clock);
  server.engine.submit(0, 1, () => {});
  server.rearm();
  assert.equal(clock.pending, 2);
  server.close();
  server.rearm();
  assert.equal(clock.pending, 0);
});
