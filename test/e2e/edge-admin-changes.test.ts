import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually } from '../support/gateway-process.ts';
import { okAnswer } from '../support/raw-backend.ts';
import { ask, type RawAnswer, RawClient, request } from '../support/raw-client.ts';

const token = 'token-of-the-operator';
const open = await startEdgeGateway({ after }, 'telemetry: { log: info }');
const guarded = await startEdgeGateway({ after }, `admin: { port: 0, token: ${token} }`);
const withToken = `authorization: Bearer ${token}`;
const mark = 'x-headgate-admin: 1';
const drain = '/api/replicas/pool/a/drain';
const port = new URL(open.admin).port;

type Gateway = typeof open;

/** What an operator sees of all replicas. */
async function stateOf({ admin }: Gateway): Promise<string> {
  const { status, body } = await ask(admin, request({ line: 'GET /api/backends', headers: [withToken] }));
  assert.equal(status, 200);
  return body;
}

function change(path: string, gateway = open): Promise<RawAnswer> {
  const headers = gateway === open ? [mark] : [withToken];
  return ask(gateway.admin, request({ line: `POST ${path}`, headers }));
}

const infer = request({ body: '{}' });

test('a drained replica gets no request, finishes the one it has, and is back when it is put back', async () => {
  let finish = (): void => {};
  open.backend.script = ({ socket }) => {
    finish = () => socket.write(okAnswer('late'));
  };
  const running = new RawClient(open.client).send(infer);
  await eventually('the replica has the request', () => open.backend.arrivals.length === 1);
  const drained = await change(drain);
  assert.equal(drained.status, 200);
  const shown = JSON.parse(drained.body);
  assert.equal(shown.id, 'a');
  assert.equal(shown.standing, 'draining');
  assert.equal(shown.reason, 'drained by an operator');
  assert.equal(shown.inFlight, 1);
  assert.deepEqual(shown, JSON.parse(await stateOf(open))[0].replicas[0]);
  assert.equal((await ask(open.client, infer)).status, 503);
  finish();
  assert.equal((await running.answer()).body, 'late');
  running.leave();
  open.backend.script = ({ socket }) => socket.write(okAnswer('done'));
  assert.equal(JSON.parse((await change('/api/replicas/pool/a/undrain')).body).standing, 'ready');
  assert.equal((await ask(open.client, infer)).body, 'done');
  assert.equal(open.backend.arrivals.length, 2);
});

test('whoever changes something stands in the log, and what was changed', async () => {
  await change(drain);
  await change('/api/replicas/pool/a/undrain');
  await eventually('both are logged', () => changesIn(open).length >= 4);
  const [first, second] = changesIn(open).slice(-2);
  assert.deepEqual([first?.by, first?.change, first?.replica], ['127.0.0.1', 'drain', 'pool/a']);
  assert.deepEqual([second?.by, second?.change, second?.replica], ['127.0.0.1', 'undrain', 'pool/a']);
});

function changesIn({ process }: Gateway): Record<string, unknown>[] {
  return process.log.filter(({ msg }) => msg === 'an operator asked for a change');
}

test('a change may bring a body, which is not read, and the connection serves the next request', async () => {
  const client = new RawClient(open.admin);
  const post = request({ line: 'POST /api/replicas/pool/a/undrain', headers: [mark], body: '{"drain":true}' });
  for (let n = 0; n < 3; n++) assert.equal((await client.send(post).answer()).status, 200);
  client.leave();
});

/** Requests that look like a change, or near it, and what they are answered. All but the first two are sent with the mark and the right Host unless said otherwise. */
const attempts: Readonly<Record<string, { status: number | readonly number[]; bytes: string; method?: string }>> = {
  'a POST without the mark': { status: 403, bytes: request({ line: `POST ${drain}` }) },
  'a form': {
    status: 403,
    bytes: request({
      line: `POST ${drain}`,
      headers: ['content-type: application/x-www-form-urlencoded'],
      body: 'x-headgate-admin=1',
    }),
  },
  'a wrong mark': { status: 403, bytes: post(drain, 'x-headgate-admin: yes') },
  'an empty mark': { status: 403, bytes: post(drain, 'x-headgate-admin:') },
  'the mark twice': { status: 403, bytes: post(drain, mark, mark) },
  'a mark and another': { status: 403, bytes: post(drain, mark, 'x-headgate-admin: 0') },
  'the mark in the query': { status: 403, bytes: post(`${drain}?x-headgate-admin=1`, 'x-other: 1') },
  'the mark with an underscore': { status: 403, bytes: post(drain, 'x_headgate_admin: 1') },
  'the mark as a trailer': {
    status: 403,
    bytes: `${request({ line: `POST ${drain}`, headers: ['transfer-encoding: chunked', 'trailer: x-headgate-admin'] })}0\r\n${mark}\r\n\r\n`,
  },
  'the page of another origin': { status: 403, bytes: post(drain, mark, 'origin: http://evil.test') },
  'the page of another port': { status: 403, bytes: post(drain, mark, 'origin: http://localhost:1') },
  'a page of no origin': { status: 403, bytes: post(drain, mark, 'origin: null') },
  'two origins': { status: 403, bytes: post(drain, mark, 'origin: http://localhost', 'origin: http://evil.test') },
  'a foreign host': { status: 421, bytes: request({ line: `POST ${drain}`, host: 'evil.test', headers: [mark] }) },
  'a rebound host': {
    status: 421,
    bytes: request({
      line: `POST ${drain}`,
      host: `evil.test:${port}`,
      headers: [mark, `origin: http://evil.test:${port}`],
    }),
  },
  'a host that begins like ours': {
    status: 421,
    bytes: request({ line: `POST ${drain}`, host: `localhost.evil.test:${port}`, headers: [mark] }),
  },
  'a second host': { status: [400, 421], bytes: post(drain, mark, 'host: evil.test') },
  'a target of another authority': { status: 421, bytes: post(`http://evil.test:${port}${drain}`, mark) },
  'a target of ours behind a foreign host': {
    status: 403,
    bytes: request({ line: `POST http://localhost${drain}`, host: 'evil.test', headers: ['origin: http://evil.test'] }),
  },
  'a GET': { status: 405, bytes: request({ line: `GET ${drain}`, headers: [mark] }) },
  'a HEAD': { status: 405, bytes: request({ line: `HEAD ${drain}`, headers: [mark] }), method: 'HEAD' },
  'a PUT': { status: 405, bytes: request({ line: `PUT ${drain}`, headers: [mark], body: '' }) },
  'a DELETE': { status: 405, bytes: request({ line: `DELETE ${drain}`, headers: [mark] }) },
  'a method of WebDAV': { status: 405, bytes: request({ line: `PROPFIND ${drain}`, headers: [mark] }) },
  'a method in lower case': { status: [400, 405], bytes: request({ line: `post ${drain}`, headers: [mark] }) },
  'a GET that would be a POST': {
    status: 405,
    bytes: request({
      line: `GET ${drain}?_method=POST`,
      headers: [mark, 'x-http-method-override: POST', 'x-method-override: POST', 'x-http-method: POST'],
    }),
  },
  'a preflight': {
    status: 405,
    bytes: request({
      line: `OPTIONS ${drain}`,
      headers: [
        'origin: http://evil.test',
        'access-control-request-method: POST',
        'access-control-request-headers: x-headgate-admin',
        'access-control-request-private-network: true',
      ],
    }),
  },
  'an upgrade': {
    status: 501,
    bytes: request({ line: `GET ${drain}`, headers: [mark, 'connection: upgrade', 'upgrade: websocket'] }),
  },
  'a tunnel': { status: 405, bytes: `CONNECT ${drain} HTTP/1.1\r\nhost: localhost\r\n${mark}\r\n\r\n` },
  'another case': { status: 404, bytes: post('/API/replicas/pool/a/drain', mark) },
  'another case of the change': { status: 404, bytes: post('/api/replicas/pool/a/DRAIN', mark) },
  'another case of the replica': { status: 404, bytes: post('/api/replicas/pool/A/drain', mark) },
  'a slash more': { status: 404, bytes: post(`${drain}/`, mark) },
  'a coded slash': { status: 404, bytes: post('/api/replicas/pool%2Fa/drain', mark) },
  'half a code': { status: 404, bytes: post('/api/replicas/pool/%e0%a4/drain', mark) },
  'no replica': { status: 404, bytes: post('/api/replicas/pool//drain', mark) },
  'a replica of every object': { status: 404, bytes: post('/api/replicas/__proto__/constructor/drain', mark) },
};

function post(target: string, ...headers: readonly string[]): string {
  return request({ line: `POST ${target}`, headers });
}

for (const [claim, { status, bytes, method = 'GET' }] of Object.entries(attempts)) {
  test(`${claim} changes nothing, and no origin is let in`, async () => {
    const before = await stateOf(open);
    const answer = await ask(open.admin, bytes, method);
    assert.ok([status].flat().includes(answer.status), `${answer.head}\n${answer.body}`);
    assert.doesNotMatch(answer.head, /access-control-/i);
    if (answer.status === 405) assert.match(answer.header('allow') ?? 'CONNECT', /POST|CONNECT/);
    assert.equal(await stateOf(open), before);
  });
}

test('each of these attempts is one slip away from a change', async () => {
  const allowed = [post(drain, mark), post(`http://localhost:${port}${drain}`, mark), post(`${drain}?x=1`, mark)];
  allowed.push(post(drain, 'X-Headgate-Admin:1'), post('/api/replicas/pool/%61/drain', mark));
  allowed.push(post(drain, mark, 'origin: http://localhost'));
  for (const bytes of allowed) {
    assert.equal((await ask(open.admin, bytes)).status, 200, bytes);
    assert.match(await stateOf(open), /"draining"/);
    await change('/api/replicas/pool/a/undrain');
  }
});

test('where there is a token, nothing but the token changes anything', async () => {
  const before = await stateOf(guarded);
  const wrong = [
    post(drain, mark),
    post(`${drain}?token=${token}`, mark),
    post(`${drain}?access_token=${token}`, mark),
    post(drain, mark, `x-api-key: ${token}`),
    post(drain, mark, `cookie: token=${token}`),
    post(drain, mark, `authorization: Basic ${Buffer.from(`:${token}`).toString('base64')}`),
    post(drain, mark, `authorization: Bearer ${token.toUpperCase()}`),
    post(drain, mark, withToken, 'authorization: Bearer x'),
    post(drain, mark, withToken, withToken),
    post('/api/replicas/pool/x/drain', mark),
    request({ line: `GET ${drain}`, headers: [mark] }),
  ];
  for (const bytes of wrong) {
    const { status, body } = await ask(guarded.admin, bytes);
    assert.equal(status, 401, bytes);
    assert.doesNotMatch(body, /pool/, 'what there is, is not told either');
  }
  assert.equal((await ask(guarded.admin, post(drain, withToken, 'origin: http://evil.test'))).status, 403);
  assert.equal(await stateOf(guarded), before);
  assert.equal((await change(drain, guarded)).status, 200);
  assert.match(await stateOf(guarded), /"draining"/);
});

test('a foreign host is told nothing, whatever it asks for', async () => {
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/api/backends', '/api/config', '/nothing'];
  for (const { admin } of [open, guarded]) {
    for (const path of paths) {
      for (const host of ['evil.test', `evil.test:${port}`, `127.0.0.1.evil.test:${port}`, '0.0.0.0', '127.0.0.2']) {
        const { status, body } = await ask(admin, request({ line: `GET ${path}`, host, headers: [withToken] }));
        assert.equal(status, 421, `${path} for ${host}`);
        assert.doesNotMatch(body, /headgate_|pool/);
      }
    }
  }
});

test('no answer may be stored or taken for something else', async () => {
  const asked = ['GET /healthz', 'GET /metrics', 'GET /api/config', 'GET /nothing', 'GET /%', 'GET ////'];
  for (const line of [...asked, `POST ${drain}`, `OPTIONS ${drain}`]) {
    const { head } = await ask(open.admin, request({ line }));
    assert.match(head, /\r\ncache-control: no-store(\r\n|$)/i, line);
    assert.match(head, /\r\nx-content-type-options: nosniff(\r\n|$)/i, line);
  }
});
