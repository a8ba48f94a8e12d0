import { type LoadReport, silence } from '../../gateway/balance/load-report.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import { lognormal } from '../model-server/draws.ts';
import { Pace } from '../model-server/pace.ts';
import { Pulse } from '../model-server/pulse.ts';
import { TensorEngine } from '../model-server/tensor-engine.ts';
import type { Scenario, ServerSpec } from './scenarios.ts';

interface Parts {
  readonly spec: ServerSpec;
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly untilMs: number;
  /** Shared by the fleet: for those that lie. */
  readonly truths: Map<ServerSpec, LoadReport>;
}

/** One replica of a fleet without a socket: slots behind one line, and what it would tell with each answer. */
export class SimulatedServer {
  readonly slots: number;
  readonly isSilent: boolean;
  readonly #clock: Clock;
  readonly #engine: TensorEngine;
  readonly #pulse: Pulse;

  readonly #tell: (truth: LoadReport) => LoadReport;

  constructor({ spec, scenario, clock, rng, untilMs, truths }: Parts) {
    const { slots, speed, isSilent = false } = spec;
    this.slots = slots;
    this.isSilent = isSilent;
    this.#clock = clock;
    this.#tell = (truth) => {
      truths.set(spec, truth);
      return spec.lie?.(truth, truths) ?? truth;
    };
    this.#engine = new TensorEngine({
      slots,
      maxQueue: Number.POSITIVE_INFINITY,
      workTime: (draw) => (scenario.meanMs * lognormal(draw, scenario.variation)) / speed,
      pace: new Pace(spec.slowings(rng, untilMs)),
      rng,
    });
    this.#pulse = new Pulse(clock, this.#engine);
  }

  /** Computes; calls with what comes with the answer. */
  serve(done: (report: LoadReport) => void): void {
    this.#engine.submit(this.#clock.nowMs(), 1, ({ serviceMs }) => {
      done(this.#tell({ ...this.report(), serviceSeconds: serviceMs / 1000 }));
    });
    this.#pulse.rearm();
  }

  /** What it has at the moment. */
  report(): LoadReport {
    const { slots, running, waiting } = this.#engine.load();
    return { ...silence, slots, inFlight: running + waiting, queued: waiting };
  }

  close(): void {
    this.#pulse.close();
  }
}
