import type { Clock, Timer } from '../../gateway/kernel/clock.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { type Condition, type Fate, FaultScript } from './fault-script.ts';
import { LlmEngine } from './llm-engine.ts';
import type { Engine } from './load.ts';
import type { Pace } from './pace.ts';
import { Pulse } from './pulse.ts';
import type { LlmSettings, ServerSettings, TensorSettings } from './settings.ts';
import { TensorEngine } from './tensor-engine.ts';
import { workTimeOf } from './work-time.ts';

interface Parts<Own extends Engine> {
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly seed: number;
  readonly newEngine: (pace: Pace, seed: number) => Own;
}

/**
 * A simulated server without its sockets: an engine that goes with the clock, and a script of faults that begins when it starts.
 * The same seed gives the same service times in the order of arrival, and hits the same requests.
 */
export class SimulatedServer<Own extends Engine = Engine> {
  readonly settings: ServerSettings;
  /** Told when everything in it is lost: those who wait for an answer will not be told. */
  onEmptied: () => void = () => {};
  /** Told when its condition changes. */
  onCondition: (condition: Condition) => void = () => {};
  readonly #parts: Parts<Own>;
  #seed: number;
  #startedAtMs = 0;
  #script: FaultScript;
  #engine: Own;
  #pulse: Pulse;
  #condition: Condition = 'up';
  #nextChange: Timer | null = null;

  constructor(parts: Parts<Own>) {
    this.#parts = parts;
    this.settings = parts.settings;
    this.#seed = parts.seed;
    this.#startedAtMs = parts.clock.nowMs();
    this.#script = this.#newScript();
    this.#engine = parts.newEngine(this.#script.pace, parts.seed);
    this.#pulse = this.#newPulse();
    this.#follow();
  }

  /** Milliseconds since it started: the time of its engine and its faults. */
  get nowMs(): number {
    return this.#parts.clock.nowMs() - this.#startedAtMs;
  }

  get wallMs(): number {
    return this.#parts.clock.wallMs();
  }

  get condition(): Condition {
    return this.#condition;
  }

  get engine(): Own {
    return this.#engine;
  }

  /** When it must end, of `nowMs`, if it has been told so. */
  get noticeAtMs(): number | null {
    return this.#script.noticeAt(this.nowMs);
  }

  /** What becomes of a request that comes now. */
  fate(): Fate {
    return this.#script.fateAt(this.nowMs);
  }

  /** To be called when something was asked of the engine. */
  rearm(): void {
    this.#pulse.rearm();
  }

  /** Begins anew: time, chance, faults, and nothing in it. With the same seed all comes as it did before. */
  restart(seed = this.#seed): void {
    this.#seed = seed;
    this.#startedAtMs = this.#parts.clock.nowMs();
    this.#script = this.#newScript();
    this.#empty();
    this.#follow();
  }

  close(): void {
    this.#pulse.close();
    this.#nextChange?.cancel();
  }

  #newScript(): FaultScript {
    // Faults have a generator of their own, so that a script changes no service time.
    const rng: Rng = seededRng(this.#seed + 1);
    return new FaultScript(this.#parts.settings.faults, rng);
  }

  #newPulse(): Pulse {
    const { clock } = this.#parts;
    const startedAtMs = this.#startedAtMs;
    return new Pulse(
      { nowMs: () => clock.nowMs() - startedAtMs, after: (delayMs, call) => clock.after(delayMs, call) },
      this.#engine,
    );
  }

  #empty(): void {
    this.#pulse.close();
    this.#engine = this.#parts.newEngine(this.#script.pace, this.#seed);
    this.#pulse = this.#newPulse();
    this.onEmptied();
  }

  /** Takes on the condition that its script says, and comes back when that may change. */
  #follow(): void {
    this.#nextChange?.cancel();
    const { nowMs } = this;
    const next = this.#script.changesAtMs.find((atMs) => atMs > nowMs);
    this.#nextChange = next === undefined ? null : this.#parts.clock.after(next - nowMs, () => this.#follow());
    const condition = this.#script.conditionAt(nowMs);
    if (condition === this.#condition) return;
    this.#condition = condition;
    if (condition === 'dead') this.#empty();
    this.onCondition(condition);
  }
}

/** A tensor server on a clock. */
export function tensorServer(settings: TensorSettings, clock: Clock, seed: number): SimulatedServer<TensorEngine> {
  const { slots, maxQueue, service } = settings;
  const workTime = workTimeOf(service);
  const newEngine = (pace: Pace, from: number): TensorEngine =>
    new TensorEngine({ slots, maxQueue, workTime, pace, rng: seededRng(from) });
  return new SimulatedServer({ settings, clock, seed, newEngine });
}

/** An LLM server on a clock. */
export function llmServer(settings: LlmSettings, clock: Clock, seed: number): SimulatedServer<LlmEngine> {
  const { latency, blockTokens, isCachingPrefixes, maxQueue } = settings;
  const newEngine = (pace: Pace, from: number): LlmEngine =>
    new LlmEngine({ ...latency, blockTokens, isCachingPrefixes, maxQueue, pace, seed: from });
  return new SimulatedServer({ settings, clock, seed, newEngine });
}
