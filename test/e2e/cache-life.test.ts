import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { infer, inferred, whichOf } from '../support/caching/live.ts';
import { eventually, HeadgateProcess, type RunningGateway, watchGateway } from '../support/gateway-process.ts';
import { type Arrival, RawBackend } from '../support/raw-backend.ts';

/** A gateway whose configuration a test can write anew. */
async function running(t: TestContext, script: (arrival: Arrival) => void) {
  const backend = await RawBackend.start(t, script);
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const write = (deadline: string, drain = '30s'): void =>
    writeFileSync(
      file,
      `listen: { port: 0, grace: 0s, drain: ${drain} }
admin: { port: 0 }
telemetry: { log: warn }
backends: [{ name: m, protocol: open-inference, models: [m], replicas: [{ id: a, url: "${backend.url}" }] }]
routes: [{ match: { model: m }, to: [{ backend: m }], cache: { fresh: 1ms, stale_while_revalidate: 1h }, coalesce: true, deadline: ${deadline} }]
`,
    );
  return { backend, write, start: (): Promise<RunningGateway> => serve(t, file) };
}

async function serve(t: TestContext, file: string): Promise<RunningGateway> {
  const gateway = await watchGateway(new HeadgateProcess(t, ['serve', '--config', file]));
  await eventually('ready', async () => !/starting/.test(await (await fetch(`${gateway.admin}/api/backends`)).text()));
  return gateway;
}

describe('a reload', () => {
  it('keeps what is kept, and what is under way is shared before it and after it', async (t) => {
    const waiting: Arrival[] = [];
    const { write, start } = await running(t, (arrival) => waiting.push(arrival));
    write('20s');
    const gateway = await start();
    const before = infer(gateway.client, { x: 2 });
    await eventually('begun', () => waiting.length === 1);
    write('30s');
    await gateway.change('/api/config/reload');
    const after = infer(gateway.client, { x: 2 });
    await eventually('joined', async () => (await gateway.metric('headgate_flight_followers_total')) === 1);
    const [only] = waiting;
    only?.socket.write(inferred(only, 'both'));
    assert.deepEqual([whichOf(await before), whichOf(await after), waiting.length], ['both', 'both', 1]);
    write('25s');
    await gateway.change('/api/config/reload');
    const kept = await infer(gateway.client, { x: 2 });
    assert.deepEqual([whichOf(kept), kept.cache], ['both', 'hit']);
  });
});

describe('a gateway that is told to end', () => {
  it('serves all who share what is under way first', async (t) => {
    const waiting: Arrival[] = [];
    const { write, start } = await running(t, (arrival) => waiting.push(arrival));
    write('20s');
    const gateway = await start();
    const asked = Array.from({ length: 20 }, () => infer(gateway.client));
    await eventually('joined', async () => (await gateway.metric('headgate_flight_followers_total')) === 19);
    const ended = gateway.process.stop();
    await eventually('it takes no more', () =>
      fetch(gateway.client).then(
        () => false,
        () => true,
      ),
    );
    const [only] = waiting;
    only?.socket.write(inferred(only, 'all'));
    assert.deepEqual(new Set((await Promise.all(asked)).map(whichOf)), new Set(['all']));
    assert.deepEqual([await ended, waiting.length], [0, 1]);
  });

  it('tells all who share it when it waits no longer, and ends what nobody waits for', async (t) => {
    const waiting: Arrival[] = [];
    const { backend, write, start } = await running(t, (arrival) => {
      waiting.push(arrival);
      if (waiting.length === 1) arrival.socket.write(inferred(arrival, 'kept'));
    });
    write('20s', '300ms');
    const gateway = await start();
    await infer(gateway.client);
    assert.equal((await infer(gateway.client)).cache, 'hit');
    await eventually('it is computed anew', () => waiting.length === 2);
    const asked = Array.from({ length: 20 }, () => infer(gateway.client, { x: 2 }));
    await eventually('joined', async () => (await gateway.metric('headgate_flight_followers_total')) === 19);
    const ended = gateway.process.stop();
    const got = await Promise.all(asked);
    assert.deepEqual(new Set(got.map(({ status }) => status)), new Set([503]));
    assert.equal(await ended, 0);
    await eventually('nothing is left', () => backend.open === 0);
  });
});
