import { duration, share } from '../../gateway/settings/units.ts';

/** Something that must be true of the results. */
export interface Assertion {
  /** As it was written. */
  readonly text: string;
  readonly measure: TimeMeasure | ShareMeasure;
  /** From 0 to 1, 1 being the largest; null for shares. */
  readonly quantile: number | null;
  readonly operator: '<' | '<=' | '>' | '>=';
  /** In milliseconds for times, from 0 to 1 for shares. */
  readonly bound: number;
}

const timeMeasures = ['latency', 'service', 'lag', 'ttft', 'itl', 'tpot'] as const;
const shareMeasures = [
  'goodput',
  'ok',
  'shed',
  'limited',
  'upstream_error',
  'timeout',
  'cancelled',
  'unreachable',
  'unfinished',
] as const;

/** Times of requests: latency from the planned sending, service from the real one, lag between the two, and those of streams. */
export type TimeMeasure = (typeof timeMeasures)[number];

/** Shares of the offered requests: good ones, and those with each outcome. */
export type ShareMeasure = (typeof shareMeasures)[number];

/** What was wanted where a text is no assertion. */
export const wantedAssertion = 'an assertion such as p99<800ms, ttft.p50<200ms, max<5s, goodput>0.95 or shed<=1%';

/** The assertion in a text, or null when it is none. Spaces do not matter. */
export function parseAssertion(text: string): Assertion | null {
  const [, left = '', operator, right = ''] = /^([^<>]+)(<=?|>=?)([^<>=]+)$/.exec(text.replaceAll(' ', '')) ?? [];
  if (!isOperator(operator)) return null;
  const part = shareMeasures.find((one) => one === left);
  const judged = part === undefined ? timeOf(left) : { measure: part, quantile: null };
  const bound = part === undefined ? duration.parse(right) : shareOf(right);
  return judged === null || bound === null ? null : { text, ...judged, operator, bound };
}

function isOperator(text: string | undefined): text is Assertion['operator'] {
  return text === '<' || text === '<=' || text === '>' || text === '>=';
}

/** `p99`, `ttft.p99.9` or `max`. */
function timeOf(text: string): Pick<Assertion, 'measure' | 'quantile'> | null {
  const [matched, name = 'latency', percent] = /^(?:([a-z]+)\.)?(?:p(\d{1,2}(?:\.\d+)?)|max)$/.exec(text) ?? [];
  const measure = timeMeasures.find((one) => one === name);
  if (matched === undefined || measure === undefined) return null;
  // Without the last digits of the division: 99.9 is 0.999.
  return { measure, quantile: percent === undefined ? 1 : Number((Number(percent) / 100).toPrecision(12)) };
}

/** `0.95` or `95%`. */
function shareOf(text: string): number | null {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : share.parse(text);
  return value !== null && value <= 1 ? value : null;
}
