import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { ask, type RawAnswer, request } from '../support/raw-client.ts';

const open = await startEdgeGateway({ after });
const token = 'canary-token';
const guarded = await startEdgeGateway({ after }, `admin: { port: 0, token: ${token} }`);

function get(admin: string, path: string, headers: readonly string[] = []): Promise<RawAnswer> {
  return ask(admin, request({ line: `GET ${path}`, headers }));
}

test('health, readiness and metrics are told to anybody on the admin port', async () => {
  for (const { admin } of [open, guarded]) {
    assert.equal((await get(admin, '/healthz')).body, '{"live":true}');
    assert.equal((await get(admin, '/readyz')).body, '{"ready":true}');
    assert.equal((await get(admin, '/metrics')).status, 200);
  }
});

test('what lies under /api wants the token where there is one', async () => {
  for (const path of ['/api/backends', '/api/config']) {
    assert.equal((await get(open.admin, path)).status, 200);
    const refused = await get(guarded.admin, path);
    assert.equal(refused.status, 401);
    assert.equal(refused.header('www-authenticate'), 'Bearer');
    for (const wrong of [
      'Bearer wrong',
      'Bearer ',
      `Basic ${token}`,
      token,
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
    ])
      assert.equal((await get(guarded.admin, path, [`authorization: ${wrong}`])).status, 401, wrong);
    assert.equal(
      (await get(guarded.admin, path, [`authorization: Bearer ${token}`, 'authorization: Bearer x'])).status,
      401,
    );
    assert.equal((await get(guarded.admin, path, [`authorization: Bearer ${token}`])).status, 200);
    assert.equal((await get(guarded.admin, path, [`authorization: bearer ${token}`])).status, 200);
  }
});

test('no other spelling of a path gets past the token', async () => {
  const ways = [
    '/api/config/',
    '//api/config',
    '/API/config',
    '/api//config',
    '/api/./config',
    '/api/x/../config',
    '/%61pi/config',
    '/api%2Fconfig',
    '/healthz/../api/config',
    '/api/config?x',
    '/api/config#x',
    '/api\\config',
    'http://localhost/api/config',
    'http://localhost//api/config',
  ];
  for (const way of ways) {
    const { status, body } = await get(guarded.admin, way);
    assert.ok([400, 401, 404].includes(status), `${way}: ${status}`);
    assert.doesNotMatch(body, /backends|canary/, way);
  }
  const head = await ask(guarded.admin, request({ line: 'HEAD /api/config' }), 'HEAD');
  assert.equal(head.status, 401);
  const noHost = await ask(guarded.admin, 'GET /api/config HTTP/1.0\r\n\r\n');
  assert.equal(noHost.status, 401);
});

test('the admin port serves nothing else, allows no origin, and the client port serves nothing of it', async () => {
  const elsewhere = await ask(open.admin, request({ line: 'POST /v2/models/m/infer', body: '{}' }));
  assert.equal(elsewhere.status, 404);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, header } = await ask(
      open.admin,
      request({ line: `${method} /api/config`, headers: ['origin: http://evil.example'] }),
    );
    assert.equal(status, 404);
    assert.equal(header('access-control-allow-origin'), null);
  }
  for (const path of ['/metrics', '/api/config', '/api/backends', '/healthz', '/readyz', '/'])
    assert.equal((await get(open.client, path)).status, 404, path);
});

test('the metrics are text that Prometheus reads', async () => {
  await ask(open.client, request({ line: 'POST /v2/models/m/infer', body: '{}' }));
  const { header, body } = await get(open.admin, '/metrics');
  assert.match(header('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const declared = new Set<string>();
  const seen = new Set<string>();
  for (const line of body.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const [, type, kind] = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (type !== undefined) {
      assert.ok(!declared.has(type), `${type} is declared once`);
      if (kind === 'counter') assert.match(type, /_total$/);
      declared.add(type);
      continue;
    }
    const [, name, labels = ''] = /^([a-z_]+)(\{[^}]*\})? (?:[\d.e+-]+|NaN|[+-]Inf)$/.exec(line) ?? [];
    assert.ok(name !== undefined, line);
    assert.match(labels, /^(\{([a-z_]+="[^"\\]*",?)*\})?$/);
    assert.ok(!seen.has(name + labels), `${line} stands once`);
    seen.add(name + labels);
    assert.ok(declared.has(name) || declared.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} is declared`);
  }
  assert.ok(declared.has('headgate_requests_total'));
});

test('metrics do not grow with what clients make up', async () => {
  const linesOf = async (): Promise<number> => (await get(open.admin, '/metrics')).body.split('\n').length;
  const headers = (n: number): string[] => [`x-api-key: key-${n}`, `x-request-id: id-${n}`];
  const makeUp = async (n: number): Promise<void> => {
    await get(open.client, `/v2/models/unknown-${n}`, headers(n));
    await get(open.client, `/path-${n}`, headers(n));
    await get(open.client, '/v2/models/m', headers(n));
  };
  await makeUp(0);
  const before = await linesOf();
  for (let n = 1; n < 100; n++) await makeUp(n);
  assert.equal(await linesOf(), before);
});

test('the token stands in no answer and no log', async () => {
  const withToken = [`authorization: Bearer ${token}`];
  const shown = [guarded.process.stdout, guarded.process.stderr];
  for (const path of ['/api/config', '/api/backends', '/metrics', '/healthz', '/readyz', '/nothing'])
    shown.push(JSON.stringify(await get(guarded.admin, path, withToken)));
  assert.match(shown.join('\n'), /\\"token\\":\\"\*\*\*/);
  assert.doesNotMatch(shown.join('\n'), /canary/);
});
