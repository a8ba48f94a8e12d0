import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, request } from '../support/raw-client.ts';

const scope = { after };
const backends = await Promise.all(
  Array.from({ length: 4 }, () => RawBackend.start(scope, ({ socket }) => socket.write(okAnswer('{}')))),
);
const replicas = backends
  .map(({ url }, at) => `{ id: r${at}, url: "${url}", zone: ${at < 2 ? 'here' : 'there'} }`)
  .join(', ');
const gateway = await startGateway(
  scope,
  `listen: { port: 0, zone: here }
admin: { port: 0 }
backends:
  - { name: by-header, protocol: openai, models: [h], affinity: { by: session, header: x-session }, replicas: [${replicas}] }
  - { name: by-field, protocol: openai, models: [f], affinity: { by: session, field: user }, replicas: [${replicas}] }
  - { name: by-prefix, protocol: openai, models: [p], affinity: { by: prefix }, replicas: [${replicas}] }
  - { name: by-zone, protocol: openai, models: [z], replicas: [${replicas}] }
`,
);

interface Asked {
  readonly body: object;
  readonly headers?: readonly string[];
}

async function replicaOf({ body, headers = [] }: Asked): Promise<string> {
  const line = 'POST /v1/chat/completions';
  const told = await ask(
    gateway.client,
    request({ line, headers: [...headers, 'x-headgate-explain: 1'], body: JSON.stringify(body) }),
  );
  assert.equal(told.status, 200);
  return `${told.header('x-headgate-replica')} ${/first=\w+/.exec(told.header('x-headgate-explain') ?? '')?.[0]}`;
}

/** Where each of some sessions went, ten times over. */
async function placesOf(newAsk: (session: number) => Asked): Promise<readonly ReadonlySet<string>[]> {
  const places = Array.from({ length: 16 }, () => new Set<string>());
  for (let round = 0; round < 10; round++)
    for (const [session, seen] of places.entries()) seen.add(await replicaOf(newAsk(session)));
  return places;
}

await eventually('all replicas are ready', async () => {
  const { body } = await ask(gateway.admin, request({ line: 'GET /api/backends' }));
  return !/"standing":"(?:starting|unready)"/.test(body);
});

// A replica whose first answers are slow is not preferred.
for (const model of ['h', 'f', 'p']) for (let n = 0; n < 40; n++) await replicaOf({ body: { model } });

test('a session named by a header, or by a member of the body, stays on one replica, and sessions are spread', async () => {
  const byHeader = await placesOf((n) => ({ body: { model: 'h' }, headers: [`x-session: s${n}`] }));
  const byField = await placesOf((n) => ({ body: { model: 'f', user: `s${n}` } }));
  for (const places of [byHeader, byField]) {
    for (const seen of places) assert.equal(seen.size, 1, [...seen].join());
    assert.ok(new Set(places.flatMap((seen) => [...seen])).size >= 3);
  }
});

test('a conversation that goes on is sent where it began, and says so', async () => {
  const said = Array.from({ length: 20 }, (_, turn) => ({ role: 'user', content: `${turn} `.repeat(200) }));
  const seen = new Set<string>();
  for (let turns = 2; turns <= said.length; turns++)
    seen.add(await replicaOf({ body: { messages: said.slice(0, turns), model: 'p' } }));
  // The first went where the policy said.
  assert.equal(new Set([...seen].map((one) => one.split(' ')[0])).size, 1, [...seen].join());
  assert.ok([...seen].some((one) => one.endsWith('first=affinity')));
});

test('while replicas in the zone have nothing to do, none elsewhere gets anything', async () => {
  for (let n = 0; n < 20; n++) assert.match(await replicaOf({ body: { model: 'z' } }), /^by-zone\/r[01] first=zone$/);
});
