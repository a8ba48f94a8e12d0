import type { LoadReport } from '../../balance/load-report.ts';
import { hasLabel, samplesOf } from '../metrics-page.ts';
import { type FaultNotes, ReportDraft } from '../report-draft.ts';

/** A metric, of which only the samples with a certain label count where there is one. */
interface Metric {
  readonly name: string;
  readonly label?: readonly [name: string, value: string];
}

/** The names under which one kind of server tells its load, each fact perhaps under several: the first that is there holds. */
export interface Dialect {
  readonly queued: readonly Metric[];
  readonly running: readonly Metric[];
  readonly kvUsedShare: readonly Metric[];
}

/** What a metrics page says. */
export interface PageReading {
  /** Null where it says nothing that can be. */
  readonly report: LoadReport | null;
  /** Whether there is any name of the dialect on it. */
  readonly isOfDialect: boolean;
}

const add = (a: number, b: number): number => a + b;
const larger = (a: number, b: number): number => Math.max(a, b);

/** How the samples of one fact make one of the replica: its engines and models each have requests of their own, and the fullest cache holds up what comes to it. */
const together = { queued: add, running: add, kvUsedShare: larger } as const;
const facts = ['queued', 'running', 'kvUsedShare'] as const;

/** Reads what a page says of a replica's load. */
export function readPage(page: string, dialect: Dialect, faults: FaultNotes): PageReading {
  const draft = new ReportDraft(faults);
  let isOfDialect = false;
  for (const fact of facts) {
    for (const metric of dialect[fact]) {
      const values = valuesOf(page, metric);
      if (values.length === 0) continue;
      isOfDialect = true;
      draft.take(fact, metric.name, joined(values, together[fact]));
      break;
    }
  }
  return { report: draft.finish(), isOfDialect };
}

/** One value of all; the first that cannot be, where there is one. */
function joined(values: readonly (number | string)[], join: (a: number, b: number) => number): number | string {
  let told = 0;
  for (const value of values) {
    if (typeof value === 'string' || value < 0) return value;
    told = join(told, value);
  }
  return told;
}

function valuesOf(page: string, { name, label }: Metric): (number | string)[] {
  const values: (number | string)[] = [];
  for (const sample of samplesOf(page, name))
    if (label === undefined || hasLabel(sample.labels, ...label)) values.push(sample.value);
  return values;
}
