import { DurationHistogram, type EncodedHistogram } from '../measure/histogram.ts';
import { type Outcome, outcomes, type RequestRecord } from '../measure/record.ts';
import { rounded } from './rounding.ts';
import type { SeriesStep } from './summary.ts';

/** A chart shows no more, and so many histograms take about 10 MB. */
const mostSteps = 600;

interface StepCounts {
  offered: number;
  sent: number;
  ended: number;
  good: number;
  readonly outcomes: Record<Outcome, number>;
}

interface Step extends StepCounts {
  readonly latency: DurationHistogram;
  readonly firstToken: DurationHistogram;
}

/** What happened from second to second. A run of more than 600 s has steps of 2 s, of more than 1200 s of 4 s, and so on. */
export class TimeLine {
  #stepMs = 1000;
  #steps: Step[] = [];

  add(record: RequestRecord, isGood: boolean): void {
    const planned = this.#at(record.plannedAtMs);
    planned.offered += 1;
    planned.outcomes[record.outcome] += 1;
    if (isGood) planned.good += 1;
    this.#at(record.sentAtMs).sent += 1;
    if (record.outcome !== 'unfinished') this.#at(record.endedAtMs).ended += 1;
    if (record.outcome !== 'ok') return;
    // Asked for anew: the line may have been folded since.
    const { latency, firstToken } = this.#at(record.plannedAtMs);
    latency.record(record.endedAtMs - record.plannedAtMs);
    if (record.firstTokenAtMs !== null) firstToken.record(record.firstTokenAtMs - record.plannedAtMs);
  }

  /** As plain data, for another process. */
  encode(): EncodedTimeLine {
    const steps = this.#steps.map(({ latency, firstToken, ...counts }) => ({
      ...counts,
      latency: latency.encode(),
      firstToken: firstToken.encode(),
    }));
    return { stepMs: this.#stepMs, steps };
  }

  merge({ stepMs, steps }: EncodedTimeLine): void {
    while (this.#stepMs < stepMs) this.#fold();
    for (const [at, { latency, firstToken, ...counts }] of steps.entries())
      addTo(this.#at(at * stepMs), {
        ...counts,
        latency: DurationHistogram.decode(latency, 2),
        firstToken: DurationHistogram.decode(firstToken, 2),
      });
  }

  series(): { readonly stepMs: number; readonly steps: SeriesStep[] } {
    let inFlight = 0;
    const steps = this.#steps.map((step, at) => {
      inFlight += step.sent - step.ended;
      return {
        fromMs: at * this.#stepMs,
        offered: step.offered,
        outcomes: step.outcomes,
        good: step.good,
        inFlight,
        p50Ms: rounded(step.latency.quantileMs(0.5)),
        p99Ms: rounded(step.latency.quantileMs(0.99)),
        maxMs: rounded(step.latency.maxMs),
        firstTokenP50Ms: rounded(step.firstToken.quantileMs(0.5)),
        firstTokenP99Ms: rounded(step.firstToken.quantileMs(0.99)),
      };
    });
    return { stepMs: this.#stepMs, steps };
  }

  #at(instantMs: number): Step {
    const index = (): number => Math.max(0, Math.floor(instantMs / this.#stepMs));
    while (index() >= mostSteps) this.#fold();
    while (this.#steps.length <= index()) this.#steps.push(emptyStep());
    return this.#steps[index()] ?? emptyStep();
  }

  /** Two steps become one. */
  #fold(): void {
    this.#stepMs *= 2;
    this.#steps = this.#steps.flatMap((step, at, all) => {
      if (at % 2 === 1) return [];
      const next = all[at + 1];
      if (next !== undefined) addTo(step, next);
      return [step];
    });
  }
}

/** What `encode` gives and `merge` takes. */
export interface EncodedTimeLine {
  readonly stepMs: number;
  readonly steps: readonly (StepCounts & {
    readonly latency: EncodedHistogram;
    readonly firstToken: EncodedHistogram;
  })[];
}

function emptyStep(): Step {
  return {
    offered: 0,
    sent: 0,
    ended: 0,
    good: 0,
    outcomes: noOutcomes(),
    latency: new DurationHistogram(2),
    firstToken: new DurationHistogram(2),
  };
}

function addTo(step: Step, other: Step): void {
  step.offered += other.offered;
  step.sent += other.sent;
  step.ended += other.ended;
  step.good += other.good;
  for (const outcome of outcomes) step.outcomes[outcome] += other.outcomes[outcome];
  step.latency.add(other.latency);
  step.firstToken.add(other.firstToken);
}

/** A count of 0 for each outcome. */
export function noOutcomes(): Record<Outcome, number> {
  return {
    ok: 0,
    shed: 0,
    limited: 0,
    upstream_error: 0,
    timeout: 0,
    cancelled: 0,
    unreachable: 0,
    unfinished: 0,
  };
}
