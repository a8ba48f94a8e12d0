import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileWith, headgate } from '../commands/headgate.ts';
import { HeadgateProcess } from '../support/gateway-process.ts';
import { chat, infer } from '../support/model-servers.ts';

/** Runs `headgate simulate-model`, and reads where it listens off what it prints. */
async function simulate(
  context: TestContext,
  ...args: readonly string[]
): Promise<{ url: string; process: HeadgateProcess }> {
  const process = new HeadgateProcess(context, ['simulate-model', '--port', '0', ...args]);
  const [, url = ''] = await process.prints(
    /^simulated (?:tensor|llm) server on (http:\/\/127\.0\.0\.1:\d+), seed \d+\n$/,
  );
  return { process, url };
}

test('a simulated server says where it listens, serves its profile, and ends with 0 when it is told to', async (context) => {
  const profile = fileWith(context, 'kind: tensor\nname: gpu-a\nservice: { time: exponential, mean: 2ms }\n', 'p.yaml');
  const services: (string | null)[] = [];
  for (const seed of ['3', '3', '4']) {
    const { url, process } = await simulate(context, '--kind', 'tensor', '--profile', profile, '--seed', seed);
    const { headers } = await infer(url);
    assert.equal(headers.get('x-simulated-server'), 'gpu-a');
    services.push(Number(headers.get('x-simulated-service-ms')).toFixed(6));
    assert.equal(await process.stop(), 0);
  }
  assert.deepEqual([services[0] === services[1], services[1] === services[2]], [true, false]);
});

test('without a profile every default holds', async (context) => {
  const { url } = await simulate(context, '--kind', 'llm');
  const { headers } = await chat(url, { max_tokens: 1 });
  // 30 ms and 14 tokens at 0.25 ms each, give or take at most 70 %.
  const serviceMs = Number(headers.get('x-simulated-service-ms'));
  assert.ok(serviceMs > 10 && serviceMs < 57, String(serviceMs));
});

test('a faulty profile is told with its place, and ends with 1; so does one that cannot be read', (context) => {
  const profile = fileWith(context, 'kind: llm\nsequence: 3\n', 'p.yaml');
  assert.deepEqual(headgate('simulate-model', '--kind', 'llm', '--port', '0', '--profile', profile), {
    code: 1,
    out: '',
    err: `${profile}:2:1: sequence: got the unknown key sequence, wanted the key sequences\n`,
  });
  const { code, err } = headgate('simulate-model', '--kind', 'llm', '--port', '0', '--profile', '/nowhere.yaml');
  assert.deepEqual([code, /^ENOENT: .*\/nowhere\.yaml'\n$/.test(err)], [1, true], err);
});
