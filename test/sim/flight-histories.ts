import assert from 'node:assert/strict';
import fc from 'fast-check';
import { whyNotShared } from '../../gateway/cache/storable.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { type Called, Flying } from '../support/caching/flying.ts';
import type { Computation, WorkScript } from '../support/caching/scripted-work.ts';

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const often = <T>(value: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.constantFrom(value, value, value, value, ...others);
const never = Number.POSITIVE_INFINITY;

/** Whoever neither leaves nor has a deadline leaves then: some work never ends. */
const patienceMs = 4000;
const largestPiece = 2000;

const script: fc.Arbitrary<Omit<WorkScript, 'pieces'> & { readonly pieces: { afterMs: number; sizeBytes: number }[] }> =
  fc
    .record({
      headAfterMs: fc.oneof({ weight: 9, arbitrary: ms(300) }, { weight: 1, arbitrary: fc.constant(never) }),
      status: often(200, 200, 200, 404, 503, 206),
      headers: often<string[]>([], [], ['set-cookie', 'a=1'], ['cache-control', 'no-store']),
      error: fc.option(fc.constantFrom('upstream_broken', 'none_eligible', 'internal', 'upstream_timeout'), {
        freq: 4,
      }),
      pieces: fc.array(fc.record({ afterMs: ms(100), sizeBytes: ms(largestPiece) }), { maxLength: 8 }),
      ends: often<'complete' | 'broken' | 'hangs'>('complete', 'broken', 'hangs'),
    })
    .map(({ error, ...rest }) => (error === null ? rest : { ...rest, error }));

const caller = fc.record(
  {
    atMs: ms(1500),
    key: often('a', 'b'),
    wish: often<'any' | 'new' | 'private'>('any', 'any', 'new', 'private'),
    deadlineMs: fc.integer({ min: 1, max: 600 }),
    leavesAfterMs: ms(600),
    readMs: fc.oneof(ms(80), fc.constant(never)),
    discards: often(false, false, true),
  },
  { requiredKeys: ['atMs', 'key', 'wish'] },
);

/** A history of callers, of what becomes of the work for them, and of new answers that nobody waits for. */
export const history = fc.record({
  callers: fc.array(caller, { minLength: 1, maxLength: 25, size: 'max' }),
  scripts: fc.array(script, { minLength: 1, maxLength: 5 }),
  refreshes: fc.array(fc.record({ atMs: ms(1500), key: often('a', 'b') }), { maxLength: 3 }),
  cutAtMs: fc.option(ms(2000), { freq: 3 }),
  maxMembers: often(1000, 3),
  maxBytes: fc.integer({ min: 500, max: 12_000 }),
  roomBytes: fc.oneof(fc.constant(1 << 24), fc.integer({ min: 0, max: 20_000 })),
});

/** One of them. */
export type FlightHistory = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** A history that has been played to its end. */
export interface Played {
  readonly one: FlightHistory;
  readonly flying: Flying;
  readonly refreshed: ReadonlySet<Computation>;
  readonly mostHeldBytes: number;
}

/** Plays a history until nothing is left to happen. Every byte of the n-th computation is n. */
export async function play(one: FlightHistory): Promise<Played> {
  const { callers, scripts, refreshes, cutAtMs, ...bounds } = one;
  const flying = new Flying({
    ...bounds,
    script: (n) => {
      const { pieces, ...rest } = scripts[n % scripts.length] ?? assert.fail();
      const filled = pieces.map(({ afterMs, sizeBytes }) => ({ afterMs, bytes: Buffer.alloc(sizeBytes, n) }));
      return { ...rest, pieces: filled };
    },
  });
  const { clock, flights, work } = flying;
  const refreshed = new Set<Computation>();
  let mostHeldBytes = 0;
  for (const { atMs, ...each } of callers)
    clock.after(atMs, () => {
      flying.call({ leavesAfterMs: patienceMs, ...each });
      mostHeldBytes = Math.max(mostHeldBytes, flying.room.heldBytes);
    });
  for (const { atMs, key } of refreshes)
    clock.after(atMs, () => {
      const before = work.begun.length;
      flying.refresh(key);
      for (const begun of work.begun.slice(before)) refreshed.add(begun);
    });
  const cut = (): void => flights.cut(new GatewayError('shutting_down', 'by the history'));
  if (cutAtMs !== null) clock.after(cutAtMs, cut);
  for (let atMs = 7; atMs < patienceMs; atMs += 311)
    clock.after(atMs, () => {
      assert.equal(flights.counts.underWay, work.underWay.filter(({ exchange }) => exchange.isDetached).length);
      mostHeldBytes = Math.max(mostHeldBytes, flying.room.heldBytes);
    });
  clock.after(2 * patienceMs, cut);
  await clock.runAll();
  assert.equal(flying.called.length, callers.length, 'every call was made');
  return { one, flying, refreshed, mostHeldBytes };
}

/** Everybody is answered once, nothing is left, and no more was held than there was room for, but for a piece and a request of each computation. */
export function assertOnce({ one, flying, mostHeldBytes }: Played): void {
  assert.deepEqual(flying.leftovers(), []);
  for (const { ends } of flying.called) assert.equal(ends.length, 1, `${ends}`);
  const beyond = flying.work.begun.length * (largestPiece + 500);
  assert.ok(mostHeldBytes <= one.roomBytes + beyond, `${mostHeldBytes} of ${one.roomBytes}`);
}

/** The work whose answer it got anything of. */
function workOf(called: Called, { flying }: Played): Computation | null {
  const first = called.pieces.find(({ length }) => length > 0)?.[0];
  return first === undefined ? null : (flying.work.begun[first] ?? null);
}

/** What it got is the answer, or its beginning where it ended otherwise than well. */
export function assertBytes(called: Called, played: Played): void {
  const work = workOf(called, played);
  if (work === null) return;
  const whole = Buffer.concat((work.script.pieces ?? []).map(({ bytes }) => bytes));
  const got = Buffer.concat(called.pieces);
  const [end] = called.ends;
  assert.ok(got.equals(whole.subarray(0, got.length)), 'the bytes of one answer, in order');
  if (end === 'complete') {
    assert.equal(got.length, whole.length);
    assert.equal(work.script.ends, 'complete');
  } else assert.ok(end === 'broken' || end === 'abandoned', `${end}`);
  if (end === 'broken' && called.error?.code === 'upstream_broken') assert.equal(got.length, whole.length);
  assert.notEqual(called.source, null);
}

const keyOf = ({ exchange }: Called | Computation): string => exchange.sharing?.key ?? assert.fail();

/** No work outlives those who wait for it; none is ended while one of them is left. */
export function assertNobodyElse(played: Played): void {
  const { flying, refreshed, one } = played;
  for (const work of flying.work.begun) {
    if (refreshed.has(work)) continue;
    const { startedAtMs, endedAtMs, isCancelled } = work;
    const there = flying.called.filter(
      (called) => keyOf(called) === keyOf(work) && called.calledAtMs <= (endedAtMs ?? 0),
    );
    const lastMs = Math.max(...there.map((called) => called.endedAtMs ?? never));
    assert.ok(
      endedAtMs !== null && endedAtMs <= lastMs,
      `from ${startedAtMs} to ${endedAtMs}, though all left by ${lastMs}`,
    );
    if (!isCancelled || one.cutAtMs !== null) continue;
    for (const called of flying.called)
      if (workOf(called, played) === work)
        assert.ok((called.endedAtMs ?? never) <= endedAtMs, 'ended while somebody read it');
  }
}

/** From when on nobody could join it. */
function closedAtMs({ startedAtMs, endedAtMs, script }: Computation): number {
  const headAtMs = startedAtMs + script.headAfterMs;
  if (whyNotShared(script.status ?? 200, script.headers?.slice() ?? []) !== null)
    return Math.min(headAtMs, endedAtMs ?? never);
  return endedAtMs ?? never;
}

/** Of one key, nothing is computed beside each other that could have been shared. */
export function assertAlone({ flying, one }: Played): void {
  if (one.maxMembers < one.callers.length) return;
  const shared = flying.work.begun.filter(({ exchange }) => exchange.isDetached);
  for (const key of ['a', 'b']) {
    const ofKey = shared.filter((work) => keyOf(work) === key);
    for (const [at, later] of ofKey.entries()) {
      if (isNew(later)) continue;
      const current = ofKey.slice(0, at).findLastIndex(isNew);
      for (const earlier of ofKey.slice(Math.max(0, current), at))
        assert.ok(later.startedAtMs >= closedAtMs(earlier), `${earlier.startedAtMs} and ${later.startedAtMs}`);
    }
  }
}

function isNew({ exchange }: Computation): boolean {
  return exchange.sharing?.wish === 'new';
}

/** Who takes whatever comes gets it when it comes, however slow others are. */
export function assertFast(played: Played): void {
  for (const called of played.flying.called) {
    const work = workOf(called, played);
    if (work === null || called.caller.readMs !== undefined || called.ends[0] !== 'complete') continue;
    const { startedAtMs, script, endedAtMs } = work;
    const headAtMs = startedAtMs + script.headAfterMs;
    assert.equal(called.endedAtMs, Math.max(endedAtMs ?? never, called.calledAtMs));
    if (called.calledAtMs > headAtMs) continue;
    const tookMs = (script.pieces ?? []).reduce((sum, { afterMs }) => sum + afterMs, 0);
    assert.equal(endedAtMs, headAtMs + tookMs, 'nobody held it up');
  }
}
