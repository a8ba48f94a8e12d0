import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause } from '../support/gateway-process.ts';
import { chat, infer, modelServer, told } from '../support/model-servers.ts';

const llm = {
  kind: 'llm',
  prefill: { base: '5ms', per_token: '0ms', spread: '0ms' },
  inter_token: { mean: '3ms', spread: '0ms' },
};
const tensor = { kind: 'tensor', service: { time: 'fixed', mean: '5ms' }, columns: 100 };

/** What a client reads of an answer before it breaks off, or before nothing more has come for a while. */
async function readOf(
  response: Response,
  patienceMs = 300,
): Promise<{ text: string; end: 'done' | 'broken' | 'silence' }> {
  const reader = response.body?.getReader();
  assert.ok(reader !== undefined);
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const piece = await Promise.race([reader.read().catch(() => 'broken' as const), pause(patienceMs)]);
    if (piece === 'broken') return { text, end: 'broken' };
    if (piece === undefined) {
      await reader.cancel();
      return { text, end: 'silence' };
    }
    if (piece.done) return { text, end: 'done' };
    text += decoder.decode(piece.value, { stream: true });
  }
}

const tokensIn = (text: string): number => text.split('"delta":{"content":').length - 1;

test('a server fails fast, with the status and the retry-after that are written', async (context) => {
  const url = await modelServer(context, { ...llm, faults: [{ kind: 'fail', status: 502, retry_after: '1500ms' }] });
  const response = await chat(url);
  assert.deepEqual([response.status, response.headers.get('retry-after')], [502, '2']);
  assert.equal(((await response.json()) as { error: { type: string } }).error.type, 'server_error');
  assert.equal((await fetch(`${url}/health`)).status, 200, 'only requests are hit');
});

test('a server resets a connection before it answers', async (context) => {
  const url = await modelServer(context, { ...llm, faults: [{ kind: 'reset' }] });
  await assert.rejects(chat(url), (error: Error) => (error.cause as { code?: string }).code === 'ECONNRESET');
});

for (const [kind, end] of [
  ['reset', 'broken'],
  ['stall', 'silence'],
] as const) {
  test(`a ${kind} in mid-stream lets some tokens through, and then there is ${end}`, async (context) => {
    const url = await modelServer(context, { ...llm, faults: [{ kind, after_tokens: 3 }] });
    const read = await readOf(await chat(url, { stream: true, max_tokens: 50 }));
    assert.deepEqual([read.end, tokensIn(read.text)], [end, 3]);
  });

  test(`a ${kind} in the middle of an answer that is no stream lets half of it through, and then there is ${end}`, async (context) => {
    const url = await modelServer(context, { ...tensor, faults: [{ kind, after_tokens: 1 }] });
    const response = await infer(url);
    const { text, end: seen } = await readOf(response);
    assert.deepEqual([seen, text.length], [end, Math.floor(Number(response.headers.get('content-length')) / 2)]);
  });
}

test('a server that hangs takes a request and never answers it, while its health says that all is well', async (context) => {
  const url = await modelServer(context, { ...tensor, faults: [{ kind: 'hang' }] });
  const leaving = new AbortController();
  let isAnswered = false;
  const answer = fetch(`${url}/v2/models/simulated/infer`, { method: 'POST', body: '{}', signal: leaving.signal }).then(
    () => {
      isAnswered = true;
    },
  );
  await pause(150);
  assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
  assert.ok(!isAnswered);
  leaving.abort();
  await assert.rejects(answer);
});

test('a closed port refuses connections, finishes what runs, and opens again', async (context) => {
  const faults = [{ kind: 'refuse', at: '200ms', for: '300ms' }];
  const url = await modelServer(context, { ...tensor, service: { time: 'fixed', mean: '300ms' }, faults });
  await pause(50);
  const running = infer(url);
  await pause(200);
  await assert.rejects(fetch(`${url}/health`, { headers: { connection: 'close' } }), (error: Error) => {
    return (error.cause as { code?: string }).code === 'ECONNREFUSED';
  });
  assert.equal((await running).status, 200);
  while (!(await isThere(url))) await pause(20);
  assert.equal((await infer(url)).status, 200);
});

async function isThere(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

test('a server that starts cold says so to health checks and requests, until it has its model', async (context) => {
  const url = await modelServer(context, { ...tensor, faults: [{ kind: 'cold_start', for: '200ms' }] });
  const statuses = async (): Promise<number[]> => [
    (await fetch(`${url}/v2/health/ready`)).status,
    (await infer(url)).status,
    (await fetch(`${url}/v2/health/live`)).status,
  ];
  assert.deepEqual(await statuses(), [503, 503, 200]);
  while ((await told(url)).condition === 'starting') await pause(20);
  assert.deepEqual(await statuses(), [200, 200, 200]);
});

test('a notice of interruption can be read as on EC2, and then the server dies with all that is in it', async (context) => {
  const faults = [{ kind: 'interruption', at: '150ms', notice: '250ms', for: '200ms' }];
  const url = await modelServer(context, { ...tensor, service: { time: 'fixed', mean: '10m' }, faults });
  const notice = (): Promise<Response> => fetch(`${url}/latest/meta-data/spot/instance-action`);
  assert.equal((await notice()).status, 404);
  const lost = infer(url);
  const isLost = assert.rejects(lost, (error: Error) => (error.cause as { code?: string }).code === 'ECONNRESET');
  let told404 = await notice();
  while (told404.status === 404) {
    await pause(20);
    told404 = await notice();
  }
  const { action, time } = (await told404.json()) as { action: string; time: string };
  assert.equal(action, 'terminate');
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await isLost;
  assert.equal(await isThere(url), false);
  while (!(await isThere(url))) await pause(20);
  assert.equal((await told(url)).load.running, 0);
});

test('a server that begins anew cuts what it was working on, and gives the same service times again', async (context) => {
  const url = await modelServer(context, { kind: 'tensor', service: { time: 'exponential', mean: '3ms' } }, 7);
  const served = async (): Promise<(string | null)[]> => {
    const all: (string | null)[] = [];
    for (let at = 0; at < 5; at++) all.push((await infer(url)).headers.get('x-simulated-service-ms'));
    return all.map((text) => Number(text).toFixed(6));
  };
  const before = await served();
  const restart = async (): Promise<void> => {
    assert.equal((await fetch(`${url}/simulated/restart`, { method: 'POST' })).status, 200);
  };
  await restart();
  assert.deepEqual(await served(), before);
  assert.equal(new Set(before).size, 5);
  const slow = await modelServer(context, { ...tensor, service: { time: 'fixed', mean: '10m' } });
  const lost = assert.rejects(infer(slow), (error: Error) => (error.cause as { code?: string }).code === 'ECONNRESET');
  while ((await told(slow)).load.running === 0) await pause(5);
  await fetch(`${slow}/simulated/restart`, { method: 'POST' });
  await lost;
  assert.equal((await told(slow)).load.running, 0);
});

test('while a server stands still nothing comes of a stream, and then it goes on to its end', async (context) => {
  const faults = [{ kind: 'pause', at: '300ms', for: '500ms' }];
  const url = await modelServer(context, { ...llm, inter_token: { mean: '10ms', spread: '0ms' }, faults });
  const { body } = await chat(url, { stream: true, max_tokens: 100 });
  assert.ok(body !== null);
  let text = '';
  let lastAtMs = performance.now();
  let longestGapMs = 0;
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastAtMs);
    lastAtMs = performance.now();
    text += piece;
  }
  assert.ok(longestGapMs > 250, `${longestGapMs} ms`);
  assert.equal(tokensIn(text), 100);
});
