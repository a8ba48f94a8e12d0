import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hono } from 'hono';
import type { Connection } from '../../gateway/http/connection.ts';
import { methodsAt, mountReadings } from '../../gateway/http/readings.ts';
import { protocols } from '../../gateway/protocols/registry.ts';
import { RouteTable, type Rule } from '../../gateway/routing/route-table.ts';
import { newBackend } from '../support/backends.ts';

/** A rule for the models of one backend, on a path where one is given. */
function rule(protocol: string, models: readonly string[], path: string | null = null): Rule {
  const named = models.map((name) => ({ name, upstream: null }));
  const backend = { ...newBackend(protocol, { models: named }), protocol };
  return {
    match: { model: null, tenant: null, path, headers: {} },
    protocol,
    route: {
      name: protocol,
      destinations: [{ backend, weight: 1 }],
      fallbacks: [],
      mirror: null,
      sharing: null,
      deadlineMs: null,
      serve: () => Promise.reject(new Error('not to be served')),
    },
  };
}

const partsOf = (rules: readonly Rule[]) => ({
  protocols: Object.values(protocols),
  directory: { routes: () => new RouteTable(rules), isReady: () => true, version: '1', startedAtSeconds: 0 },
});

/** Who reads a request and as what, in words: protocol and operation, then the parameters; or how else it is answered. */
async function readingOf(rules: readonly Rule[], request: string, headers: Record<string, string> = {}) {
  const app = new Hono<{ Bindings: Connection }>();
  const say = (...words: readonly string[]): Response => new Response(null, { headers: { said: words.join(' ') } });
  mountReadings(app, partsOf(rules), {
    read(_context, { protocol, endpoint, params }) {
      assert.ok(endpoint.hasBody || endpoint.method === 'GET');
      const { operation, hasBody } = endpoint;
      const { model: name = '', version = '' } = params;
      const more = operation === 'request' && hasBody ? 'with a body' : '';
      return say(...[protocol.name, operation, encodeURI(name), version, more].filter((word) => word !== ''));
    },
    own: (_context, answer) => say('own', encodeURI(JSON.stringify(answer().value))),
    unknown: (_context, { code }) => say('unknown', code),
    none: () => say('none'),
  });
  const [method = '', path = ''] = request.split(' ');
  const reply = await app.request(path, { method, headers });
  return decodeURI(reply.headers.get('said') ?? '');
}

/** One backend of each protocol that names models. */
const each = [
  rule('open-inference', ['digits', 'org/digits', 'digits-*']),
  rule('openai', ['gpt', 'org/gpt']),
  rule('tf-serving', ['resnet', 'org/resnet']),
];

const model = (id: string): string => `own {"id":"${id}","object":"model","created":0,"owned_by":"headgate"}`;

const table: Readonly<Record<string, string>> = {
  'POST /v1/chat/completions': 'openai chat',
  'POST /v1/completions': 'openai completion',
  'POST /v1/embeddings': 'openai embedding',
  'POST /v1/responses': 'openai other',
  'POST /v1/audio/transcriptions': 'openai other',
  'POST /v1/models/resnet:predict': 'tf-serving predict',
  'POST /v1/models/org/resnet/versions/3:predict': 'tf-serving predict',
  'POST /v1/models/nobody:predict': 'tf-serving predict',
  'POST /v2/models/digits/infer': 'open-inference infer digits',
  'POST /v2/models/org%2Fdigits/versions/3/infer': 'open-inference infer org/digits 3',
  'POST /v2/models/digits/generate': 'open-inference generate digits',
  'POST /v2/models/digits/generate_stream': 'open-inference generate_stream digits',
  'GET /v2/models/digits/ready': 'open-inference ready digits',
  'GET /v2/models/digits': 'open-inference metadata digits',
  'GET /v2': 'own {"name":"headgate","version":"1","extensions":["binary_tensor_data"]}',
  'GET /v2/health/live': 'own {"live":true}',
  'HEAD /v2/health/ready': 'own {"ready":true}',
  'HEAD /v2/models/digits': 'open-inference metadata digits',
  'GET /v1/models/gpt': model('gpt'),
  'HEAD /v1/models/gpt': model('gpt'),
  'GET /v1/models/org/gpt': model('org/gpt'),
  'GET /v1/models/org%2Fgpt': model('org/gpt'),
  'GET /v1/models/org%2fgpt?x=y': model('org/gpt'),
  'GET /v1/%6dodels/gpt': model('gpt'),
  'GET /v1/models/digits': 'open-inference metadata digits',
  'GET /v1/models/org/digits': 'open-inference metadata org/digits',
  'GET /v1/models/org%2Fdigits': 'open-inference metadata org/digits',
  'GET /v1/models/digits-7': 'open-inference metadata digits-7',
  'GET /v1/models/resnet': 'tf-serving status',
  'GET /v1/models/org%2Fresnet': 'tf-serving status',
  'GET /v1/models/org/resnet/versions/3': 'tf-serving status',
  'GET /v1/models/resnet/metadata': 'tf-serving status',
  'HEAD /v1/models/resnet/labels/stable/metadata': 'tf-serving status',
  'GET /v1/models/nobody': 'unknown model_not_found',
  'GET /v1/models/gpt/metadata': 'unknown model_not_found',
  'GET /v1/models/nobody/versions/3': 'unknown model_not_found',
  'GET /v1/models/': 'unknown model_not_found',
  'GET /v1/chat/completions': 'none',
  'GET /v1/files': 'none',
  'PUT /v1/chat/completions': 'none',
  'DELETE /v1/models/gpt': 'none',
  'GET /v2/models/digits/infer': 'none',
  'POST /v2/models/digits/ready': 'none',
  'POST /v2/models': 'none',
  'POST /v3/x': 'none',
  'GET /': 'none',
};

describe('without plain HTTP', () => {
  for (const [request, wanted] of Object.entries(table))
    it(`${request}: ${wanted}`, async () => assert.equal(await readingOf(each, request), wanted));

  it('GET /v1/models lists the models of all, and GET /v2/models those of its own protocol', async () => {
    const listed = await readingOf(each, 'GET /v1/models');
    const ids = ['digits', 'gpt', 'org/digits', 'org/gpt', 'org/resnet', 'resnet'];
    assert.deepEqual(
      [...listed.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id),
      ids,
    );
    assert.equal(await readingOf(each, 'GET /v2/models'), 'own {"models":["digits","digits-*","org/digits"]}');
  });
});

describe('with routes to plain HTTP', () => {
  const web = (path: string): Rule => rule('http', [], path);
  const request = 'http request';

  it('whatever belongs to no protocol goes there by its path alone, with any method', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'PATCH', 'PROPFIND'])
      assert.equal(await readingOf([...each, web('/web/*')], `${method} /web/x`), request, method);
    assert.equal(await readingOf([...each, web('/web/*')], 'GET /web'), 'none');
    assert.equal(await readingOf([...each, web('/*')], 'PUT /v1/chat/completions'), request);
  });

  it('one with a body is read as an upload', async () => {
    const rules = [web('/*')];
    assert.equal(await readingOf(rules, 'POST /x', { 'content-length': '3' }), 'http request with a body');
    assert.equal(await readingOf(rules, 'GET /x', { 'transfer-encoding': 'chunked' }), 'http request with a body');
    assert.equal(await readingOf(rules, 'POST /x', { 'content-length': '0' }), request);
  });

  it('a route before those of a protocol takes the protocol’s paths from it', async () => {
    const rules = [web('/v1/*'), ...each];
    for (const asked of [
      'POST /v1/chat/completions',
      'GET /v1/models',
      'GET /v1/models/gpt',
      'POST /v1/models/resnet:predict',
    ])
      assert.equal(await readingOf(rules, asked), request, asked);
    assert.equal(await readingOf(rules, 'POST /v2/models/digits/infer'), 'open-inference infer digits');
    assert.equal(await readingOf([web('/v2*'), ...each], 'GET /v2/health/live'), request);
  });

  it('a route behind them leaves them theirs', async () => {
    const rules = [...each, web('/*')];
    for (const [asked, wanted] of Object.entries(table)) {
      if (wanted === 'none' || wanted.startsWith('unknown')) continue;
      assert.equal(await readingOf(rules, asked), wanted, asked);
    }
  });

  it('what is asked of a model is judged by the rules of that model’s protocol', async () => {
    const [inference, openai, serving] = [
      ['open-inference', 'digits'],
      ['openai', 'gpt'],
      ['tf-serving', 'resnet'],
    ].map(([protocol = '', name = '']) => rule(protocol, [name]));
    assert.ok(inference !== undefined && openai !== undefined && serving !== undefined);
    const path = 'GET /v1/models';
    assert.equal(await readingOf([serving, web('/*'), openai], `${path}/resnet`), 'tf-serving status');
    assert.equal(await readingOf([serving, web('/*'), openai], `${path}/gpt`), request);
    assert.equal(await readingOf([inference, web('/*')], `${path}/digits`), 'open-inference metadata digits');
    assert.equal(await readingOf([openai, web('/*'), serving], `${path}/resnet`), request);
    assert.equal(await readingOf([openai, web('/*')], `${path}/nobody`), 'unknown model_not_found');
    assert.equal(await readingOf([serving, web('/*')], `${path}/nobody`), request);
  });

  it('a rule of the protocol on another path does not stand before it', async () => {
    const rules = [rule('openai', ['gpt'], '/v1/embeddings'), web('/v1/*')];
    assert.equal(await readingOf(rules, 'POST /v1/embeddings'), 'openai embedding');
    assert.equal(await readingOf(rules, 'POST /v1/chat/completions'), request);
  });
});

it('the methods at a path are those of everything that knows the very path', () => {
  const at = (path: string): string[] => methodsAt(path, partsOf(each));
  assert.deepEqual(at('/v1/chat/completions'), ['POST']);
  assert.deepEqual(at('/v1/models'), ['GET', 'HEAD']);
  assert.deepEqual(at('/v2/models/m/infer'), ['POST']);
  assert.deepEqual(at('/v2/models/m'), ['GET', 'HEAD']);
  for (const path of ['/v1/responses', '/v2/models//infer', '/v2/models/m/infer/', '/', '/v3'])
    assert.deepEqual(at(path), []);
});
