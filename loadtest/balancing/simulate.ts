import type { LoadReport } from '../../gateway/balance/load-report.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { DurationHistogram } from '../measure/histogram.ts';
import { exponential } from '../model-server/draws.ts';
import type { Scenario, ServerSpec } from './scenarios.ts';
import { type Balancing, SimulatedGateway } from './simulated-gateway.ts';
import { SimulatedServer } from './simulated-server.ts';

/** What clients saw behind the warm-up. */
export interface Seen {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  readonly shareOverSecond: number;
  /** Latency grew over the whole run: more comes than is done. */
  readonly isUnstable: boolean;
}

/** From when on requests count, and until when. */
interface Span {
  readonly warmUpMs: number;
  readonly untilMs: number;
}

/** Long enough for service times to be known. */
const warmUpMs = 15_000;
const usualForMs = 120_000;

/** One run of a fleet under a policy, with chance from a seed. Arrivals of one seed are the same for all policies. */
export async function simulate(scenario: Scenario, balancing: Balancing, seed: number): Promise<Seen> {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const untilMs = warmUpMs + (scenario.forMs ?? usualForMs);
  const truths = new Map<ServerSpec, LoadReport>();
  const servers = scenario.servers.map(
    (spec, at) => new SimulatedServer({ spec, scenario, clock, rng: seededRng(seed * 1_000 + at), untilMs, truths }),
  );
  const gateways = Array.from(
    { length: scenario.gateways },
    (_, at) =>
      new SimulatedGateway({
        servers,
        balancing,
        clock,
        wheel,
        peers: { gateways: scenario.gateways },
        rng: seededRng(seed * 1_000 + 500 + at),
      }),
  );
  const seen = new Latencies({ warmUpMs, untilMs });
  const rng = seededRng(seed * 1_000 + 900);
  arrive({ scenario, clock, untilMs, rng }, () => {
    const startedAtMs = clock.nowMs();
    gateways[rng.below(gateways.length)]?.send(() => seen.add(startedAtMs, clock.nowMs()));
  });
  await clock.runUntil(untilMs);
  for (const one of [...gateways, ...servers]) one.close();
  wheel.close();
  return seen.sum();
}

interface Arrivals {
  readonly scenario: Scenario;
  readonly clock: VirtualClock;
  readonly untilMs: number;
  readonly rng: ReturnType<typeof seededRng>;
}

function arrive({ scenario, clock, untilMs, rng }: Arrivals, send: () => void): void {
  const { servers, meanMs, load, rateAt = () => 1 } = scenario;
  const capacityPerMs = servers.reduce((sum, { slots, speed }) => sum + slots * speed, 0) / meanMs;
  const next = (): void => {
    const gapMs = exponential(rng) / (capacityPerMs * load * rateAt(clock.nowMs()));
    if (clock.nowMs() + gapMs >= untilMs) return;
    clock.after(gapMs, () => {
      send();
      next();
    });
  };
  next();
}

const growth = 2;

class Latencies {
  readonly #span: Span;
  readonly #all = new DurationHistogram();
  readonly #halves = [new DurationHistogram(), new DurationHistogram()] as const;
  #overSecond = 0;

  constructor(span: Span) {
    this.#span = span;
  }

  add(startedAtMs: number, endedAtMs: number): void {
    const { warmUpMs, untilMs } = this.#span;
    if (startedAtMs < warmUpMs) return;
    const tookMs = endedAtMs - startedAtMs;
    this.#all.record(tookMs);
    this.#halves[startedAtMs < (warmUpMs + untilMs) / 2 ? 0 : 1].record(tookMs);
    if (tookMs > 1_000) this.#overSecond += 1;
  }

  sum(): Seen {
    const { count } = this.#all;
    const [first, second] = this.#halves.map((half) => half.meanMs ?? 0);
    return {
      count,
      p50Ms: this.#all.quantileMs(0.5) ?? 0,
      p99Ms: this.#all.quantileMs(0.99) ?? 0,
      meanMs: this.#all.meanMs ?? 0,
      shareOverSecond: this.#overSecond / Math.max(1, count),
      isUnstable: (second ?? 0) > growth * (first ?? 0) && (second ?? 0) > 1_000,
    };
  }
}
