import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { pause } from '../support/gateway-process.ts';
import { chat, infer, modelServer, post, told } from '../support/model-servers.ts';
import { readPrometheus } from '../support/prometheus.ts';

const tensor = { kind: 'tensor', service: { time: 'fixed', mean: '5ms' } };
const llm = {
  kind: 'llm',
  prefill: { base: '5ms', per_token: '0ms', spread: '0ms' },
  inter_token: { mean: '3ms', spread: '0ms' },
};

const numberIn = (response: Response, header: string): number => Number(response.headers.get(header) ?? Number.NaN);

test('a tensor server answers in the Open Inference Protocol: the id, and as many rows as came', async (context) => {
  const url = await modelServer(context, { ...tensor, columns: 2, name: 'gpu-a' });
  const response = await infer(url, { rows: 3, id: 'r-1' });
  const { outputs, ...top } = (await response.json()) as { outputs: { shape: number[]; data: number[] }[] };
  assert.deepEqual(top, { model_name: 'simulated', model_version: '1', id: 'r-1' });
  assert.deepEqual([outputs[0]?.shape, outputs[0]?.data.length], [[3, 2], 6]);
  assert.equal(response.headers.get('x-simulated-server'), 'gpu-a');
  assert.equal(numberIn(response, 'x-simulated-service-ms'), 5);
});

test('a tensor server gives binary outputs where they are asked for, with the same numbers', async (context) => {
  const url = await modelServer(context, { ...tensor, columns: 3 });
  const json = (await (await infer(url, { rows: 2 })).json()) as { outputs: { data: number[] }[] };
  const response = await infer(url, { rows: 2, parameters: { binary_data_output: true } });
  const body = Buffer.from(await response.arrayBuffer());
  const head = JSON.parse(body.subarray(0, numberIn(response, 'inference-header-content-length')).toString());
  const raw = body.subarray(numberIn(response, 'inference-header-content-length'));
  assert.equal(head.outputs[0].parameters.binary_data_size, raw.length);
  const numbers = Array.from({ length: 6 }, (_, at) => raw.readFloatLE(4 * at));
  assert.deepEqual(numbers, json.outputs[0]?.data);
});

test('the waits that a server tells are those of the recursion on the arrivals and service times that it tells', async (context) => {
  const url = await modelServer(context, { kind: 'tensor', slots: 2, service: { time: 'exponential', mean: '4ms' } });
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => {
      await pause(2 * at);
      const response = await infer(url);
      return ['arrived', 'wait', 'service'].map((name) => numberIn(response, `x-simulated-${name}-ms`));
    }),
  );
  const freeAtMs = [0, 0];
  for (const [arrivedAtMs = 0, waitMs = 0, serviceMs = 0] of answers.toSorted(([a = 0], [b = 0]) => a - b)) {
    const startAtMs = Math.max(arrivedAtMs, Math.min(...freeAtMs));
    assert.ok(Math.abs(startAtMs - arrivedAtMs - waitMs) < 1e-6, `${startAtMs - arrivedAtMs} is not ${waitMs}`);
    freeAtMs[freeAtMs.indexOf(Math.min(...freeAtMs))] = startAtMs + serviceMs;
  }
});

for (const status of [503, 429]) {
  test(`a full line is told with ${status} and a retry-after, in the shape of the protocol`, async (context) => {
    const queue = { max: 0, refusal: status };
    const url = await modelServer(context, { kind: 'tensor', queue, service: { time: 'fixed', mean: '200ms' } });
    const first = infer(url);
    await pause(50);
    const second = await infer(url);
    assert.deepEqual([second.status, second.headers.get('retry-after')], [status, '1']);
    assert.equal(typeof ((await second.json()) as { error: unknown }).error, 'string');
    assert.equal((await first).status, 200);
  });
}

test('a stream has the bytes of one from vLLM', async (context) => {
  const url = await modelServer(context, llm);
  const response = await chat(
    url,
    { stream: true, max_tokens: 2, stream_options: { include_usage: true } },
    { headers: { 'x-request-id': 'r-7' } },
  );
  const created = '"created":0';
  const text = (await response.text()).replace(/"created":\d+/g, created);
  const top = `data: {"id":"chatcmpl-r-7","object":"chat.completion.chunk",${created},"model":"simulated","choices":[`;
  const words = [...text.matchAll(/"content":"( \w+)"/g)].map(([, word]) => word);
  assert.equal(
    text,
    [
      `${top}{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`,
      `${top}{"index":0,"delta":{"content":"${words[0]}"},"logprobs":null,"finish_reason":null}]}`,
      `${top}{"index":0,"delta":{"content":"${words[1]}"},"logprobs":null,"finish_reason":"length","stop_reason":null}]}`,
      `${top}],"usage":{"prompt_tokens":14,"total_tokens":16,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}}`,
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.ok(numberIn(response, 'x-simulated-wait-ms') >= 0);
});

test("OpenAI's own client reads an answer, a stream and the list of models, and both answers say the same", async (context) => {
  const url = await modelServer(context, { ...llm, output_tokens: 6 });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  const ask = { model: 'simulated', messages: [{ role: 'user' as const, content: 'What is a headgate?' }] };
  const whole = await client.chat.completions.create(ask);
  assert.deepEqual([whole.usage?.completion_tokens, whole.choices[0]?.finish_reason], [6, 'length']);
  let text = '';
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
    text += chunk.choices[0]?.delta.content ?? '';
  assert.equal(text, whole.choices[0]?.message.content);
  const completion = await client.completions.create({ model: 'simulated', prompt: 'a'.repeat(64), max_tokens: 1 });
  assert.deepEqual([completion.usage?.prompt_tokens, completion.usage?.completion_tokens], [16, 1]);
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ['simulated'],
  );
  await assert.rejects(client.chat.completions.create({ ...ask, model: 'other' }), { status: 404 });
});

test('a prompt that came before is found in the prefix cache, also where a trace tells it by hashes alone', async (context) => {
  const url = await modelServer(context, llm);
  const cachedOf = async (body: object): Promise<number> => {
    const { usage } = (await (
      await post(`${url}/v1/completions`, { model: 'simulated', max_tokens: 1, ...body })
    ).json()) as {
      usage: { prompt_tokens_details: { cached_tokens: number } };
    };
    return usage.prompt_tokens_details.cached_tokens;
  };
  const trace = { hash_ids: [46, 47], input_length: 1000 };
  const prompt = 'a'.repeat(260);
  const cached: number[] = [];
  for (const body of [trace, trace, { ...trace, hash_ids: [46, 48] }, { prompt }, { prompt }])
    cached.push(await cachedOf(body));
  assert.deepEqual(cached, [0, 992, 512, 0, 64]);
});

for (const [what, body] of [
  ['no messages', { messages: [] }],
  ['a message without a role', { messages: [{ content: 'x' }] }],
  ['a length of nothing', { max_tokens: 0 }],
  ['two choices', { n: 2 }],
  ['hashes without a length', { hash_ids: [1] }],
  ['an answer longer than the cache', { max_tokens: 1_000_000 }],
] as const) {
  test(`${what} is a bad request, told as OpenAI tells it`, async (context) => {
    const response = await chat(await modelServer(context, llm), body);
    const { error } = (await response.json()) as { error: { type: string; message: string } };
    assert.deepEqual([response.status, error.type], [400, 'invalid_request_error']);
    assert.notEqual(error.message, '');
  });
}

for (const [what, method, path, body, status] of [
  ['an unknown model', 'POST', '/v2/models/other/infer', '{}', 404],
  ['a name that cannot be decoded', 'POST', '/v2/models/%zz/infer', '{}', 400],
  ['no JSON', 'POST', '/v2/models/simulated/infer', '{"inputs"', 400],
  ['no inputs', 'POST', '/v2/models/simulated/versions/1/infer', '{}', 400],
  ['an input without a shape', 'POST', '/v2/models/simulated/infer', '{"inputs":[{"name":"x"}]}', 400],
  ['another method', 'PUT', '/v2/models/simulated/infer', '{}', 405],
] as const) {
  test(`${what} is refused with ${status}, told as the Open Inference Protocol tells it`, async (context) => {
    const response = await fetch((await modelServer(context, tensor)) + path, { method, body });
    assert.equal(response.status, status);
    assert.equal(response.headers.get('allow'), status === 405 ? 'POST' : null);
    assert.equal(typeof ((await response.json()) as { error: unknown }).error, 'string');
  });
}

test('the head of a stream comes with the first token; where it is written so, as soon as the request', async (context) => {
  const slow = { ...llm, prefill: { base: '300ms', per_token: '0ms', spread: '0ms' }, sequences: 1 };
  const first = await chat(await modelServer(context, slow), { stream: true });
  assert.ok(first.headers.has('x-simulated-service-ms'));
  await first.text();
  const url = await modelServer(context, { ...slow, stream_head: 'at_once' });
  const second = await chat(url, { stream: true });
  assert.ok(!second.headers.has('x-simulated-service-ms'));
  assert.equal((await told(url)).load.running, 1, 'the head is here while the prompt is still being read');
  assert.match(await second.text(), /\[DONE\]/);
});

test('a client that leaves ends its sequence', async (context) => {
  const url = await modelServer(context, { ...llm, inter_token: { mean: '50ms', spread: '0ms' } });
  const leaving = new AbortController();
  const response = await chat(url, { stream: true, max_tokens: 1000 }, { signal: leaving.signal });
  assert.equal((await told(url)).load.running, 1);
  leaving.abort();
  await assert.rejects(response.text());
  while ((await told(url)).load.running > 0) await pause(5);
  assert.equal((await told(url)).load.done.abandoned, 1);
});

test('both kinds tell their health, their models and their load', async (context) => {
  for (const profile of [tensor, llm]) {
    const url = await modelServer(context, profile);
    const statuses = await Promise.all(
      [
        '/health',
        '/v2/health/live',
        '/v2/health/ready',
        '/v2',
        '/v1/models',
        '/v2/models',
        '/v2/models/simulated',
        '/v2/models/simulated/ready',
        '/v2/models/other',
        '/other',
      ].map(async (path) => (await fetch(url + path)).status),
    );
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 404, 404]);
    const names = readPrometheus(await (await fetch(`${url}/metrics`)).text());
    assert.ok(names.has(profile.kind === 'llm' ? 'vllm:num_requests_running' : 'nv_inference_pending_request_count'));
  }
  const silent = await modelServer(context, { ...llm, tells: { metrics: 'none' } });
  assert.equal((await fetch(`${silent}/metrics`)).status, 404);
});

test('an answer bears the load report that is asked for', async (context) => {
  const headers = { 'endpoint-load-metrics-format': 'JSON' };
  const first = await chat(await modelServer(context, llm), {}, { headers });
  assert.equal(
    first.headers.get('endpoint-load-metrics'),
    'JSON {"named_metrics":{"kv_cache_usage_perc":0,"num_requests_waiting":0}}',
  );
  const second = await infer(await modelServer(context, { ...tensor, tells: { orca: 'text' } }));
  assert.equal(
    second.headers.get('endpoint-load-metrics'),
    'TEXT named_metrics.slots=1, named_metrics.in_flight=0, named_metrics.queued=0, named_metrics.service_seconds=0.005',
  );
});
