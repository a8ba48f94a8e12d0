import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { repetitions } from '../support/counts.ts';
import { assertEndedBy, assertNothingHeld, nextArrival, repeat, withinMs } from '../support/departures.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { RawClient, request } from '../support/raw-client.ts';

const free = await RawBackend.start({ after }, () => {});
const single = await RawBackend.start({ after }, () => {});
const gateway = await startGateway(
  { after },
  `
backends:
  - { name: free, protocol: open-inference, models: [free], replicas: [{ url: "${free.url}" }] }
  - { name: single, protocol: open-inference, models: [single], replicas: [{ url: "${single.url}", slots: 1 }] }
telemetry: { log: warn }
`,
);

const body = '{"inputs":[]}';
const partialAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome of it';
const infer = (model: string): string => request({ line: `POST /v2/models/${model}/infer`, body });

const times = repetitions({ quick: 10, full: 200 });

for (const how of ['closed', 'reset'] as const) {
  test(`a client that leaves (${how}) before the head ends its upstream request within ${withinMs} ms`, async () => {
    free.script = () => {};
    await repeat(times, async () => {
      const client = new RawClient(gateway.client).send(infer('free'));
      const arrival = await nextArrival(free);
      await assertEndedBy(() => client.leave(how), arrival);
    });
    await assertNothingHeld(gateway);
  });

  test(`a client that leaves (${how}) in mid-body ends its upstream request within ${withinMs} ms`, async () => {
    free.script = ({ socket }) => socket.write(partialAnswer);
    await repeat(times, async () => {
      const client = new RawClient(gateway.client).send(infer('free'));
      const arrival = await nextArrival(free);
      while (!client.held.includes('some of it')) await client.more();
      await assertEndedBy(() => client.leave(how), arrival);
    });
    await assertNothingHeld(gateway);
  });

  test(`a client that leaves (${how}) while it waits in line never reaches a replica`, async () => {
    single.script = () => {};
    // One slot is credit for two: the next is there already when the first is done.
    const holders = [new RawClient(gateway.client), new RawClient(gateway.client)];
    for (const holder of holders) holder.send(infer('single'));
    await eventually('both credits are taken', () => single.arrivals.length === 2);
    await repeat(times, async () => {
      const client = new RawClient(gateway.client).send(infer('single'));
      await eventually('it waits', async () => (await gateway.metric('headgate_queue_depth')) === 1);
      client.leave(how);
      await eventually('it waits no more', async () => (await gateway.metric('headgate_queue_depth')) === 0, withinMs);
    });
    for (const { closedAtMs, socket } of single.arrivals) {
      assert.equal(closedAtMs, null, 'those who hold the replica are not disturbed');
      socket.write(okAnswer('done'));
    }
    for (const holder of holders) {
      assert.equal((await holder.answer()).body, 'done');
      holder.leave();
    }
    assert.equal(single.arrivals.length, 2, 'nobody who left was sent on');
    single.arrivals.length = 0;
    await assertNothingHeld(gateway);
  });
}

test('a client that leaves while it still sends its body reaches no replica', async () => {
  free.arrivals.length = 0;
  await repeat(times, async (at) => {
    const headers = ['content-length: 1000', 'expect: 100-continue'];
    const client = new RawClient(gateway.client).send(request({ line: 'POST /v2/models/free/infer', headers }));
    while (!client.held.includes('100 Continue')) await client.more();
    client.send(body);
    await pause(at % 10);
    client.leave(at % 2 === 0 ? 'closed' : 'reset');
  });
  await eventually('all are accounted for', async () => (await clientsLeft()) === 7 * times);
  await assertNothingHeld(gateway);
  assert.equal(free.arrivals.length, 0);
});

test('clients that left are abandoned tries, and no failures', async () => {
  assert.equal(await gateway.metric('headgate_tries_total', { outcome: 'failed' }), 0);
  assert.equal(await gateway.metric('headgate_tries_total', { outcome: 'abandoned' }), 4 * times);
  assert.equal(await clientsLeft(), 7 * times);
});

test('an answer that ended well is followed by no abort: its connection serves the next request', async () => {
  free.script = ({ socket }) => socket.write(okAnswer('done'));
  free.arrivals.length = 0;
  const connectionsBefore = free.connections;
  await repeat(times, async () => {
    const client = new RawClient(gateway.client).send(infer('free'));
    assert.equal((await client.answer()).body, 'done');
    client.leave();
    await client.closed;
  });
  assert.ok(free.connections - connectionsBefore <= 1, `${free.connections - connectionsBefore} connections`);
  assert.deepEqual(
    free.arrivals.filter((one) => one.closedAtMs !== null),
    [],
  );
});

test('clients that leave at any moment leave nothing behind', async () => {
  const rng = seededRng(20261123);
  const between = (least: number, most: number): number => least + rng.next() * (most - least);
  free.arrivals.length = 0;
  const answeredAtMs = new Map<Arrival, number>();
  // One after the other: timers of different lengths, set together, may fire out of order on a busy machine.
  free.script = async (arrival) => {
    await pause(between(0, 10));
    arrival.socket.write(partialAnswer);
    await pause(between(0, 10));
    if (arrival.closedAtMs !== null) return;
    arrival.socket.write('x'.repeat(90));
    answeredAtMs.set(arrival, performance.now());
  };
  const leftAtMs = new Map<string, number>();
  await repeat(repetitions({ quick: 100, full: 1000 }), async (at) => {
    const id = `x-request-id: moment-${at}`;
    const client = new RawClient(gateway.client);
    client.send(request({ line: 'POST /v2/models/free/infer', headers: [id], body }));
    await pause(between(0, 25));
    client.leave(rng.next() < 0.5 ? 'closed' : 'reset');
    leftAtMs.set(id, performance.now());
  });
  await assertNothingHeld(gateway);
  await pause(withinMs);
  assert.ok(answeredAtMs.size > 0 && answeredAtMs.size < free.arrivals.length, 'some were answered and some were not');
  for (const arrival of free.arrivals) {
    const [id = ''] = arrival.headers.filter((line) => line.startsWith('x-request-id: moment-'));
    const endedAtMs = answeredAtMs.get(arrival) ?? arrival.closedAtMs ?? Number.POSITIVE_INFINITY;
    const tookMs = endedAtMs - (leftAtMs.get(id) ?? Number.NaN);
    assert.ok(tookMs <= withinMs, `${id} ended after ${tookMs} ms`);
  }
  assert.equal(await gateway.metric('headgate_tries_total', { outcome: 'failed' }), 0);
});

function clientsLeft(): Promise<number> {
  return gateway.metric('headgate_refusals_total', { code: 'client_left' });
}
