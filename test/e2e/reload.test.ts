import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, type Dispatcher } from 'undici';
import { repetitions } from '../support/counts.ts';
import {
  eventually,
  HeadgateProcess,
  pause,
  type RunningGateway,
  type Scope,
  watchGateway,
} from '../support/gateway-process.ts';
import { OpenLoop } from '../support/open-loop.ts';
import { type Arrival, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';

const forMs = repetitions({ quick: 3_000, full: 30_000 });
const ratePerSecond = repetitions({ quick: 200, full: 500 });
const everyMs = 100;
const asOperator = { method: 'POST', headers: { 'x-headgate-admin': '1' } };

/** Ways to break a file, each with the place in it that has to be told. */
const breakages: readonly { readonly last: string; readonly column: number; readonly says: RegExp }[] = [
  { last: 'backend: []', column: 1, says: /unknown key backend/ },
  { last: 'telemetry: { log: loud }', column: 19, says: /telemetry\.log: got "loud"/ },
  { last: 'routes: [{ to: [{ backend: poll }] }]', column: 28, says: /the backend pool/ },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the gateway to read.
  { last: 'routes: [{ to: [{ backend: "${HEADGATE_NO_SUCH_NAME}" }] }]', column: 28, says: /HEADGATE_NO_SUCH_NAME/ },
  { last: 'routes: ]', column: 9, says: /YAML that cannot be read/ },
];

/** A configuration file that is written over and over, and the replicas it names. */
class Rewriting {
  readonly staying: RawBackend;
  readonly coming: RawBackend;
  readonly drained: RawBackend;
  readonly file: string;
  /** The text in front of a fault in the log, for every broken file written. */
  readonly faults: { readonly place: string; readonly says: RegExp }[] = [];
  written = 0;

  constructor(scope: Scope, { staying, coming, drained }: Pick<Rewriting, 'staying' | 'coming' | 'drained'>) {
    this.staying = staying;
    this.coming = coming;
    this.drained = drained;
    const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
    scope.after(() => rmSync(folder, { recursive: true, force: true }));
    this.file = join(folder, 'gateway.yaml');
  }

  writeGood(number: number): void {
    this.#write(this.#good(number), number);
  }

  /** Each has its fault on a line of its own. */
  writeBroken(number: number): void {
    const { last, column, says } = breakages[number % breakages.length] ?? assert.fail();
    const lines = [...Array.from({ length: number }, () => '#'), ...this.#good(number), last];
    this.faults.push({ place: `${this.file}:${lines.length}:${column}: `, says });
    this.#write(lines, number);
  }

  /** In place, or as editors do. */
  #write(lines: readonly string[], number: number): void {
    const text = `${lines.join('\n')}\n`;
    this.written += 1;
    const written = number % 2 === 0 ? this.file : `${this.file}~`;
    writeFileSync(written, text);
    if (written !== this.file) renameSync(written, this.file);
  }

  /** What a request goes by stands in two places of it, and in each again: both must be of one configuration. */
  #good(number: number): string[] {
    const replica = (id: string, { url }: RawBackend): string =>
      `{ id: ${id}, url: "${url}", slots: 6, weight: ${1 + (number % 3)}, headers: { x-config: "${number}" } }`;
    const coming = number % 2 === 0 ? [replica('coming', this.coming)] : [];
    const replicas = [replica('staying', this.staying), replica('drained', this.drained), ...coming];
    const model = `{ name: m, upstream: m-${number} }`;
    return [
      'listen: { port: 0 }',
      'admin: { port: 0 }',
      'backends:',
      `  - { name: pool, protocol: open-inference, models: [${model}], replicas: [${replicas.join(', ')}] }`,
      '  - { name: own, protocol: open-inference, models: [digits], replicas: [{ worker: { models: [digits] } }] }',
    ];
  }
}

/** Sends one request; resolves with what is wrong with its answer, null where nothing is. */
async function faultOf(agent: Dispatcher, client: string): Promise<string | null> {
  try {
    const { statusCode, body } = await agent.request({
      origin: client,
      path: '/v2/models/m/infer',
      method: 'POST',
      body: '{"inputs":[]}',
    });
    const text = await body.text();
    return statusCode === 200 ? null : `${statusCode} ${text}`;
  } catch (error) {
    return String(error);
  }
}

/** Answers after some milliseconds, so that requests are under way whenever the configuration changes; keeps what saw two. */
function answering(mixed: string[], seen: Set<string>): (arrival: Arrival) => void {
  return ({ line, headers, socket }) => {
    const ofModel = /\/v2\/models\/m-(\d+)\/infer/.exec(line)?.[1] ?? line;
    const ofHeaders = lineOf(headers, 'x-config') ?? 'none';
    seen.add(ofHeaders);
    if (ofModel !== ofHeaders) mixed.push(`model of ${ofModel}, headers of ${ofHeaders}`);
    setTimeout(() => socket.write(okAnswer('{}')), Number(ofHeaders) % 2 === 0 ? 15 : 8);
  };
}

/** Writes one file after the other, every third of them broken; every other one is only watched, the rest are told of by a signal, too. */
async function rewrite(files: Rewriting, gateway: RunningGateway): Promise<void> {
  const endAtMs = performance.now() + forMs;
  for (let number = 1; performance.now() < endAtMs; number++) {
    const failures = await gateway.metric('headgate_config_reloads_total', { result: 'failure' });
    const isBroken = number % 3 === 0;
    if (isBroken) files.writeBroken(number);
    else files.writeGood(number);
    if (number % 2 === 0) gateway.process.child.kill('SIGHUP');
    await pause(everyMs);
    // The next one would be written over it before it was seen.
    if (isBroken)
      await eventually(
        `file ${number} is refused`,
        async () => (await gateway.metric('headgate_config_reloads_total', { result: 'failure' })) > failures,
      );
  }
}

test('no request fails or sees two configurations while files, good and broken, follow each other', async (context) => {
  const mixed: string[] = [];
  const seen = new Set<string>();
  const staying = await RawBackend.start(context, answering(mixed, seen));
  const coming = await RawBackend.start(context, answering(mixed, seen));
  const drained = await RawBackend.start(context, answering(mixed, seen));
  const files = new Rewriting(context, { staying, coming, drained });
  files.writeGood(0);
  const process = new HeadgateProcess(context, ['serve', '--config', files.file]);
  const gateway = await watchGateway(process);
  const ofDrained = `${gateway.admin}/api/replicas/pool/drained`;
  assert.equal((await fetch(`${ofDrained}/drain`, asOperator)).status, 200);
  const agent = new Agent({ pipelining: 1 });
  context.after(() => agent.close());
  const failures: string[] = [];
  let sent = 0;
  const traffic = new OpenLoop(1000 / ratePerSecond, async () => {
    sent += 1;
    const fault = await faultOf(agent, gateway.client);
    if (fault !== null) failures.push(fault);
  });
  await rewrite(files, gateway).finally(() => traffic.stop());

  context.diagnostic(
    `${sent} requests, ${failures.length} failed; ${files.written} files, ${files.faults.length} of them broken; ` +
      `${seen.size} configurations sent to; ${staying.connections} connections for ${staying.arrivals.length} requests`,
  );
  assert.deepEqual(failures, []);
  assert.deepEqual(mixed, []);
  assert.equal(staying.arrivals.length + coming.arrivals.length, sent);
  assert.ok(seen.size > forMs / everyMs / 10, `${seen.size} configurations were in force`);
  assert.equal(drained.arrivals.length, 0, 'a drained replica stays so');
  assert.match(
    await (await fetch(`${gateway.admin}/api/backends`)).text(),
    /"id":"drained"[^{}]*"standing":"draining"/,
  );
  const undrained = (await (await fetch(`${ofDrained}/undrain`, asOperator)).json()) as { standing: string };
  assert.equal(undrained.standing, 'ready', 'its health is known all the time');
  assert.equal((await fetch(`${ofDrained}/drain`, asOperator)).status, 200);

  // Odd: without the replica that comes and goes.
  files.writeGood(100_001);
  await eventually('the last one is in force', async () => {
    await (await fetch(`${gateway.client}/v2/models/m/infer`, { method: 'POST', body: '{}' })).text();
    return seen.has('100001');
  });
  await eventually('a removed replica has no connections', () => coming.open === 0);
  assert.ok(staying.open > 0);
  assert.ok(staying.connections < 60, `${staying.connections} connections for ${staying.arrivals.length} requests`);
  assert.equal(await gateway.metric('headgate_config_last_reload_successful'), 1);
  assert.equal(await gateway.metric('headgate_leases_released_twice_total'), 0);

  assert.equal(await process.stop(), 0);
  const refused = process.log.flatMap(({ faults }) => (Array.isArray(faults) ? (faults as string[]) : []));
  for (const { place, says } of files.faults)
    assert.ok(
      refused.some((fault) => fault.startsWith(place) && says.test(fault)),
      `${place} ${says} is not in the log:\n${refused.join('\n')}`,
    );
  const started = process.log.filter(({ msg }) => msg === 'worker started');
  assert.equal(started.length, 1, 'the worker was started once and never again');
});

test('what needs a restart is named and stays as it is; the rest is in force, also the level of the log', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('{}')));
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const write = (listen: string, model: string, log: string): void =>
    writeFileSync(
      file,
      `listen: { ${listen} }\nadmin: { port: 0 }\ntelemetry: { log: ${log} }
backends: [{ name: pool, protocol: open-inference, models: [${model}], replicas: [{ url: "${backend.url}" }] }]\n`,
    );
  write('port: 0', 'before', 'info');
  const process = new HeadgateProcess(context, ['serve', '--config', file]);
  const gateway = await watchGateway(process);
  write('port: 0, max_body: 1KiB', 'after', 'warn');
  const configured = async (): Promise<Record<string, Record<string, unknown>>> => {
    const answer = await fetch(`${gateway.admin}/api/config`);
    return (await answer.json()) as Record<string, Record<string, unknown>>;
  };
  await eventually('the other model is there', async () => {
    const { models } = (await (await fetch(`${gateway.client}/v2/models`)).json()) as { models: string[] };
    return models[0] === 'after';
  });
  const { listen, telemetry } = await configured();
  assert.deepEqual([listen?.maxBodyBytes, telemetry?.logLevel], [16 * 1024 ** 2, 'warn']);
  const body = Buffer.alloc(2000, ' ');
  assert.equal((await fetch(`${gateway.client}/v2/models/after/infer`, { method: 'POST', body })).status, 200);
  assert.equal(await process.stop(), 0);
  assert.deepEqual(
    process.log.flatMap(({ needsRestart }) => needsRestart ?? []),
    ['listen.max_body'],
  );
  assert.deepEqual(
    process.log.filter(({ msg }) => msg === 'exchange'),
    [],
    'requests are told of at info',
  );
});

test('a secret in a file of its own is read again when that file changes', async (context) => {
  const sent = new Set<string | null>();
  const backend = await RawBackend.start(context, ({ headers, socket }) => {
    sent.add(lineOf(headers, 'authorization'));
    socket.write(okAnswer('{}'));
  });
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const replica = `{ url: "${backend.url}", headers: { authorization_file: secret/key } }`;
  mkdirSync(join(folder, 'secret'));
  writeFileSync(join(folder, 'secret', 'key'), 'Bearer old\n');
  writeFileSync(
    file,
    `listen: { port: 0 }\nadmin: { port: 0 }
backends: [{ name: pool, protocol: open-inference, models: [m], replicas: [${replica}] }]\n`,
  );
  const gateway = await watchGateway(new HeadgateProcess(context, ['serve', '--config', file]));
  writeFileSync(join(folder, 'secret', 'key'), 'Bearer new\n');
  await eventually('the new secret is sent', async () => {
    await (await fetch(`${gateway.client}/v2/models/m/infer`, { method: 'POST', body: '{}' })).text();
    return sent.has('Bearer new');
  });
});
