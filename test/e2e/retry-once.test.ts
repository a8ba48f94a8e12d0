import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from '../support/gateway-process.ts';
import { inferLive } from '../support/live-arrivals.ts';
import { okAnswer, RawBackend } from '../support/raw-backend.ts';

for (const [isIdempotent, arrivals, status] of [
  [false, 1, 502],
  [true, 2, 200],
] as const) {
  test(`a replica that takes a POST and resets costs ${arrivals} arrival(s) where idempotent is ${isIdempotent}`, async (context) => {
    const resets = await RawBackend.start(context, ({ socket }) => socket.resetAndDestroy());
    const serves = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('{}')));
    const replicas = `[{ id: a, url: "${resets.url}" }, { id: b, url: "${serves.url}" }]`;
    const gateway = await startGateway(
      context,
      `backends: [{ name: pool, protocol: open-inference, models: [m], policy: round-robin, retry: { idempotent: ${isIdempotent} }, replicas: ${replicas} }]\n`,
    );
    const url = `${gateway.client}/v2/models/m/infer`;
    // One of two in turn comes to the one that resets.
    const answers = [await inferLive(url), await inferLive(url)];
    assert.deepEqual(answers.map((one) => one.status).toSorted(), [200, status].toSorted());
    assert.equal(resets.arrivals.length, 1);
    assert.equal(resets.arrivals.length + serves.arrivals.length, 1 + arrivals);
  });
}

test('a single replica that takes a POST and resets sees it once, though it might be sent again', async (context) => {
  const resets = await RawBackend.start(context, ({ socket }) => socket.resetAndDestroy());
  const gateway = await startGateway(
    context,
    `backends: [{ name: pool, protocol: open-inference, models: [m], replicas: [{ id: a, url: "${resets.url}" }] }]\n`,
  );
  assert.equal((await inferLive(`${gateway.client}/v2/models/m/infer`)).status, 502);
  assert.equal(resets.arrivals.length, 1);
});
