import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { eventually, HeadgateProcess, watchGateway } from '../support/gateway-process.ts';
import { answer, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, request } from '../support/raw-client.ts';

/** One for each way a secret comes in; none may come out where operators look. */
const secrets = {
  token: 'canary-in-token-file',
  header: 'canary-in-header',
  headerFile: 'canary-in-header-file',
  environment: 'canary-in-environment',
  routed: 'canary-in-route',
  client: 'canary-of-client',
  broken: 'canary-in-broken-file',
} as const;

const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'gateway.yaml');
writeFileSync(join(folder, 'token'), `${secrets.token}\n`);
writeFileSync(join(folder, 'key'), `${secrets.headerFile}\n`);

const backend = await RawBackend.start({ after }, ({ socket }) => socket.write(okAnswer('done')));
/** Refuses the credential it is sent, and repeats it. */
const echo = await RawBackend.start(
  { after },
  ({ socket, headers }) => socket.write(answer('401 Unauthorized', headers.join('\n'))),
  { isReady: false },
);

const configuration = `
listen: { port: 0 }
admin: { port: 0, token_file: token }
telemetry: { log: debug }
backends:
  - name: pool
    protocol: open-inference
    models: [m]
    replicas:
      - id: well
        url: ${backend.url}
        headers: { authorization: "Bearer ${secrets.header}", x-key_file: key, x-env: "\${SECRET_OF_TEST}" }
      - id: echo
        url: ${echo.url}
        headers: { authorization: "Bearer ${secrets.header}" }
routes:
  - { match: { header: { x-api-key: ${secrets.routed} } }, to: [{ backend: pool }] }
  - { to: [{ backend: pool }] }
`;

writeFileSync(file, configuration);
const environment = { SECRET_OF_TEST: secrets.environment };
const gateway = await watchGateway(new HeadgateProcess({ after }, ['serve', '--config', file], { environment }));
const withToken = `authorization: Bearer ${secrets.token}`;

/** All that came out: every byte of every answer. */
const told: string[] = [];

async function tell(line: string, ...headers: readonly string[]): Promise<number> {
  const { status, head, body } = await ask(gateway.admin, request({ line, headers }));
  told.push(head, body);
  return status;
}

test('the gateway has the secrets, and sends upstream those that belong there', async () => {
  for (const key of [secrets.routed, secrets.client]) {
    const headers = [`x-api-key: ${key}`, `authorization: Bearer ${secrets.client}`];
    assert.equal((await ask(gateway.client, request({ headers, body: '{}' }))).body, 'done');
  }
  const sent = backend.arrivals.flatMap(({ headers }) => headers).join('\n');
  for (const secret of [secrets.header, secrets.headerFile, secrets.environment]) assert.ok(sent.includes(secret));
  assert.ok(!sent.includes(secrets.client));
});

test('operators are told no secret, whatever they ask and whatever goes wrong', async () => {
  for (const path of ['/', '/healthz', '/readyz', '/metrics', '/api/backends', '/api/config', '/nothing', '/%']) {
    await tell(`GET ${path}`);
    await tell(`GET ${path}`, withToken);
    await tell(`GET ${path}?token=${secrets.token}`, `authorization: Bearer ${secrets.client}`);
  }
  const drain = 'POST /api/replicas/pool/well/drain';
  assert.equal(await tell(drain, `x-headgate-admin: ${secrets.token}`), 401);
  assert.equal(await tell(drain, withToken, `origin: http://${secrets.client}.test`), 403);
  assert.equal(await tell(drain, withToken), 200);
  assert.equal(await tell('POST /api/replicas/pool/none/drain', withToken), 404);
  await ask(gateway.client, request({ headers: [`x-api-key: ${secrets.client}`], body: '{}' }));
  assert.equal(await tell('POST /api/replicas/pool/well/undrain', withToken), 200);
});

test('nor by a reload that is refused, where the faults are in the secrets', async () => {
  const faulty = [
    configuration.replace('token_file: token', `token: [${secrets.broken}]`),
    configuration.replace('x-key_file: key', `x-key: "${secrets.broken}\\n"`),
    configuration.replace(secrets.header, `${secrets.broken}"${secrets.broken}`),
    configuration.replace(backend.url, `http://user:${secrets.broken}@h/?key=${secrets.broken}`),
  ];
  for (const text of faulty) {
    assert.ok(text.includes(secrets.broken));
    writeFileSync(file, text);
    assert.equal(await tell('POST /api/config/reload', withToken), 422);
  }
  await tell('GET /metrics', withToken);
  await tell('GET /api/config', withToken);
});

test('what came out shows that secrets are there, and none of them', async () => {
  const last = 'the change stands in the log';
  await eventually(last, () => gateway.process.log.filter(({ change }) => change === 'reload').length === 4);
  await eventually('the exchanges stand in the log', () => gateway.process.log.some(({ msg }) => msg === 'exchange'));
  assert.ok(echo.arrivals.some(({ headers }) => headers.join().includes(secrets.header)));
  const all = [...told, gateway.process.stdout, gateway.process.stderr].join('\n');
  assert.match(all, /"token":"\*\*\*"/);
  assert.match(all, /"authorization":"\*\*\*"/);
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!all.includes(secret), `${name} came out`);
  assert.doesNotMatch(all, /canary/i);
});
