import type { z } from 'zod';
import { describeValue } from '../../gateway/settings/faults.ts';
import { periodField, positiveRateField, textField } from '../../gateway/settings/fields.ts';
import { parseAssertion } from '../report/assertion.ts';
import { describeInstant } from '../report/wording.ts';
import { steady } from './resolve-arrivals.ts';
import { unfitFor } from './resolve-payloads.ts';
import type { Arrivals, Scenario, Slos, Target } from './scenario.ts';
import { protocolField, seedField } from './schema.ts';
import { placeOf, wantedUrl } from './target-place.ts';

/** What the command line says in place of the scenario, as it was typed. */
export interface Overrides {
  readonly url?: string | undefined;
  /** Another target beside the first one, for comparisons. */
  readonly compare?: string | undefined;
  readonly protocol?: string | undefined;
  readonly model?: string | undefined;
  readonly rate?: string | undefined;
  readonly for?: string | undefined;
  readonly seed?: string | undefined;
  /** Each `latency=2s`, `ttft=500ms`, `itl=50ms` or `tpot=40ms`. */
  readonly slo?: readonly string[] | undefined;
  readonly assert?: readonly string[] | undefined;
}

/** Options of the command line that cannot be used, a line for each: `--rate: got "fast", wanted a rate such as 200/s`. */
export class OverrideError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'OverrideError';
    this.faults = faults;
  }
}

type Refuse = (option: keyof Overrides, got: string, wanted: string) => void;

/** The scenario with the options of the command line in it. Throws an `OverrideError` with all that cannot be used. */
export function withOverrides(scenario: Scenario, overrides: Overrides): Scenario {
  const faults: string[] = [];
  const refuse: Refuse = (option, got, wanted) => {
    faults.push(`--${option}: got ${got}, wanted ${wanted}`);
  };
  const ratePerSecond = read('rate', overrides.rate, positiveRateField(), refuse);
  const changed: Scenario = {
    ...scenario,
    seed: read('seed', numberIn(overrides.seed), seedField(), refuse) ?? scenario.seed,
    forMs: read('for', overrides.for, periodField(), refuse) ?? scenario.forMs,
    targets: targetsOf(scenario.targets, overrides, refuse),
    arrivals: ratePerSecond === null ? scenario.arrivals : atRate(scenario.arrivals, ratePerSecond, refuse),
    slos: (overrides.slo ?? []).reduce((slos, text) => withSlo(slos, text, refuse), scenario.slos),
    asserts: [...scenario.asserts, ...(overrides.assert ?? [])],
  };
  judge(changed, overrides, refuse);
  if (faults.length > 0) throw new OverrideError(faults);
  return changed;
}

/** The value of an option, or null for one that is not given or cannot be used. */
function read<Value>(option: keyof Overrides, given: unknown, field: z.ZodType<Value>, refuse: Refuse): Value | null {
  if (given === undefined) return null;
  const { success, data, error } = field.safeParse(given);
  if (!success) refuse(option, describeValue(given, []), error.issues[0]?.message ?? 'something else');
  return success ? data : null;
}

/** Whole numbers come as texts; anything else stays what it is, and does not fit. */
function numberIn(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

function targetsOf(targets: readonly Target[], overrides: Overrides, refuse: Refuse): readonly Target[] {
  const protocol = read('protocol', overrides.protocol, protocolField(), refuse);
  const model = read('model', overrides.model, textField('the name of a model'), refuse);
  const named = targets.map((target) => ({
    ...target,
    protocol: protocol ?? target.protocol,
    model: model ?? target.model,
  }));
  const [first] = named;
  if (first === undefined) return named;
  const [a = first, ...others] = overrides.url === undefined ? named : [movedTo('url', overrides.url, first, refuse)];
  if (overrides.compare === undefined) return [a, ...others];
  const b = movedTo('compare', overrides.compare, first, refuse);
  // Some compare a target with itself, to see what chance alone makes of it.
  return [a, b.name === a.name ? { ...b, name: `${b.name}-b` } : b];
}

function movedTo(option: 'url' | 'compare', url: string, target: Target, refuse: Refuse): Target {
  const place = placeOf(url);
  if (place === null) refuse(option, describeValue(url, []), wantedUrl);
  return { ...target, ...place };
}

function atRate(arrivals: Arrivals, ratePerSecond: number, refuse: Refuse): Arrivals {
  if (arrivals.kind === 'closed') {
    refuse('rate', 'a rate for a closed loop', 'none: there answers set the pace');
    return arrivals;
  }
  if (arrivals.kind === 'trace') {
    const mean = arrivals.trace.meanPerSecond(arrivals.limit ?? arrivals.trace.size);
    if (mean === 0) refuse('rate', 'a rate for a trace that is one instant', 'none');
    return { ...arrivals, speed: mean === 0 ? arrivals.speed : ratePerSecond / mean };
  }
  const [first, ...more] = arrivals.segments;
  if (more.length > 0 || first?.fromPerSecond !== first?.toPerSecond)
    refuse('rate', 'a rate for arrivals whose rate changes', 'none, or arrivals of another kind');
  return steady(ratePerSecond, arrivals.burstiness);
}

const sloKeys = {
  latency: 'latencyMs',
  ttft: 'timeToFirstTokenMs',
  itl: 'interTokenMs',
  tpot: 'timePerOutputTokenMs',
} as const satisfies Record<string, keyof Slos>;

function withSlo(slos: Slos, text: string, refuse: Refuse): Slos {
  const [name = '', limit, ...more] = text.split('=');
  const key = Object.entries(sloKeys).find(([one]) => one === name)?.[1];
  if (key === undefined || limit === undefined || more.length > 0) {
    const names = Object.keys(sloKeys).join(', ');
    refuse('slo', describeValue(text, []), `one of ${names} with a duration, such as ttft=500ms`);
    return slos;
  }
  return { ...slos, [key]: read('slo', limit, periodField(), refuse) };
}

/** What each part allows and the whole does not. */
function judge({ targets, warmUpMs, forMs, payloads }: Scenario, overrides: Overrides, refuse: Refuse): void {
  if (forMs !== null && forMs <= warmUpMs && overrides.for !== undefined)
    refuse('for', overrides.for, `more than warm_up, which is ${describeInstant(warmUpMs)}`);
  const protocol = targets[0]?.protocol ?? 'openai';
  const unfit = unfitFor(protocol, payloads.choice.kind);
  if (unfit !== null) refuse('protocol', protocol, `openai: ${payloads.choice.kind} payloads have tokens`);
  for (const text of overrides.assert ?? []) {
    const parsed = parseAssertion(text);
    if ('wanted' in parsed) refuse('assert', describeValue(text, []), parsed.wanted);
  }
}
