import type { LoadMeter, LoadSignal, MeterPlace, Outcome, Ticket } from '../signal.ts';
import { SampleMean } from './sample-mean.ts';

/** All as in nginx (`least_time header inflight`, 1.31): how much one answer counts, how long a replica is left in peace before half of its time is forgotten, beyond what every time is the same, and by how much two must differ. */
const sampleShare = 0.05;
const halfLifeMs = 10_000;
const longestMs = 5_000;
const stepMs = 20;

/** The price of a replica is its mean time until the first byte, or the mean age of what is in flight where that is more, times what would be in flight. What it tells is not asked for. */
export const leastTime: LoadSignal = { name: 'least-time', unit: 'ms', newMeter: (place) => new LeastTimeMeter(place) };

class LeastTimeMeter implements LoadMeter {
  readonly #place: MeterPlace;
  readonly #mean = new SampleMean(sampleShare);
  #usedAtMs: number;
  #waiting = 0;
  #sentAtSumMs = 0;

  constructor(place: MeterPlace) {
    this.#place = place;
    this.#usedAtMs = place.clock.nowMs();
  }

  costOf(_work: unknown, nowMs: number): number {
    const ageMs = this.#waiting === 0 ? 0 : nowMs - this.#sentAtSumMs / this.#waiting;
    const idleMs = nowMs - this.#usedAtMs;
    const meanMs = idleMs < halfLifeMs ? this.#mean.mean : this.#mean.mean * 2 ** -Math.floor(idleMs / halfLifeMs);
    const steps = Math.max(1, Math.ceil(Math.min(longestMs, Math.max(meanMs, ageMs)) / stepMs));
    return steps * stepMs * (this.#place.slot.inFlight + 1);
  }

  begin(): Ticket {
    return new LeastTimeTicket(this.#place, this);
  }

  send(nowMs: number): void {
    this.#usedAtMs = nowMs;
    this.#waiting += 1;
    this.#sentAtSumMs += nowMs;
  }

  answered(latencyMs: number): void {
    this.#mean.add(latencyMs);
  }

  leave(sentAtMs: number): void {
    this.#waiting -= 1;
    // Sums of instants are not exact: with nothing there, nothing is left of them.
    this.#sentAtSumMs = this.#waiting === 0 ? 0 : this.#sentAtSumMs - sentAtMs;
  }
}

class LeastTimeTicket implements Ticket {
  readonly #place: MeterPlace;
  readonly #meter: LeastTimeMeter;
  readonly #sentAtMs: number;
  #isWaiting = true;

  constructor(place: MeterPlace, meter: LeastTimeMeter) {
    this.#place = place;
    this.#meter = meter;
    this.#sentAtMs = place.clock.nowMs();
    meter.send(this.#sentAtMs);
  }

  report(): void {}

  firstByte(): void {
    this.#stopWaiting();
    this.#meter.answered(this.#place.clock.nowMs() - this.#sentAtMs);
  }

  settle(_as: Outcome): void {
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#meter.leave(this.#sentAtMs);
  }
}
