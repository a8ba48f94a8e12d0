import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoadReport, silence } from '../../../gateway/balance/load-report.ts';
import { parseLoadReport } from '../../../gateway/upstream/load-report.ts';
import { columns } from '../../../loadtest/balancing/columns.ts';
import { type ServerSpec, scenarios } from '../../../loadtest/balancing/scenarios.ts';
import { simulate } from '../../../loadtest/balancing/simulate.ts';
import { isFull } from '../../support/counts.ts';

type Lie = NonNullable<ServerSpec['lie']>;

const honest = scenarios.find(({ number }) => number === '3') ?? assert.fail();

/** What the gateway makes of such a header. */
function said(metrics: string): LoadReport {
  return parseLoadReport(`JSON {"named_metrics":{${metrics}}}`) ?? silence;
}

const always =
  (report: LoadReport): Lie =>
  () =>
    report;
const everybody = (): true => true;

/** What is told, and by which of eight servers. */
const lies: Readonly<Record<string, readonly [lie: Lie, by: (at: number) => boolean]>> = {
  'what is negative': [
    always(said('"slots":-4,"in_flight":-3,"queued":-1,"service_seconds":-0.1')),
    (at) => at % 2 === 0,
  ],
  'what is no number': [always(said('"slots":NaN,"in_flight":"x","service_seconds":null')), (at) => at % 2 === 0],
  'what is enormous': [
    always(said('"slots":1e12,"in_flight":1e15,"queued":1e9,"service_seconds":1e9')),
    (at) => at % 2 === 0,
  ],
  'four thousand slots': [(truth) => ({ ...truth, slots: 4_000 }), (at) => at === 0],
  'a minute a request': [(truth) => ({ ...truth, serviceSeconds: 60 }), (at) => at === 0],
  'a millisecond a request': [(truth) => ({ ...truth, serviceSeconds: 0.001 }), (at) => at === 7],
  'what others have said': [(truth, truths) => another(truth, truths, 3), everybody],
  'what one other has said': [(truth, truths) => another(truth, truths, 1), (at) => at === 7],
};

/** The last that a server said which stands so many places further in the fleet. */
function another(truth: LoadReport, truths: ReadonlyMap<ServerSpec, LoadReport>, by: number): LoadReport {
  const all = [...truths];
  const own = all.findIndex(([, told]) => told === truth);
  return all[(own + by) % all.length]?.[1] ?? truth;
}

async function p99Of(lie: Lie | null, by: (at: number) => boolean, column: string): Promise<number> {
  const servers = honest.servers.map((one, at) => (lie !== null && by(at) ? { ...one, lie } : { ...one }));
  const balancing = columns[column] ?? assert.fail(column);
  const found: number[] = [];
  for (const seed of isFull ? [1, 2, 3] : [1])
    found.push((await simulate({ ...honest, servers, forMs: isFull ? 120_000 : 60_000 }, balancing, seed)).p99Ms);
  return found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)] ?? Number.NaN;
}

describe('load reports that are not true', async () => {
  const withoutMs = await p99Of(null, everybody, 'adaptive, told nothing');

  for (const [what, [lie, by]] of Object.entries(lies)) {
    it(`cost p99 at most a twentieth of what it is without reports: ${what}`, async (test) => {
      const p99Ms = await p99Of(lie, by, 'adaptive');
      test.diagnostic(`p99 ${p99Ms.toFixed(0)} ms, without reports ${withoutMs.toFixed(0)}`);
      assert.ok(p99Ms <= 1.05 * withoutMs, `${p99Ms} and ${withoutMs}`);
    });
  }
});
