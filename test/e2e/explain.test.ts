import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { answer, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const scope = { after };
const token = 'canary-token';
const forged = 'x-headgate-explain: forged';
const [near, far, broken] = await Promise.all([
  RawBackend.start(scope, ({ socket }) => socket.write(okAnswer('{}', forged))),
  RawBackend.start(scope, ({ socket }) => socket.write(okAnswer('{}', forged))),
  RawBackend.start(scope, ({ socket }) => socket.write(answer('500 So', '{}'))),
]);
const gateway = await startGateway(
  scope,
  `admin: { port: 0, token: ${token} }
backends:
  - { name: pool, protocol: open-inference, models: [m], replicas: [{ id: near, url: "${near.url}" }, { id: far, url: "${far.url}", slots: 2 }] }
  - { name: failing, protocol: open-inference, models: [f], policy: round-robin, replicas: [{ id: bad, url: "${broken.url}" }] }
  - { name: mixed, protocol: open-inference, models: [x], policy: round-robin, breaker: { consecutive: 1000, success_below: 1% }, replicas: [{ id: bad, url: "${broken.url}" }, { id: good, url: "${near.url}" }] }
routes:
  - { match: { model: m }, to: [{ backend: pool }] }
  - { match: { model: f }, to: [{ backend: failing }], fallback: [pool] }
`,
);
const bearer = `authorization: Bearer ${token}`;
const explain = 'x-headgate-explain: 1';

async function change(path: string): Promise<void> {
  const { status } = await ask(gateway.admin, request({ line: `POST ${path}`, headers: [bearer] }));
  assert.equal(status, 200);
}

async function infer(model: string, ...headers: readonly string[]) {
  const line = `POST /v2/models/${model}/infer`;
  return ask(gateway.client, request({ line, headers, body: '{"inputs":[]}' }));
}

await eventually('all replicas are ready', async () => {
  const { body } = await ask(gateway.admin, request({ line: 'GET /api/backends', headers: [bearer] }));
  return !/"standing":"(?:starting|unready)"/.test(body);
});

test('who asks is told every price and who was picked; who does not is not, nor what a replica says in our name', async () => {
  for (let n = 0; n < 10; n++) assert.equal((await infer('m')).header('x-headgate-explain'), null);
  assert.equal((await infer('m', 'x-headgate-explain: 0')).header('x-headgate-explain'), null);
  const told = await infer('m', explain);
  const [, picked] =
    /^adaptive;backend="pool";picked="(near|far)";unit=ms;waited=0, "(?:near|far)";price=[\d.]+, "(?:near|far)";price=[\d.]+$/.exec(
      told.header('x-headgate-explain') ?? '',
    ) ?? assert.fail(told.head);
  assert.equal(told.header('x-headgate-replica'), `pool/${picked}`);
});

test('a retry is explained by its own pick, in which the replica that failed was tried before', async () => {
  const seen = new Set<string>();
  for (let n = 0; n < 4; n++) {
    const told = await infer('x', explain);
    assert.equal(told.status, 200);
    seen.add(told.header('x-headgate-explain') ?? '');
  }
  const retried = [...seen].find((one) => one.includes('tried-before')) ?? assert.fail([...seen].join());
  assert.match(retried, /^round-robin;backend="mixed";picked="good";.*, "bad";out=tried-before$/);
});

test('a fallback is explained by the pick among its replicas', async () => {
  const told = await infer('f', explain);
  assert.equal(told.status, 200);
  assert.match(told.header('x-headgate-explain') ?? '', /^adaptive;backend="pool";picked=/);
});

test('one that is refused is told what spoke against each replica', async () => {
  await change('/api/replicas/pool/near/drain');
  await change('/api/replicas/pool/far/eject');
  const told = await infer('m', explain);
  assert.equal(told.status, 503);
  assert.equal(
    told.header('x-headgate-explain'),
    'adaptive;backend="pool";picked=?0;unit=ms;waited=0, "near";out=draining, "far";out=ejected',
  );
  await change('/api/replicas/pool/near/undrain');
  await change('/api/replicas/pool/far/readmit');
});

/** Begins to watch what happens. */
async function watch(...headers: readonly string[]): Promise<RawClient> {
  const client = new RawClient(gateway.admin);
  after(() => client.leave());
  client.send(request({ line: 'GET /api/events', headers: [bearer, ...headers] }));
  await client.untilFound(/: watching\n/);
  return client;
}

test('operators see decisions and replicas as it happens, and come back to what they have missed', async () => {
  const refused = await ask(gateway.admin, request({ line: 'GET /api/events' }));
  assert.equal(refused.status, 401);
  const client = await watch();
  assert.match(String(client.held), /^HTTP\/1\.1 200 OK\r\n.*content-type: text\/event-stream\r\n/s);
  await infer('m');
  await client.untilFound(
    /\nevent: decision\ndata: \{"at":"[^"]+","backend":"pool","policy":"adaptive","unit":"ms","preference":null,"picked":/,
  );
  await change('/api/replicas/pool/near/drain');
  const text = await client.untilFound(/"replica":"near","standing":"draining",.*\n\n/);
  const [last] = [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.slice(1) ?? [];
  client.leave();
  await change('/api/replicas/pool/near/undrain');
  const back = await watch(`last-event-id: ${last}`);
  const missed = await back.untilFound(/"standing":"ready"/);
  assert.doesNotMatch(missed, /draining/);
  back.leave();
  const anew = await watch();
  await change('/api/replicas/pool/far/eject');
  assert.doesNotMatch(await anew.untilFound(/"gate":"ejected"/), /near/);
  await change('/api/replicas/pool/far/readmit');
  await anew.untilFound(/"gate":"passing"/);
});

test('its streams end cleanly when the gateway does', async () => {
  const client = await watch();
  assert.equal(await gateway.process.stop(), 0);
  await client.untilFound(/\r\n0\r\n\r\n$/);
});
