import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { eventually, HeadgateProcess, watchGateway } from '../support/gateway-process.ts';
import { inferLive } from '../support/live-arrivals.ts';
import { type Arrival, answer, okAnswer, RawBackend } from '../support/raw-backend.ts';

const scope = { after };
const wallNow = (): number => performance.timeOrigin + performance.now();
const serve = ({ socket }: Arrival): boolean => socket.write(okAnswer('{}'));
const always = (line: string) => (arrival: Arrival) => arrival.socket.write(answer(line, '{}'));
function everyOther(line: string): (arrival: Arrival) => void {
  let count = 0;
  return (arrival) => (count++ % 2 === 0 ? always(line)(arrival) : serve(arrival));
}

/** One backend for each kind of trip: what its bad replica does, and what the table says of it then. */
const trips: Readonly<
  Record<string, { bad(arrival: Arrival): void; cause: string; reason: RegExp; breaker?: string }>
> = {
  consecutive: { bad: always('500 So'), cause: 'outlier', reason: /^5 failures in a row$/ },
  share: {
    bad: everyOther('500 So'),
    cause: 'outlier',
    reason: /^\d+ of \d+ requests failed within 10000 ms$/,
    breaker: ', breaker: { consecutive: 1000 }',
  },
  client_errors: {
    bad: always('404 No'),
    cause: 'client_errors',
    reason: /^100 % of its requests got 4xx or no answer in time, and 0 % of the other replicas’$/,
  },
  unreachable: { bad: serve, cause: 'unreachable', reason: /^5 requests in a row could not be sent$/ },
  credential: { bad: always('401 No'), cause: 'credential', reason: /credential/ },
  operator: { bad: serve, cause: 'operator', reason: /^ejected by an operator$/ },
};

/** How the last request failed there; those of clients’ errors are answers. */
const failures: Readonly<Record<string, RegExp>> = {
  consecutive: /^status 500$/,
  share: /^status 500$/,
  unreachable: /ECONNREFUSED/,
  credential: /^status 401$/,
};

const bad = new Map<string, RawBackend>();
const written: string[] = [];
for (const [name, { bad: script, breaker = '' }] of Object.entries(trips)) {
  const one = await RawBackend.start(scope, script);
  const good = await RawBackend.start(scope, serve);
  bad.set(name, one);
  const replicas = `[{ id: bad, url: "${one.url}" }, { id: good, url: "${good.url}" }]`;
  written.push(
    `  - { name: ${name}, protocol: open-inference, models: [${name}], policy: round-robin, health: { every: 1m }, replicas: ${replicas}${breaker} }\n`,
  );
}
const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'gateway.yaml');
const write = (more: string): void =>
  writeFileSync(file, `listen: { port: 0 }\nadmin: { port: 0 }\nbackends:\n${written.join('')}${more}`);
write('');
const gateway = await watchGateway(new HeadgateProcess(scope, ['serve', '--config', file]));

interface Row {
  readonly id: string;
  readonly standing: string;
  readonly gate: string;
  readonly gateCause: string | null;
  readonly gateReason: string;
  readonly gateSince: string;
  readonly gateUntil: string | null;
  readonly restsUntil: string | null;
  readonly lastFailure: string | null;
  readonly lastFailureAt: string | null;
}

async function rowOf(name: string, id = 'bad'): Promise<Row> {
  const backends = (await (await fetch(`${gateway.admin}/api/backends`)).json()) as { name: string; replicas: Row[] }[];
  const row = backends.find((one) => one.name === name)?.replicas.find((one) => one.id === id);
  return row ?? assert.fail();
}

const ask = (name: string): ReturnType<typeof inferLive> => inferLive(`${gateway.client}/v2/models/${name}/infer`);
const logOf = (name: string): Record<string, unknown>[] =>
  gateway.process.log.filter(({ replica, gate }) => replica === `${name}/bad` && gate !== undefined);

await eventually('all replicas are ready', async () => {
  const text = await (await fetch(`${gateway.admin}/api/backends`)).text();
  return !/"standing":"(?:starting|unready)"/.test(text);
});

for (const [name, { cause, reason }] of Object.entries(trips)) {
  test(`the table says why a replica is out, since when and until when: ${name}`, async () => {
    const startedAtMs = wallNow();
    if (name === 'unreachable') bad.get(name)?.close();
    if (name === 'operator') await gateway.change('/api/replicas/operator/bad/eject');
    for (let n = 0; n < 100 && (await rowOf(name)).gate !== 'ejected'; n++) await ask(name);
    const row = await rowOf(name);
    assert.deepEqual([row.standing, row.gate, row.gateCause], ['ready', 'ejected', cause]);
    assert.match(row.gateReason, reason);
    const sinceMs = Date.parse(row.gateSince);
    assert.ok(sinceMs >= startedAtMs - 5 && sinceMs <= wallNow() + 5, row.gateSince);
    if (cause === 'operator') assert.equal(row.gateUntil, null);
    else {
      const lastsMs = Date.parse(row.gateUntil ?? assert.fail()) - sinceMs;
      assert.ok(lastsMs >= 2_500 && lastsMs <= 5_000, `${lastsMs} ms: between half and the whole of 5s`);
    }
    const good = await rowOf(name, 'good');
    assert.deepEqual([good.gate, good.gateCause], ['passing', null]);
    await eventually('it is logged', () => logOf(name).length > 0);
    const [line] = logOf(name);
    assert.deepEqual([line?.gate, line?.cause, line?.reason], ['ejected', cause, row.gateReason]);
    const failure = failures[name] ?? null;
    if (failure === null) assert.deepEqual([row.lastFailure, row.lastFailureAt], [null, null]);
    else {
      assert.match(row.lastFailure ?? '', failure);
      assert.ok(Date.parse(row.lastFailureAt ?? '') >= startedAtMs - 5);
      assert.match(String(line?.lastFailure), failure);
    }
    assert.equal(good.lastFailure, null);
  });
}

test('an ejected replica stays so through a reload, and one that an operator ejected until it is readmitted', async () => {
  await gateway.change('/api/replicas/share/bad/readmit');
  bad.get('share')?.arrivals.splice(0);
  for (let n = 0; n < 100 && (await rowOf('share')).gate !== 'ejected'; n++) await ask('share');
  const before = [await rowOf('share'), await rowOf('operator')];
  write('telemetry: { log: info }\n# Another text.\n');
  await gateway.change('/api/config/reload');
  assert.deepEqual([await rowOf('share'), await rowOf('operator')], before);
  assert.deepEqual(
    before.map(({ gate }) => gate),
    ['ejected', 'ejected'],
  );
  const arrivals = bad.get('operator')?.arrivals.length;
  for (let n = 0; n < 10; n++) assert.equal((await ask('operator')).status, 200);
  assert.equal(bad.get('operator')?.arrivals.length, arrivals, 'nothing reaches it');
});

test('what an operator takes out and puts back shows, works and is logged', async () => {
  const replica = bad.get('operator') ?? assert.fail();
  const reached = async (): Promise<number> => {
    const before = replica.arrivals.length;
    for (let n = 0; n < 6; n++) assert.equal((await ask('operator')).status, 200);
    return replica.arrivals.length - before;
  };
  const steps = [
    ['readmit', 'ready', 'passing', 'readmitted by an operator'],
    ['drain', 'draining', 'passing', 'readmitted by an operator'],
    ['undrain', 'ready', 'passing', 'readmitted by an operator'],
    ['eject', 'ready', 'ejected', 'ejected by an operator'],
  ] as const;
  for (const [change, standing, gate, reason] of steps) {
    const shown = (await gateway.change(`/api/replicas/operator/bad/${change}`)) as unknown as Row;
    assert.deepEqual([shown.standing, shown.gate, shown.gateReason], [standing, gate, reason], change);
    assert.equal((await reached()) > 0, standing === 'ready' && gate === 'passing', change);
  }
  const changes = (): unknown[] =>
    gateway.process.log
      .filter(({ msg, replica: name }) => msg === 'an operator asked for a change' && name === 'operator/bad')
      .map(({ change }) => change);
  await eventually('all is logged', () => changes().length === 5);
  assert.deepEqual(changes(), ['eject', 'readmit', 'drain', 'undrain', 'eject']);
});

test('a replica that rests shows until when', async () => {
  const replica = bad.get('operator') ?? assert.fail();
  await gateway.change('/api/replicas/operator/bad/readmit');
  replica.script = ({ socket }) => socket.write(answer('429 Busy', '{}', 'retry-after: 4'));
  for (let n = 0; n < 100 && (await rowOf('operator')).restsUntil === null; n++) await ask('operator');
  // It declines again and again, and rests for longer each time.
  const leftMs = async (): Promise<number> => Date.parse((await rowOf('operator')).restsUntil ?? '') - wallNow();
  await eventually('it rests for seconds', async () => {
    await ask('operator');
    return (await leftMs()) > 1_500;
  });
  assert.ok((await leftMs()) <= 5_000, `${await leftMs()} ms`);
  assert.equal((await rowOf('operator')).gate, 'passing', 'it is not held against it');
});
