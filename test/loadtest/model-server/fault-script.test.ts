import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { FaultScript } from '../../../loadtest/model-server/fault-script.ts';
import { type FaultSettings, faultSchema } from '../../../loadtest/model-server/fault-settings.ts';
import { assertDrawnFrom, tally } from '../../support/statistics.ts';

function scriptOf(...faults: readonly object[]): FaultScript {
  const all = faults.map((fault): FaultSettings => faultSchema.parse(fault));
  return new FaultScript(all, seededRng(1));
}

/** What a script says at the instants at which something could change. */
const over = <Value>(instants: readonly number[], tell: (nowMs: number) => Value): Value[] => instants.map(tell);

test('a fault hits requests from its beginning until just before its end', () => {
  const script = scriptOf({ kind: 'fail', at: '2s', for: '1s', status: 502, retry_after: '1500ms' });
  assert.deepEqual(
    over([1_999, 2_000, 2_999, 3_000], (nowMs) => script.fateAt(nowMs).kind),
    ['serve', 'fail', 'fail', 'serve'],
  );
  assert.deepEqual(script.fateAt(2_000), { ...script.fateAt(2_500), status: 502, retryAfterMs: 1500 });
});

test('a fault without an end lasts', () => {
  assert.equal(scriptOf({ kind: 'hang' }).fateAt(1e12).kind, 'hang');
});

test('a share of the requests is hit, as drawn', () => {
  const script = scriptOf({ kind: 'reset', share: '30%' });
  const counts = tally(['serve', 'reset'], 10_000, () => script.fateAt(0).kind);
  assertDrawnFrom([0.7, 0.3], counts, 'reset 30 %');
});

test('of two faults the first that hits does, and the second gets its share of the rest', () => {
  const script = scriptOf({ kind: 'fail', share: '50%' }, { kind: 'hang', share: '50%' });
  const counts = tally(['serve', 'fail', 'hang'], 10_000, () => script.fateAt(0).kind);
  assertDrawnFrom([0.25, 0.5, 0.25], counts, 'fail and hang');
});

test('the same seed hits the same requests', () => {
  const [one, other] = [1, 2].map(() => scriptOf({ kind: 'reset', share: '30%' }));
  const fates = (script: FaultScript | undefined): unknown[] =>
    Array.from({ length: 200 }, () => script?.fateAt(0).kind);
  assert.deepEqual(fates(one), fates(other));
});

test('a stall and a late reset break an answer off, an early reset leaves nothing of it', () => {
  assert.deepEqual(scriptOf({ kind: 'stall' }).fateAt(0), { kind: 'break', how: 'stall', afterTokens: 1 });
  const late = scriptOf({ kind: 'reset', after_tokens: 5 });
  assert.deepEqual(late.fateAt(0), { kind: 'break', how: 'reset', afterTokens: 5 });
  assert.deepEqual(scriptOf({ kind: 'reset' }).fateAt(0), { kind: 'reset' });
});

test('slowness and standing still are told by the pace and hit no request', () => {
  const script = scriptOf({ kind: 'slow', at: '1s', for: '1s', by: 3 }, { kind: 'pause', at: '3s', for: '1s' });
  assert.equal(script.fateAt(1_500).kind, 'serve');
  assert.deepEqual(
    over([0, 1_000, 2_500, 3_000], (nowMs) => script.pace.endAtMs(nowMs, 100)),
    [100, 1_300, 2_600, 4_100],
  );
  assert.deepEqual(script.changesAtMs, []);
});

test('a server starts cold, closes its port and opens it again, and says when that may change', () => {
  const script = scriptOf({ kind: 'cold_start', for: '2s' }, { kind: 'refuse', at: '5s', for: '1s' });
  assert.deepEqual(
    over([0, 1_999, 2_000, 5_000, 6_000], (nowMs) => script.conditionAt(nowMs)),
    ['starting', 'starting', 'up', 'closed', 'up'],
  );
  assert.deepEqual(script.changesAtMs, [0, 2_000, 5_000, 6_000]);
});

test('an interruption is announced, and then the server is dead for as long as is written', () => {
  const script = scriptOf({ kind: 'interruption', at: '10s', notice: '2m', for: '30s' });
  assert.deepEqual(
    over([9_999, 10_000, 129_999, 130_000, 159_999, 160_000], (nowMs) => script.conditionAt(nowMs)),
    ['up', 'up', 'up', 'dead', 'dead', 'up'],
  );
  assert.deepEqual(
    over([9_999, 10_000, 129_999, 160_000], (nowMs) => script.noticeAt(nowMs)),
    [null, 130_000, 130_000, null],
  );
});
