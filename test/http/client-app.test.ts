import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import { clientApp } from '../../gateway/http/app.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { type SimulatedBackend, Simulation } from '../support/simulation.ts';

/** What a client gets that asks for `digits` over a socket; the replicas are simulated. */
async function asked(context: TestContext, pool: Omit<SimulatedBackend, 'name'>): Promise<Response> {
  const simulation = new Simulation({ seed: 1, backends: [{ name: 'digits', ...pool }] });
  const { clock, wheel, running } = simulation;
  const { generation } = simulation.open({});
  const app = clientApp({
    serve: (exchange) => running.serve(exchange),
    current: () => generation,
    protocols: [openInference],
    directory: { routes: () => generation.routes, isReady: () => true, version: '0', startedAtSeconds: 0 },
    isLoopback: true,
    clock,
    wheel,
    onFault: (error) => assert.fail(String(error)),
  });
  const server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const body = '{"inputs":[]}';
  const answer = fetch(`http://127.0.0.1:${port}/v2/models/digits/infer`, { method: 'POST', body });
  let isHere = false;
  answer.finally(() => {
    isHere = true;
  });
  while (!isHere) await clock.runUntil(clock.nowMs() + 1);
  return answer;
}

const failing = ['a', 'b'].map((id) => ({ id, script: () => ({ status: 500 }) }));

test('a client whose request failed is told not to try again when the backend’s budget is spent', async (context) => {
  const answer = await asked(context, { replicas: failing, retry: { budgetShare: 0, floorPerSecond: 0 } });
  assert.deepEqual([answer.status, answer.headers.get('x-should-retry')], [500, 'false']);
});

test('a client is told nothing of that where there was budget, or nothing to try again', async (context) => {
  const tried = await asked(context, { replicas: failing, retry: { budgetShare: 1 } });
  assert.deepEqual([tried.status, tried.headers.get('x-should-retry')], [500, null]);
  const once = await asked(context, { replicas: failing, retry: { maxTries: 1, budgetShare: 0, floorPerSecond: 0 } });
  assert.deepEqual([once.status, once.headers.get('x-should-retry')], [500, null]);
  const well = [{ id: 'a', script: () => ({}) }];
  const served = await asked(context, { replicas: well, retry: { budgetShare: 0, floorPerSecond: 0 } });
  assert.deepEqual([served.status, served.headers.get('x-should-retry')], [200, null]);
});
