import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isFull } from '../support/counts.ts';
import { eventually, HeadgateProcess, pause, type RunningGateway, watchGateway } from '../support/gateway-process.ts';
import { OpenLoop } from '../support/open-loop.ts';
import { type Arrival, okAnswer, RawBackend } from '../support/raw-backend.ts';

const streams = 50;
const streamMs = isFull ? 10_000 : 4000;
const pieceEveryMs = 100;
const pieces = Array.from({ length: streamMs / pieceEveryMs }, (_, at) => `data: ${at}\n\n`);
/** 200 a second. */
const everyMs = 5;
const goesOnMs = isFull ? 5000 : 3000;

interface Sent {
  readonly atMs: number;
  readonly status: number;
  /** Which of the two gateways answered: each calls the replica by another name. */
  readonly by: string;
  readonly connection: string;
  readonly body: string;
  /** Why no answer came whole; empty where one did. */
  readonly broken: string;
}

/** Never rejects. */
function infer(to: string, body: string, agent: Agent | false): Promise<Sent> {
  const atMs = performance.now();
  return new Promise((resolve) => {
    const none = { atMs, status: 0, by: '', connection: '', body: '' };
    const fail = (error: Error): void => resolve({ ...none, broken: String(error) });
    const sending = request(`${to}/v2/models/m/infer`, { method: 'POST', agent }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const { statusCode = 0, headers } = answer;
      const by = String(headers['x-headgate-replica']);
      const told = { atMs, status: statusCode, by, connection: headers.connection ?? '', broken: '' };
      answer.on('error', fail).on('end', () => resolve({ ...told, body: text }));
    });
    sending.on('error', fail).end(body);
  });
}

async function answerOrStream({ body, socket }: Arrival): Promise<void> {
  if (!body.includes('stream')) {
    socket.write(okAnswer('done'));
    return;
  }
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
  for (const piece of pieces) {
    socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    await pause(pieceEveryMs);
  }
  socket.write('0\r\n\r\n');
}

interface Start {
  readonly backend: RawBackend;
  readonly port: number;
  readonly id: string;
  readonly throughNpm?: boolean;
}

/** One of the two gateways on the port; `id` is what it calls the replica. */
async function start(context: TestContext, { backend, port, id, throughNpm = false }: Start): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-takeover-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const replicas = `[{ id: ${id}, url: "${backend.url}" }]`;
  const pool = `{ name: pool, protocol: open-inference, models: [m], replicas: ${replicas} }`;
  const listen = `listen: { port: ${port}, reuse_port: true, grace: 1s }`;
  writeFileSync(file, `${listen}\nadmin: { port: 0 }\nbackends: [${pool}]\ntelemetry: { log: warn }\n`);
  const environment = { TMPDIR: folder };
  const child = throughNpm
    ? new HeadgateProcess(context, ['--config', file], {
        environment,
        command: ['npm', 'start', '--'],
        isWrapped: true,
      })
    : new HeadgateProcess(context, ['serve', '--config', file], { environment });
  return watchGateway(child);
}

for (const throughNpm of [false, true]) {
  const how = throughNpm ? ', also when it is npm that is told to end' : '';
  test(`a second process takes over the port without one failed request or stream${how}`, async (context) => {
    const backend = await RawBackend.start(context, (arrival) => void answerOrStream(arrival));
    const old = await start(context, { backend, port: 0, id: 'old', throughNpm });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    context.after(() => agent.destroy());
    const streaming = Array.from({ length: streams }, () => infer(old.client, 'stream', false));
    await eventually('all streams run', () => backend.arrivals.length === streams);
    const sent: Sent[] = [];
    const traffic = new OpenLoop(everyMs, async (count) => {
      sent.push(await infer(old.client, '{}', count % 2 === 0 ? agent : false));
    });
    await start(context, { backend, port: Number(new URL(old.client).port), id: 'new' });
    await eventually('both are asked', () => new Set(sent.map(({ by }) => by)).size === 2);

    old.process.child.kill('SIGTERM');
    await eventually('the old one is not ready', async () => (await fetch(`${old.admin}/readyz`)).status === 503);
    const unreadyAtMs = performance.now();
    await pause(goesOnMs);
    const told = await Promise.all(streaming);
    assert.equal(await old.process.exited, 0);
    await traffic.stop();

    const whole = (one: Sent): boolean => one.broken === '' && one.status === 200;
    assert.deepEqual(
      told.filter((one) => !(whole(one) && one.by === 'pool/old' && one.body === pieces.join(''))),
      [],
    );
    assert.deepEqual(
      sent.filter((one) => !(whole(one) && one.body === 'done')),
      [],
    );
    const late = sent.filter(({ by, atMs }) => by === 'pool/old' && atMs > unreadyAtMs);
    assert.ok(late.length > 0, 'it went on accepting');
    assert.deepEqual(new Set(late.map(({ connection }) => connection)), new Set(['close']));
    const last = Math.max(...late.map(({ atMs }) => atMs));
    assert.ok(sent.filter(({ atMs }) => atMs > last).length > 100, 'the new one went on alone');
    const olds = sent.filter(({ by }) => by === 'pool/old').length;
    context.diagnostic(
      `${sent.length} requests, ${olds} of them by the old one, ${late.length} of these in its grace time`,
    );
  });
}
