import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { repetitions } from '../support/counts.ts';
import { startGateway } from '../support/gateway-process.ts';
import { arriveLive } from '../support/live-arrivals.ts';
import { type Arrival, answer, okAnswer, RawBackend } from '../support/raw-backend.ts';

const ratePerSecond = 200;
const forMs = repetitions({ quick: 3_000, full: 20_000 });
const recoveryMs = 10_000;
const floorPerSecond = 3;

/** What the replicas say of when to come again. */
const asks: readonly string[][] = [[], [], ['retry-after: 60'], ['retry-after: 0']];

test('a backend that answers 503 is spared, its clients are told at once when to come again, and soon it serves them all', async (context) => {
  const serve = ({ socket }: Arrival): boolean => socket.write(okAnswer('{}'));
  const replicas = await Promise.all(asks.map(() => RawBackend.start(context, serve)));
  const written = replicas.map(({ url }, at) => `{ id: r${at}, url: "${url}" }`).join(', ');
  const gateway = await startGateway(
    context,
    `backends: [{ name: pool, protocol: open-inference, models: [m], retry: { floor: ${floorPerSecond}/s }, replicas: [${written}] }]\n`,
  );
  const load = { client: gateway.client, model: 'm', ratePerSecond };
  const before = await arriveLive({ ...load, forMs: 1_000, rng: seededRng(40) });
  for (const [at, replica] of replicas.entries())
    replica.script = ({ socket }) => socket.write(answer('503 Busy', '{}', ...(asks[at] ?? [])));
  const refused = await arriveLive({ ...load, forMs, rng: seededRng(41) });
  const tries = replicas.reduce((sum, { arrivals }) => sum + arrivals.length, 0) - before.length;
  for (const replica of replicas) replica.script = serve;
  const recovering = await arriveLive({ ...load, forMs: recoveryMs, rng: seededRng(42) });
  const served = await arriveLive({ ...load, forMs: 2_000, rng: seededRng(43) });
  const times = refused.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const lateMs = times.filter((one) => one >= 50).length;
  const firstGood = recovering.findIndex(({ status }) => status === 200);
  context.diagnostic(
    `${refused.length} refusals, ${tries} tries, median ${times[times.length >> 1]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms; ` +
      `after the recovery ${recovering.filter(({ status }) => status !== 200).length} more, the first served was number ${firstGood}`,
  );
  assert.ok(refused.every(({ status }) => status === 503));
  assert.ok(refused.every(({ retryAfter }) => Number(retryAfter ?? 'none') >= 0 && retryAfter !== null));
  assert.ok(tries <= 1.2 * refused.length + (floorPerSecond * forMs) / 1000 + floorPerSecond, `${tries} tries`);
  // On a machine that does other things besides, one may be late; on the virtual clock none is.
  assert.ok(lateMs <= 0.01 * times.length, `${lateMs} of ${times.length} took 50 ms or more`);
  assert.ok(served.every(({ status }) => status === 200));
});
