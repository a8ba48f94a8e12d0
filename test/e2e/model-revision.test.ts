import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually, startGateway } from '../support/gateway-process.ts';

/** A server of tensors whose model can be exchanged while it runs. */
async function tensorServer(context: TestContext) {
  const state = { version: '1', tellsMetadata: true, computed: 0, refused: 0 };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const isQuestion = request.url === '/v2/models/m' && request.method === 'GET';
      if (isQuestion && !state.tellsMetadata) {
        state.refused += 1;
        response.statusCode = 500;
      }
      response.setHeader('content-type', 'application/json');
      if (isQuestion) return response.end(JSON.stringify({ name: 'm', versions: [state.version], inputs: [] }));
      if (request.method === 'GET') return response.end('{}');
      state.computed += 1;
      return response.end(JSON.stringify({ model_name: 'm', model_version: state.version, outputs: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('what another build of a model computed is not given any more once the gateway has seen that there is a new one', async (context) => {
  const { state, url } = await tensorServer(context);
  const gateway = await startGateway(
    context,
    `backends: [{ name: pool, protocol: open-inference, models: [m], health: { every: 50ms }, replicas: [{ id: a, url: "${url}" }] }]
routes: [{ to: [{ backend: pool }], cache: { fresh: 1h } }]
`,
  );
  const ask = async () => {
    const answer = await fetch(`${gateway.client}/v2/models/m/infer`, { method: 'POST', body: '{"inputs":[]}' });
    const { model_version: version } = (await answer.json()) as { model_version: string };
    return { version, isHit: /^headgate; hit/.test(answer.headers.get('cache-status') ?? '') };
  };
  assert.deepEqual(await ask(), { version: '1', isHit: false });
  assert.deepEqual(await ask(), { version: '1', isHit: true });
  state.version = '2';
  await eventually('the new version answers', async () => (await ask()).version === '2');
  assert.deepEqual(await ask(), { version: '2', isHit: true });
  assert.equal(state.computed, 2);
  state.tellsMetadata = false;
  await eventually('it has not told it for a while', () => state.refused > 5);
  assert.deepEqual(await ask(), { version: '2', isHit: true });
});
