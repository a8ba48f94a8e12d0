import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { Script, SimulatedReplica } from '../support/simulated-replica.ts';
import { type Answer, type Call, type SimulatedBackend, Simulation } from '../support/simulation.ts';

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const bytes = fc.integer({ min: 0, max: 2000 }).map((size) => new Uint8Array(size));

const often = <T>(value: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.constantFrom(value, value, value, ...others);
/** What a stream holds that begins with an error. */
export const errorEvent = Buffer.from('data: {"error":{"message":"out of memory"}}\n\n');

const script: fc.Arbitrary<Script> = fc.oneof(
  { weight: 6, arbitrary: answering('complete') },
  { weight: 2, arbitrary: answering('broken') },
  { weight: 1, arbitrary: answering('hangs') },
  { weight: 2, arbitrary: fc.record({ refusesAfterMs: ms(20) }) },
  { weight: 1, arbitrary: fc.constant({ headAfterMs: Number.POSITIVE_INFINITY }) },
  { weight: 1, arbitrary: ms(50).map(errorInAnswer) },
);

function answering(ends: 'complete' | 'broken' | 'hangs'): fc.Arbitrary<Script> {
  return fc.record({
    headAfterMs: ms(200),
    status: often(200, 400, 401, 403, 404, 404, 429, 500, 503),
    headers: fc.constantFrom({}, { 'retry-after': '0' }, { 'retry-after': '2' }, { 'retry-after-ms': '300' }),
    pieces: fc.array(fc.record({ afterMs: ms(50), bytes }), { maxLength: 4 }),
    ends: fc.constant(ends),
  });
}

function errorInAnswer(headAfterMs: number): Script {
  const headers = { 'content-type': 'text/event-stream' };
  return { headAfterMs, headers, pieces: [{ afterMs: 0, bytes: errorEvent }] };
}

const call = fc.record(
  {
    atMs: ms(1500),
    uploadMs: ms(30),
    leavesAfterMs: ms(400),
    deadlineMs: fc.integer({ min: 1, max: 500 }),
    readMs: ms(40),
    body: bytes,
    headers: often<Record<string, string>>({}, { 'x-headgate-class': 'batch' }),
  },
  { requiredKeys: ['atMs'] },
);

const doing = fc.constantFrom(...(['ready', 'unready', 'starting', 'eject', 'readmit', 'drain', 'undrain'] as const));

/** How a backend deals with failures. */
const dealing = fc.record({
  maxTries: fc.integer({ min: 1, max: 4 }),
  isIdempotent: often(true, false),
  budgetShare: fc.constantFrom(0, 0.2, 1),
  floorPerSecond: fc.constantFrom(0, 1, 100),
  consecutiveFailures: fc.integer({ min: 1, max: 5 }),
  ejectMs: fc.integer({ min: 50, max: 800 }),
  hedgeAfterMs: fc.option(fc.integer({ min: 1, max: 100 })),
  holdsFirstChunk: fc.boolean(),
});

const slotCounts = fc.array(fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }), {
  minLength: 1,
  maxLength: 4,
});

/** What clients ask, replicas answer, operators do, and how the gateway is set up. */
export const history = fc.record({
  seed: fc.nat(),
  policy: fc.constantFrom('round-robin' as const, 'random' as const, 'least-outstanding' as const, 'p2c' as const),
  slots: slotCounts,
  scripts: fc.array(script, { minLength: 1, maxLength: 12, size: 'max' }),
  queueMax: fc.integer({ min: 0, max: 6 }),
  waitMs: ms(300),
  dealing,
  hasFallback: fc.boolean(),
  hasMirror: fc.boolean(),
  renames: fc.boolean(),
  calls: fc.array(call, { minLength: 1, maxLength: 25, size: 'max' }),
  doings: fc.array(fc.record({ atMs: ms(1600), replica: fc.nat(3), doing }), { maxLength: 8 }),
});

/** One of them. */
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const timeouts = { connectMs: 100, firstByteMs: 400, idleMs: 300, totalMs: 2000 };

function simulatedBackend(name: string, one: History): SimulatedBackend {
  const { policy, slots, scripts, queueMax, waitMs, renames } = one;
  const { consecutiveFailures, ejectMs, hedgeAfterMs, holdsFirstChunk, ...retry } = one.dealing;
  return {
    name,
    policy,
    upstreamModel: renames ? `${name}-q8` : 'digits',
    replicas: slots.map((count, at) => ({
      id: `${name}-${at}`,
      ...(count === undefined ? {} : { slots: count }),
      script: (n: number) => scripts[(n * 7 + at) % scripts.length] ?? {},
    })),
    queue: { maxLength: queueMax, waitMs },
    timeouts,
    breaker: { consecutiveFailures, ejectMs, windowMs: 500 },
    retry,
    ...(hedgeAfterMs === null
      ? {}
      : { hedge: { after: { kind: 'delay', delayMs: hedgeAfterMs }, budgetShare: 0.5 } as const }),
    holdsFirstChunk,
  };
}

/** What became of one call. */
export interface Called {
  readonly call: History['calls'][number];
  readonly answer: Answer;
}

/** A history that has been played to its end. */
export interface Played {
  readonly simulation: Simulation;
  readonly called: readonly Called[];
}

/** Plays a history until nothing is left to happen. */
export async function play(one: History): Promise<Played> {
  const { seed, calls, doings, hasFallback, hasMirror } = one;
  const names = ['digits', ...(hasFallback ? ['fallback'] : []), ...(hasMirror ? ['mirror'] : [])];
  const simulation = new Simulation({
    seed,
    limits: { maxBodyBytes: 1500, maxBufferedBytes: 20_000 },
    backends: names.map((name) => simulatedBackend(name, one)),
    routes: [
      {
        model: 'digits',
        tenant: null,
        path: null,
        headers: {},
        cache: null,
        isCoalescing: false,
        destinations: [{ backend: 'digits', weight: 1 }],
        fallbacks: hasFallback ? ['fallback'] : [],
        mirror: hasMirror ? { backend: 'mirror', share: 0.7 } : null,
        deadlineMs: null,
      },
    ],
  });
  const replicas = simulation.backends[0]?.replicas ?? [];
  for (const { atMs, replica, doing: what } of doings) {
    const on = replicas[replica % replicas.length] ?? assert.fail();
    simulation.clock.after(atMs, () => operate(on, what));
  }
  const answers: Promise<Called>[] = [];
  for (const { atMs, ...asked } of calls) {
    const made = (answer: Answer): Called => ({ call: { atMs, ...asked }, answer });
    simulation.clock.after(atMs, () => answers.push(simulation.call(withId(asked, answers.length)).then(made)));
  }
  await simulation.clock.runAll();
  assert.equal(answers.length, calls.length, 'every call was made');
  return { simulation, called: await Promise.all(answers) };
}

/** So that a replica can be asked for whom it worked. */
function withId(call: Call, at: number): Call {
  return { ...call, headers: { ...call.headers, 'x-call': String(at) } };
}

function operate({ state }: Replica, what: History['doings'][number]['doing']): void {
  if (what === 'eject') state.gate.eject();
  else if (what === 'readmit') state.gate.readmit('by the history');
  else if (what === 'drain') state.drain();
  else if (what === 'undrain') state.undrain();
  else state.setStanding(what, 'by the history');
}

/** What replicas of a backend saw of one call. */
export function sentFor({ simulation }: Played, backend: string, at: number): SimulatedReplica['seen'] {
  const all = simulation.backends.find(({ name }) => name === backend)?.replicas ?? [];
  return all.flatMap(({ fullName }) =>
    simulation.replicaOf(fullName).seen.filter(({ headers }) => headers[headers.indexOf('x-call') + 1] === String(at)),
  );
}
