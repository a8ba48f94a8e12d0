import { nearestName } from '../../gateway/settings/faults.ts';
import { duration } from '../../gateway/settings/units.ts';
import { rounded } from './rounding.ts';
import type { Distribution, Summary, Unit } from './summary.ts';

interface Metric {
  readonly unit: Unit;
  /** Null where the run has no such value, which meets no assertion. */
  readonly of: (summary: Summary) => number | null;
}

const quantiles = {
  mean: 'meanMs',
  p50: 'p50Ms',
  p90: 'p90Ms',
  p95: 'p95Ms',
  p99: 'p99Ms',
  'p99.9': 'p999Ms',
  max: 'maxMs',
} as const;

const distributions: Readonly<Record<string, (summary: Summary) => Distribution | null>> = {
  '': ({ latency }) => latency.ok,
  'service.': ({ service }) => service,
  'lag.': ({ scheduleLag }) => scheduleLag,
  'ttft.': ({ streams }) => streams.timeToFirstToken,
  'itl.': ({ streams }) => streams.interToken,
  'tpot.': ({ streams }) => streams.timePerOutputToken,
};

/** `p99` and its like are of the latency of answered requests; a prefix names another duration. */
const durations = Object.fromEntries(
  Object.entries(distributions).flatMap(([prefix, of]) =>
    Object.entries(quantiles).map(([name, key]): [string, Metric] => [
      prefix + name,
      { unit: 'ms', of: (summary) => of(summary)?.[key] ?? null },
    ]),
  ),
);

const outcomeShares = (
  ['ok', 'shed', 'limited', 'upstream_error', 'timeout', 'cancelled', 'unreachable', 'unfinished'] as const
).map((outcome): [string, Metric] => [outcome, shareOfOffered(({ requests }) => requests.outcomes[outcome])]);

/** Everything an assertion may speak of, and a comparison compare. */
export const metrics: Readonly<Record<string, Metric>> = Object.fromEntries([
  ...Object.entries(durations),
  ...outcomeShares,
  ['goodput', { unit: 'share', of: ({ goodput }) => goodput.share }],
  ['goodput_rate', { unit: 'per second', of: ({ goodput }) => goodput.perSecond }],
  ['rate', { unit: 'per second', of: ({ requests }) => requests.perSecond }],
  ['tokens_rate', { unit: 'per second', of: ({ tokens }) => tokens.outputPerSecond }],
  ['upstream_per_offered', { unit: 'count', of: ({ requests }) => requests.upstream?.perOffered ?? null }],
  // Refusals are answers, and what the client itself left is no fault.
  [
    'errors',
    shareOfOffered(
      ({ requests: { outcomes, unsent } }) =>
        outcomes.upstream_error + outcomes.timeout + outcomes.unreachable + outcomes.unfinished + unsent,
    ),
  ],
] satisfies [string, Metric][]);

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** A claim about a run, such as `p99<800ms`. */
export interface Assertion {
  readonly text: string;
  judge(summary: Summary): Summary['asserts'][number];
}

/** What an assertion says, or what was wanted instead. */
export type ParsedAssertion = { readonly assertion: Assertion } | { readonly wanted: string };

const wantedForm = 'a claim such as p99<800ms, goodput>0.95 or errors<0.1%';

/** Reads METRIC, one of `<` `<=` `>` `>=`, and a value in the metric's unit. */
export function parseAssertion(text: string): ParsedAssertion {
  const [, name, sign, valueText] = /^\s*([a-z][\w.]*)\s*([<>]=?)\s*(\S+)\s*$/.exec(text) ?? [];
  if (name === undefined || sign === undefined || valueText === undefined) return { wanted: wantedForm };
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (metric === undefined) return { wanted: wantedMetric(name) };
  const bound = parseValue(valueText, metric.unit);
  if (bound === null) return { wanted: `${name} compared with ${wantedValues[metric.unit]}` };
  const judge = (summary: Summary): Summary['asserts'][number] => {
    const value = metric.of(summary);
    return { text, unit: metric.unit, value, isMet: value !== null && (comparisons[sign]?.(value, bound) ?? false) };
  };
  return { assertion: { text, judge } };
}

const wantedValues: Readonly<Record<Unit, string>> = {
  ms: duration.wanted,
  share: 'a share such as 0.95 or 95%',
  'per second': 'a rate such as 100/s',
  count: 'a number',
};

function parseValue(text: string, unit: Unit): number | null {
  if (unit === 'ms') return duration.parse(text);
  const [, digits, suffix] = /^(\d+(?:\.\d+)?)(%|\/s)?$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = Number(digits);
  if (unit === 'per second') return suffix === '/s' ? value : null;
  if (unit === 'count') return suffix === undefined ? value : null;
  const share = suffix === '%' ? rounded(value / 100) : value;
  return suffix === '/s' || share > 1 ? null : share;
}

/** Every metric there is, in as few words as tell them all. */
export const metricNames = [
  `${Object.keys(quantiles).join(' ')} (of latency; of others behind ${Object.keys(distributions)
    .filter((prefix) => prefix !== '')
    .join(' ')})`,
  ...Object.keys(metrics).filter((name) => !Object.hasOwn(durations, name)),
].join(', ');

function wantedMetric(name: string): string {
  const nearest = nearestName(name, Object.keys(metrics));
  return nearest === null ? `one of the metrics ${metricNames}` : `the metric ${nearest}, or another of ${metricNames}`;
}

function shareOfOffered(count: (summary: Summary) => number): Metric {
  return {
    unit: 'share',
    of: (summary) => (summary.requests.offered === 0 ? null : rounded(count(summary) / summary.requests.offered)),
  };
}

/** The summary with what became of each claim about it. */
export function withAssertions(summary: Summary, assertions: readonly Assertion[]): Summary {
  return { ...summary, asserts: assertions.map((assertion) => assertion.judge(summary)) };
}
