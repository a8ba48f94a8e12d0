import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { checkHealth } from '../../gateway/upstream/health-check.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { newReplica } from '../support/replicas.ts';

test('a health check, which comes first, opens connections as patiently as requests want them', async () => {
  const clock = new VirtualClock();
  const opened: number[] = [];
  const transport = new UndiciTransport({
    clock,
    wheel: new TimerWheel(clock),
    connect: (_replica, connectMs) => {
      opened.push(connectMs);
      throw new Error('nobody there');
    },
  });
  const options = { path: '/ready', connectMs: 7000, timeoutMs: 1000, clock };
  assert.equal(await checkHealth(newReplica(), transport, options), 'GET /ready: nobody there');
  assert.deepEqual(opened, [7000]);
});
