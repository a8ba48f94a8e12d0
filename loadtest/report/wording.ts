import { stripVTControlCharacters } from 'node:util';
import { type Outcome, outcomes } from '../measure/record.ts';
import type { Slos } from './slos.ts';
import type { Distribution, Summary, Unit } from './summary.ts';

/** What stands where there is no figure. */
export const nothing = '–';

/** A duration with three significant digits or so, and its unit. */
export function describeMs(valueMs: number | null): string {
  if (valueMs === null) return nothing;
  if (valueMs >= 10_000) return `${(valueMs / 1000).toFixed(1)} s`;
  return `${describeFigure(valueMs)} ms`;
}

/** A figure with about three significant digits, its thousands apart. */
export function describeFigure(value: number | null): string {
  if (value === null) return nothing;
  const size = Math.abs(value);
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A whole number, its thousands apart. */
export function describeCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** A share in percent. What is not all is never rounded up to all, nor what is not nothing down to nothing. */
export function describeShare(share: number | null): string {
  if (share === null) return nothing;
  if (share > 0 && share < 0.0001) return '< 0.01 %';
  if (share < 1 && share > 0.9999) return '> 99.99 %';
  const percent = 100 * share;
  return `${percent.toFixed(percent === 0 || percent === 100 ? 0 : percent < 1 || percent > 99 ? 2 : 1)} %`;
}

/** Events a second. */
export function describeRate(perSecond: number): string {
  return `${describeFigure(perSecond)}/s`;
}

/** A value in its unit. */
export function describeValue(value: number, unit: Unit): string {
  if (unit === 'ms') return describeMs(value);
  if (unit === 'share') return describeShare(value);
  return unit === 'per second' ? describeRate(value) : describeFigure(value);
}

/** An instant of the run, or the length of a part of it: `45 s`, `2:30 min`. */
export function describeInstant(instantMs: number): string {
  const seconds = instantMs / 1000;
  if (seconds < 120) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  const rest = Math.round(seconds % 60);
  return `${Math.floor(seconds / 60)}:${String(rest).padStart(2, '0')} min`;
}

/** `20 to 30 s`. */
export function describeSpan(fromMs: number, untilMs: number): string {
  const [from, until] = [describeInstant(fromMs), describeInstant(untilMs)];
  return `${from.endsWith(' s') && until.endsWith(' s') ? from.slice(0, -2) : from} to ${until}`;
}

/** What each outcome is called before people. */
export const outcomeNames: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  shed: 'shed (503)',
  limited: 'limited (429)',
  upstream_error: 'upstream error',
  timeout: 'timeout',
  cancelled: 'cancelled',
  unreachable: 'unreachable',
  unfinished: 'unfinished',
};

/** The parts of a latency in their order, and what they are called. */
export const timeParts = [
  ['lagMs', 'before the send'],
  ['queueMs', "in the gateway's queue"],
  ['upstreamMs', 'at the replica, until its head'],
  ['gatewayMs', 'gateway and network'],
  ['bodyMs', 'from head to end'],
] as const;

/** The SLOs that are set, in words; empty where none is. */
export function describeSlos(slos: Slos): string {
  const bounds = [
    ['latency', slos.latencyMs],
    ['TTFT', slos.timeToFirstTokenMs],
    ['gap', slos.interTokenMs],
    ['per token', slos.timePerOutputTokenMs],
  ] as const;
  return bounds.flatMap(([name, valueMs]) => (valueMs === null ? [] : `${name} ≤ ${describeMs(valueMs)}`)).join(', ');
}

/** What is said of a run in which time was virtual. */
export const simulatedNote =
  'Predicted: clients, gateway and servers went by a virtual clock, on which computing and the network take no time';

/** Whether the figures of a run count, and what they are figures of. */
export function describeVerdict({ run, verdict }: Pick<Summary, 'run' | 'verdict'>): 'VALID' | 'INVALID' | 'SIMULATED' {
  if (!verdict.isValid) return 'INVALID';
  return run.isSimulated ? 'SIMULATED' : 'VALID';
}

/** Every duration that a run has, by name: the latency of each outcome, service, lag and tokens. */
export function distributionsOf({
  run,
  latency,
  service,
  scheduleLag,
  streams,
}: Summary): readonly NamedDistribution[] {
  const all: readonly (readonly [string, Distribution | null])[] = [
    ...outcomes.map((outcome) => [`latency, ${outcomeNames[outcome]}`, latency[outcome]] as const),
    ['service time, ok', service],
    // On a virtual clock no machine could be late.
    ['schedule lag, all sent', run.isSimulated ? null : scheduleLag],
    ['time to first token', streams.timeToFirstToken],
    ['between two tokens', streams.interToken],
    ['time per output token', streams.timePerOutputToken],
  ];
  return all.flatMap(([name, distribution]) => (distribution === null ? [] : [{ name, distribution }]));
}

/** A distribution and what it is of. */
export interface NamedDistribution {
  readonly name: string;
  readonly distribution: Distribution;
}

/** The figures of a distribution in their order, and what they are called. */
export const distributionFigures = [
  ['count', 'count'],
  ['meanMs', 'mean'],
  ['p50Ms', 'p50'],
  ['p90Ms', 'p90'],
  ['p95Ms', 'p95'],
  ['p99Ms', 'p99'],
  ['p999Ms', 'p99.9'],
  ['maxMs', 'max'],
] as const;

/** What others sent, such as the name of a replica, moves no cursor and rings no bell. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, ' ');
}
