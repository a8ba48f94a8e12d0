import { outcomes } from '../measure/record.ts';
import type { Summary } from './summary.ts';
import {
  describeCount,
  describeFigure,
  describeRate,
  describeShare,
  describeSlos,
  describeSpan,
  describeValue,
  describeVerdict,
  distributionFigures,
  distributionsOf,
  nothing,
  outcomeNames,
  simulatedNote,
  timeParts,
} from './wording.ts';

/** A part of a written report: a heading, some sentences, a table. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
  /** The first row is its head, the first column its names. */
  readonly table: readonly (readonly string[])[];
}

/** A run in words and tables, for Markdown and for terminals. */
export function sectionsOf(summary: Summary): Section[] {
  const { run, verdict } = summary;
  const title = `${run.name}: ${describeVerdict(summary)}`;
  const rest: readonly Section[] = [
    { title: 'Claims', lines: claimsOf(summary), table: [] },
    { title: 'Outcomes', lines: [], table: outcomeTable(summary) },
    { title: 'Durations, ms', lines: [], table: durationTable(summary) },
    { title: 'Replicas', lines: [], table: replicaTable(summary) },
    { title: 'Where the time of a mean answer went', lines: [], table: timeTable(summary) },
    { title: 'Made with', lines: [environmentOf(summary)], table: [] },
  ];
  return [
    { title, lines: [...verdict.reasons, ...factsOf(summary)], table: [] },
    ...rest.filter(({ lines, table }) => lines.length + table.length > 0),
  ];
}

function factsOf({ run, window, requests, goodput, slos, bands, tokens }: Summary): string[] {
  const upstream =
    requests.upstream === null ? '' : `; ${describeFigure(requests.upstream.perOffered)} sends upstream for each`;
  return [
    ...(run.isSimulated ? [simulatedNote] : []),
    `Target ${run.target}, seed ${run.seed}, ${run.startedAt}, measured from ${describeSpan(window.fromMs, window.untilMs)}`,
    `Offered ${describeCount(requests.offered)} requests, ${describeRate(requests.perSecond)}${upstream}`,
    `Goodput ${describeShare(goodput.share)} of the offered, ${describeRate(goodput.perSecond)} (${describeSlos(slos) || 'no SLO set'})`,
    ...(tokens.output === 0 ? [] : [`Tokens ${describeRate(tokens.outputPerSecond)} put out`]),
    ...bands.map(({ name, fromMs, untilMs }) => `${name}: ${describeSpan(fromMs, untilMs)}`),
  ];
}

function outcomeTable({ requests: { outcomes: counts, offered, unsent } }: Summary): string[][] {
  const rows = [
    ...outcomes.map((outcome) => [outcomeNames[outcome], counts[outcome]] as const),
    ['never sent', unsent] as const,
  ];
  return tableOf(
    ['outcome', 'requests', 'share'],
    rows
      .filter(([, count]) => count > 0)
      .map(([name, count]) => [name, describeCount(count), describeShare(count / offered)]),
  );
}

function durationTable(summary: Summary): string[][] {
  return tableOf(
    ['', ...distributionFigures.map(([, label]) => label)],
    distributionsOf(summary).map(({ name, distribution }) => [
      name,
      ...distributionFigures.map(([key]) =>
        key === 'count' ? describeCount(distribution.count) : describeFigure(distribution[key]),
      ),
    ]),
  );
}

function claimsOf({ asserts }: Summary): string[] {
  return asserts.map(({ text, unit, value, isMet }) => {
    const told = value === null ? 'the run has no such value' : describeValue(value, unit);
    return `${isMet ? 'holds' : 'FAILS'}: ${text} (${told})`;
  });
}

function replicaTable({ replicas }: Summary): string[][] {
  return tableOf(
    ['replica', 'requests', 'share', 'p50, ms', 'p99, ms'],
    replicas.map(({ name, requests, share, p50Ms, p99Ms }) => [
      name,
      describeCount(requests),
      describeShare(share),
      describeFigure(p50Ms),
      describeFigure(p99Ms),
    ]),
  );
}

function timeTable({ timeSpent }: Summary): string[][] {
  if (timeSpent === null) return [];
  return tableOf(
    ['part', 'mean, ms'],
    timeParts.map(([key, label]) => [label, describeFigure(timeSpent[key])]),
  );
}

function environmentOf({ run: { environment, isSimulated } }: Summary): string {
  const { headgate, node, gitCommit, platform, processor, processorCount } = environment;
  const commit = gitCommit === null ? '' : ` at ${gitCommit}`;
  if (isSimulated) return `Headgate ${headgate}${commit}, Node ${node}, on a virtual clock`;
  return `Headgate ${headgate}${commit}, Node ${node}, ${platform}, ${processorCount} x ${processor}`;
}

/** Empty where it has no rows, and so needs no head. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[][] {
  return rows.length === 0 ? [] : [[...head], ...rows.map((row) => row.map((cell) => cell || nothing))];
}
