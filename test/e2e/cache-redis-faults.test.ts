import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { GatewayLoad } from '../support/caching/gateway-load.ts';
import { inferred } from '../support/caching/live.ts';
import { impostors, redisFaults, startImpostor } from '../support/caching/redis-troubles.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { startRedis } from '../support/redis.ts';

const scope = { after };
const everyMs = 1000 / repetitions({ quick: 100, full: 500 });
const waitMs = 50;
/** The machine may have other things to do. */
const slackMs = repetitions({ quick: 150, full: 100 });
const recoverWithinMs = 5_000;
const calmMs = repetitions({ quick: 1_000, full: 5_000 });
const mebibyte = 1024 * 1024;
const mostGrownBytes = 32 * mebibyte;
const value = 'canal '.repeat(10 * 170);

const backend = await RawBackend.start(scope, (arrival) => arrival.socket.write(inferred(arrival, value)));

/** Memory holds next to nothing: who has an answer is Redis. */
async function gatewayAt(redisUrl: string) {
  const gateway = await startGateway(
    scope,
    `telemetry: { log: error }
cache: { memory: 64KiB, max_entry: 32KiB, redis: "${redisUrl}", wait: ${waitMs}ms }
backends: [{ name: m, protocol: open-inference, models: [m, plain], replicas: [{ id: a, url: "${backend.url}" }] }]
routes: [{ match: { model: m }, to: [{ backend: m }], cache: { fresh: 10m }, coalesce: true }]
`,
  );
  await eventually('ready', async () => !/starting/.test(await (await fetch(`${gateway.admin}/api/backends`)).text()));
  return gateway;
}

/** In a quick run those that differ most. */
const tried = redisFaults.filter(({ name }) => isFull || /frozen|full/.test(name));

describe('a gateway whose Redis', () => {
  it('fails in every way fails no request, waits no longer than it may, and is well again soon', async (t) => {
    const redis = await startRedis(scope, { args: ['--enable-debug-command', 'yes'] });
    const load = new GatewayLoad(scope, await gatewayAt(redis.url), everyMs);
    await load.recovered(20_000);
    for (const fault of tried) {
      const calmFromMs = performance.now();
      await pause(calmMs);
      const residentBytes = load.residentBytes();
      load.mostResidentBytes = residentBytes;
      const faultFromMs = performance.now();
      const end = await fault.begin(redis, scope);
      const grownBytes = load.mostResidentBytes - residentBytes;
      await end();
      const tookMs = await load.recovered(recoverWithinMs);
      const calmMsP99 = load.percentileMs(0.99, calmFromMs, faultFromMs);
      const p99Ms = load.percentileMs(0.99, faultFromMs);
      t.diagnostic(
        `${fault.name}: p99 ${p99Ms.toFixed(1)} ms for ${calmMsP99.toFixed(1)}, most ${load.percentileMs(1, faultFromMs).toFixed(1)} ms; ` +
          `hits again after ${tookMs.toFixed(0)} ms; ${(grownBytes / mebibyte).toFixed(1)} MiB more`,
      );
      assert.ok(p99Ms <= calmMsP99 + waitMs + slackMs, `${fault.name}: p99 ${p99Ms} ms for ${calmMsP99}`);
      if (/frozen|answers nobody/.test(fault.name))
        assert.ok(grownBytes < mostGrownBytes, `${fault.name}: ${grownBytes} bytes more`);
    }
    await load.stop();
    assert.deepEqual(
      load.asked.filter(({ ended }) => ended !== 200),
      [],
    );
  });

  for (const { name, answer } of impostors.filter((_, at) => isFull || at === 1)) {
    it(`is none, and ${name}, answers all the same, within what it may wait`, async (t) => {
      const gateway = await gatewayAt(await startImpostor(t, answer));
      // Both come to their working speed first. What else the machine does slows both down.
      const plain = new GatewayLoad(t, gateway, 2 * everyMs, 'plain');
      const load = new GatewayLoad(t, gateway, 2 * everyMs);
      await pause(calmMs);
      const fromMs = performance.now();
      await pause(calmMs);
      await Promise.all([plain.stop(), load.stop()]);
      const [plainMs = 0, p99Ms = 0] = [plain, load].map((one) => one.percentileMs(0.99, fromMs));
      t.diagnostic(`${name}: p99 ${p99Ms.toFixed(1)} ms for ${plainMs.toFixed(1)}`);
      assert.ok(load.asked.length > 20);
      assert.deepEqual(new Set(load.asked.map(({ ended }) => ended)), new Set([200]));
      assert.ok(p99Ms <= plainMs + waitMs + slackMs, `${p99Ms} ms for ${plainMs}`);
    });
  }
});
