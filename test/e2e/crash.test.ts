import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDigits } from '../accuracy/digits-data.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { eventually, pause, type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { OpenLoop } from '../support/open-loop.ts';

const kills = repetitions({ quick: 4, full: 20 });
const everyMs = 5;
/** The full run is made on a machine with nothing else to do; a quick one anywhere. */
const slack = isFull ? 1 : 5;
const config = `backends:
  - name: digits
    protocol: open-inference
    models: [digits]
    replicas: [{ worker: { models: [digits], count: 2 } }]
telemetry: { log: info }
`;

interface Sent {
  readonly atMs: number;
  endedAtMs: number;
  status: number;
  replica: string;
  /** Why no answer came. */
  broken: string;
}

/** 200 requests a second. */
class Stream {
  readonly sent: Sent[] = [];
  readonly #calls: OpenLoop;

  constructor(url: string, body: string) {
    this.#calls = new OpenLoop(everyMs, () => this.#send(url, body));
  }

  stop(): Promise<void> {
    return this.#calls.stop();
  }

  async #send(url: string, body: string): Promise<void> {
    const one: Sent = { atMs: performance.now(), endedAtMs: 0, status: 0, replica: '', broken: '' };
    this.sent.push(one);
    try {
      const response = await fetch(url, { method: 'POST', body });
      await response.arrayBuffer();
      one.status = response.status;
      one.replica = response.headers.get('x-headgate-replica') ?? '';
    } catch (error) {
      one.broken = String(error instanceof Error ? (error.cause ?? error) : error);
    }
    one.endedAtMs = performance.now();
  }
}

async function inferBody(): Promise<string> {
  const { images } = await sampleDigits();
  const data = [...images.subarray(0, 64)];
  return JSON.stringify({ inputs: [{ name: 'image', shape: [1, 64], datatype: 'FP32', data }] });
}

/** The workers' process ids by the replica they are, as the gateway's log last told them. */
function pidsOf({ process: { log } }: RunningGateway): Map<string, number> {
  const pids = new Map<string, number>();
  for (const { msg, replica, pid } of log) {
    if (msg === 'worker started') pids.set(String(replica).replace(/^.*\//, ''), Number(pid));
  }
  return pids;
}

test(`${kills} kill -9 of a worker under 200 requests/s cost only what was in it`, async (context) => {
  const gateway = await startGateway(context, config);
  const stream = new Stream(`${gateway.client}/v2/models/digits/infer`, await inferBody());
  context.after(() => stream.stop());
  const found: { failed: number; slowestMs: number; backInMs: number }[] = [];
  for (let n = 0; n < kills; n++) {
    await pause(250 + 37 * (n % 7));
    found.push(await killOne(gateway, `worker-${(n % 2) + 1}`, stream));
  }
  await stream.stop();
  const failures = stream.sent.filter(({ status }) => status !== 200);
  context.diagnostic(`${stream.sent.length} requests, ${failures.length} failed; per kill ${JSON.stringify(found)}`);
  assert.deepEqual(
    [...new Set(failures.map(({ status }) => status))].filter((status) => status !== 502),
    [],
  );
  // Each failed request was being answered by the killed process: it was under way at a kill.
  assert.equal(
    failures.length,
    found.reduce((sum, one) => sum + one.failed, 0),
  );
  assert.ok(
    found.every(({ slowestMs }) => slowestMs <= 100 * slack),
    JSON.stringify(found),
  );
  assert.ok(
    found.every(({ backInMs }) => backInMs <= 2000 * slack),
    JSON.stringify(found),
  );
  assert.equal(gateway.process.child.exitCode, null);
  assert.equal(await gateway.metric('headgate_replica_in_flight'), 0);
});

test('while the only worker is started again requests wait, and none is refused', async (context) => {
  const gateway = await startGateway(context, config.replace('count: 2', 'count: 1'));
  const url = `${gateway.client}/v2/models/digits/infer`;
  const body = await inferBody();
  const pid = pidsOf(gateway).get('worker-1') ?? assert.fail('no process id');
  await pause(1100);
  process.kill(pid, 'SIGKILL');
  const statuses: number[] = [];
  for (let n = 0; n < 50; n++) {
    const response = await fetch(url, { method: 'POST', body });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  assert.deepEqual(
    [...new Set(statuses)].toSorted().filter((status) => status !== 502),
    [200],
  );
});

/** Kills a worker, and tells how many of the requests it had failed, how late after the kill, and how long it was gone. */
async function killOne(
  gateway: RunningGateway,
  replica: string,
  { sent }: Stream,
): Promise<{ failed: number; slowestMs: number; backInMs: number }> {
  const pid = pidsOf(gateway).get(replica);
  if (pid === undefined) throw new Error(`${replica} has not told its process id`);
  const killedAtMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await eventually(`${replica} has another process`, () => pidsOf(gateway).get(replica) !== pid);
  await eventually(`${replica} is ready`, async () => {
    return (await gateway.metric('headgate_replica_standing', { replica, state: 'ready' })) === 1;
  });
  const backInMs = performance.now() - killedAtMs;
  await pause(100);
  const failed = sent.filter(({ status, endedAtMs }) => endedAtMs > killedAtMs && status !== 200);
  // Under way at the kill, or sent in the moment before the gateway could hear of it.
  assert.ok(failed.every(({ atMs, replica: name }) => atMs < killedAtMs + 50 && name === `digits/${replica}`));
  const slowestMs = Math.max(0, ...failed.map(({ endedAtMs }) => endedAtMs - killedAtMs));
  return { failed: failed.length, slowestMs: Math.round(slowestMs), backInMs: Math.round(backInMs) };
}
