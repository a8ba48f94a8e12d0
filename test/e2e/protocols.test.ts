import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startGateway } from '../support/gateway-process.ts';
import { lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, type RawAnswer, RawClient, request } from '../support/raw-client.ts';

const start = (): Promise<RawBackend> =>
  RawBackend.start({ after }, ({ line, socket }) => socket.write(okAnswer(`{"said":${JSON.stringify(line)}}`)));
const [inference, openai, serving, web] = await Promise.all([start(), start(), start(), start()]);
const gateway = await startGateway(
  { after },
  `
backends:
  - { name: inference, protocol: open-inference, models: [digits, org/digits], replicas: [{ url: "${inference.url}" }] }
  - { name: openai, protocol: openai, models: [gpt, org/gpt, { name: alias, upstream: org/real }], replicas: [{ url: "${openai.url}/base" }] }
  - { name: serving, protocol: tf-serving, models: [resnet, org/resnet, { name: alias-tf, upstream: real/tf }], replicas: [{ url: "${serving.url}" }] }
  - { name: web, protocol: http, replicas: [{ url: "${web.url}" }] }
routes:
  - { match: { path: "/web/*" }, to: [{ backend: web }] }
  - { match: { path: "/v1/files*", header: { x-web: "1" } }, to: [{ backend: web }] }
telemetry: { log: warn }
`,
);

function send(line: string, body?: string, ...headers: readonly string[]): Promise<RawAnswer> {
  const [method = ''] = line.split(' ');
  return ask(gateway.client, request({ line, headers, ...(body === undefined ? {} : { body }) }), method);
}

const gpt = '{"model":"gpt","input":["é"]}';

/** What is asked, with which body, and the first line that a replica gets. */
const passed: readonly (readonly [line: string, body: string | undefined, upstream: string])[] = [
  ['POST /v1/chat/completions?x=%2F', gpt, 'POST /base/v1/chat/completions?x=%2F'],
  ['POST /v1/responses', gpt, 'POST /base/v1/responses'],
  ['POST /v1/audio%2Fx/y', gpt, 'POST /base/v1/audio%2Fx/y'],
  ['POST /v1/models/resnet:predict', '{}', 'POST /v1/models/resnet:predict'],
  ['POST /v1/models/org%2Fresnet/versions/3:predict?x', '{}', 'POST /v1/models/org/resnet/versions/3:predict?x'],
  ['POST /v1/%6dodels/resnet:predict', '{}', 'POST /v1/models/resnet:predict'],
  ['POST /v1/models/alias-tf:predict', '{}', 'POST /v1/models/real/tf:predict'],
  ['GET /v1/models/resnet', undefined, 'GET /v1/models/resnet'],
  ['GET /v1/models/org%2Fresnet/metadata', undefined, 'GET /v1/models/org/resnet/metadata'],
  ['GET /v1/models/org/digits', undefined, 'GET /v2/models/org%2Fdigits'],
  ['GET /v1/models/org%2Fdigits', undefined, 'GET /v2/models/org%2Fdigits'],
  ['POST /v2/models/digits/generate_stream', '{}', 'POST /v2/models/digits/generate_stream'],
  ['GET /web/a%2Fb//c?d', undefined, 'GET /web/a%2Fb//c?d'],
  ['PROPFIND /web/x', undefined, 'PROPFIND /web/x'],
  ['PUT /web/x', 'anything', 'PUT /web/x'],
];
for (const [line, body, upstream] of passed) {
  test(`${line} goes upstream as ${upstream}, its body as it came`, async () => {
    const { status, body: said } = await send(line, body);
    assert.deepEqual([status, said], [200, JSON.stringify({ said: `${upstream} HTTP/1.1` })]);
    const backends = [inference, openai, serving, web];
    const arrivals = backends.flatMap((one) =>
      one.arrivals.filter((arrival) => arrival.line === `${upstream} HTTP/1.1`),
    );
    assert.equal(arrivals.at(-1)?.body.toString(), body ?? '');
  });
}

test('the model goes upstream under the replica’s name of it', async () => {
  const { header } = await send('POST /v1/embeddings', '{"x":1,"model":"alias"}', 'accept-encoding: gzip');
  const arrival = openai.arrivals.at(-1);
  assert.equal(arrival?.body.toString(), '{"x":1,"model":"org/real"}');
  assert.equal(lineOf(arrival.headers, 'accept-encoding'), null);
  assert.equal(header('x-headgate-model'), 'org/real');
});

test('a model of the OpenAI API is told by the gateway itself, its name with slashes or without', async () => {
  for (const [path, id] of [
    ['/v1/models/gpt', 'gpt'],
    ['/v1/models/org/gpt', 'org/gpt'],
    ['/v1/models/org%2Fgpt', 'org/gpt'],
  ]) {
    const { status, body } = await send(`GET ${path}`);
    const { id: told, object } = JSON.parse(body);
    assert.deepEqual([status, told, object], [200, id, 'model']);
  }
  const head = await send('HEAD /v1/models/gpt');
  assert.deepEqual([head.status, head.body], [200, '']);
});

const refused: readonly (readonly [line: string, body: string | undefined, status: number, error: RegExp])[] = [
  ['GET /v1/models/nobody', undefined, 404, /"code":"model_not_found"/],
  ['POST /v1/chat/completions', '{"model":"nobody"}', 404, /"type":"invalid_request_error","param":"model"/],
  ['POST /v1/chat/completions', '{"model":"gpt","model":"gpt"}', 400, /"param":"model","code":"invalid_request"/],
  ['POST /v1/chat/completions', '{"model":"digits"}', 404, /"code":"model_not_found"/],
  ['POST /v1/x/../chat/completions', gpt, 400, /"param":"path"/],
  ['POST /v1/x/%2e%2E/y', gpt, 400, /"param":"path"/],
  ['POST /v1/models/nobody:predict', '{}', 404, /^\{"error":"model \\"nobody\\" is not known/],
  ['POST /v1/models/a%2F..%2Fresnet:predict', '{}', 400, /^\{"error":"path:/],
  ['GET /web/..%2f..%2fsecret', undefined, 400, /^\{"error":"path:/],
  ['GET /v1/chat/completions', undefined, 405, /"code":"method_not_allowed"/],
  ['GET /v1/files', undefined, 404, /no route takes this request/],
  ['GET /nothing', undefined, 404, /^\{"error":"there is nothing at GET \/nothing"\}/],
];
for (const [line, body, status, error] of refused) {
  test(`${line} with ${body ?? 'no body'} is refused with ${status}, in the shape of its protocol`, async () => {
    const count = (): number => [inference, openai, serving, web].flatMap((one) => one.arrivals).filter(isAsked).length;
    const before = count();
    const answer = await send(line, body);
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, error);
    assert.equal(count(), before, 'no replica was asked');
  });
}

test('a stream of each protocol that breaks off has the last event that its clients expect', async () => {
  for (const [backend, line, body, lastEvent] of [
    [
      openai,
      'POST /v1/chat/completions',
      '{"model":"gpt","stream":true}',
      /^data: \{"error":\{"message":.*"type":"server_error","param":null,"code":"upstream_broken"\}\}\n\n$/,
    ],
    [inference, 'POST /v2/models/digits/generate_stream', '{}', /^data: \{"error":"[^"]*broke off[^"]*"\}\n\n$/],
    [web, 'GET /web/stream', undefined, null],
  ] as const) {
    const { script } = backend;
    backend.script = ({ socket }) => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
      socket.write(`${head}9\r\ndata: 1\n\n\r\n`, () => setTimeout(() => socket.destroy(), 50));
    };
    const client = new RawClient(gateway.client);
    client.send(request({ line, ...(body === undefined ? {} : { body }) }));
    await client.closed;
    const chunks = client.held.toString().split('\r\n').slice(1);
    const events = chunks.filter((one) => one.startsWith('data:'));
    assert.equal(events[0], 'data: 1\n\n');
    if (lastEvent === null) assert.equal(events.length, 1);
    else assert.match(events[1] ?? '', lastEvent);
    assert.ok(!client.held.toString().endsWith('0\r\n\r\n'));
    backend.script = script;
  }
});

/** Health checks come by themselves. */
function isAsked({ line }: { readonly line: string }): boolean {
  return !/^GET (?:\/v2\/health\/ready|\/base\/v1\/models|\/v1\/models\/resnet|\/) HTTP/.test(line);
}
