import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, it } from 'node:test';
import { frozenBackend } from '../support/frozen-backend.ts';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { inferLive } from '../support/live-arrivals.ts';
import { type Arrival, answer, RawBackend } from '../support/raw-backend.ts';

const deadlineMs = 3_000;
const mostLateMs = 100;

const silent = (): void => {};
/** Fails at what comes first, shortly before the deadline, and is silent from then on. */
function failsOnce(): (arrival: Arrival) => void {
  let isFirst = true;
  return ({ socket }) => {
    if (isFirst) setTimeout(() => socket.write(answer('500 So', '{}')), 2_500);
    isFirst = false;
  };
}
const headOnly = ({ socket }: Arrival): void => {
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
};

const scope = { after };
const onceForTwo = failsOnce();
const [full, first, a, b, hedgeA, hedgeB, breaks, other, stream] = await Promise.all(
  [silent, silent, onceForTwo, onceForTwo, silent, silent, failsOnce(), silent, headOnly].map((script) =>
    RawBackend.start(scope, script),
  ),
);
const frozen = await frozenBackend(scope);
const backend = (name: string, replicas: readonly ({ url: string } | undefined)[], more = ''): string => {
  const written = replicas.map((one, at) => `{ id: r${at}, url: "${one?.url}", slots: 100 }`).join(', ');
  return `  - { name: ${name}, protocol: open-inference, models: [${name}], replicas: [${written}], timeouts: { connect: 30s }${more} }\n`;
};
const gateway = await startGateway(
  scope,
  [
    'telemetry: { log: warn }\nbackends:\n',
    backend('full', [full]).replace('slots: 100', 'slots: 1'),
    backend('first', [first]),
    backend('retry', [a, b]),
    backend('hedge', [hedgeA, hedgeB], ', hedge: { after: 500ms, budget: 100% }'),
    backend('breaks', [breaks]),
    backend('other', [other]).replace('models: [other]', 'models: [breaks, other]'),
    backend('frozen', [frozen], ', health: { unhealthy: 1000 }'),
    `  - { name: stream, protocol: openai, models: [stream], replicas: [{ url: "${stream?.url}" }] }\n`,
    'routes: [{ match: { model: breaks }, to: [{ backend: breaks }], fallback: [other] }]\n',
  ].join(''),
);
await eventually('all replicas are ready', async () => !/starting|unready/.test(await replicas()));
await frozen.freeze();

async function replicas(): Promise<string> {
  return (await fetch(`${gateway.admin}/api/backends`)).text();
}

async function endsInTime(model: string): Promise<void> {
  const url = `${gateway.client}/v2/models/${model}/infer`;
  const { status, tookMs } = await inferLive(url, undefined, { 'x-request-timeout-ms': String(deadlineMs) });
  assert.equal(status, 504);
  assertInTime(tookMs);
}

function assertInTime(tookMs: number): void {
  assert.ok(tookMs >= deadlineMs - 5 && tookMs <= deadlineMs + mostLateMs, `${tookMs} ms`);
}

describe('a deadline of three seconds ends a request, a tenth of a second late at the most', {
  concurrency: true,
}, () => {
  it('while it waits', async () => {
    const fillers = [1, 2].map(() => inferLive(`${gateway.client}/v2/models/full/infer`));
    await eventually('the replica is full', () => full?.arrivals.length === 2);
    await endsInTime('full');
    assert.equal(full?.arrivals.length, 2);
    full?.close();
    await Promise.all(fillers);
  });

  it('while it connects', () => endsInTime('frozen'));

  it('before the first byte', () => endsInTime('first'));

  it('in a retry', async () => {
    await endsInTime('retry');
    assert.deepEqual([a?.arrivals.length, b?.arrivals.length], [1, 1]);
  });

  it('in a hedge', async () => {
    await endsInTime('hedge');
    assert.deepEqual([hedgeA?.arrivals.length, hedgeB?.arrivals.length], [1, 1]);
  });

  it('in a fallback', async () => {
    await endsInTime('breaks');
    assert.deepEqual([breaks?.arrivals.length, other?.arrivals.length], [1, 1]);
  });

  it('before a stream starts', async () => {
    const sentAtMs = performance.now();
    await new Promise<void>((resolve) => {
      const sent = request(`${gateway.client}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-timeout-ms': String(deadlineMs) },
      });
      sent.on('error', () => resolve());
      sent.on('response', (response) => {
        response.on('error', () => resolve());
        response.on('end', resolve);
        response.resume();
      });
      sent.end('{"model":"stream","stream":true,"messages":[]}');
    });
    assertInTime(performance.now() - sentAtMs);
    assert.equal(stream?.arrivals.length, 1);
  });
});
