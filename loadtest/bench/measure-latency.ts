import type { Rng } from '../../gateway/kernel/rng.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { PlannedRequest } from '../arrivals/plan.ts';
import { Connection } from '../drive/connection.ts';
import { Connections } from '../drive/connections.ts';
import { Drive } from '../drive/drive.ts';
import { punctualWake } from '../drive/wake.ts';
import { durationsOf, type RequestRecord } from '../measure/record.ts';

interface Options {
  readonly port: number;
  readonly name: string;
  readonly request: Buffer;
  readonly isStreaming: boolean;
  /** Modest, so that nobody waits behind anybody: what is measured is the way, not the queue. */
  readonly ratePerSecond: number;
  readonly forMs: number;
  /** Draws the instants; the same for every peer of a round. */
  readonly rng: Rng;
}

/** Longer than any answer takes. */
const timeoutMs = 20_000;

/** So long before the first request, so that connections and the plan are ready. */
const leadMs = 50;

/** Sends requests as independent clients do, and gives for each how long it took from its planned instant: until its last byte, or of a stream until its first token. */
export async function measureLatency(options: Options): Promise<number[]> {
  const { port, name, request, isStreaming } = options;
  const destination = { address: '127.0.0.1', port, tlsName: null };
  const sender = new Connections({
    open: (owner) => new Connection(destination, owner),
    clock: systemClock,
    most: null,
  });
  const records: RequestRecord[] = [];
  const drive = new Drive({
    plan: plan(options),
    target: name,
    requestOf: () => request,
    clock: systemClock,
    wakeAt: punctualWake(systemClock),
    sender,
    startAtMs: systemClock.nowMs() + leadMs,
    timeoutMs,
    graceMs: timeoutMs,
    closed: null,
    onRecord: (record) => records.push(record),
    onUnsent: () => {},
  });
  await drive.run();
  sender.close();
  const failed = records.find(({ outcome }) => outcome !== 'ok');
  if (failed !== undefined) throw new Error(`${name}: ${failed.outcome} (status ${failed.status})`);
  return records.map((record) => {
    const { latencyMs, timeToFirstTokenMs } = durationsOf(record);
    return isStreaming ? (timeToFirstTokenMs ?? latencyMs) : latencyMs;
  });
}

function* plan({ isStreaming, ratePerSecond, forMs, rng }: Options): Generator<PlannedRequest> {
  const payload = { path: '', body: Buffer.alloc(0), isStreaming, inputTokens: 0, outputTokens: 0 };
  const gapMs = (): number => (-Math.log(1 - rng.next()) * 1000) / ratePerSecond;
  let index = 0;
  for (let plannedAtMs = gapMs(); plannedAtMs < forMs; plannedAtMs += gapMs())
    yield { index: index++, plannedAtMs, payload, cancelAfterMs: null, readBytesPerSecond: null };
}
