import type { Clock } from '../../kernel/clock.ts';
import type { LoadMeter, LoadSignal, MeterPlace, Ticket } from '../signal.ts';

/** As in Linkerd: how long a latency is remembered, and what is assumed of a replica that has answered nothing. */
const memoryMs = 10_000;
const unknownMs = 30;

/** The price of a replica is its latency until the first byte, which rises at once with a slow answer and falls slowly after it, times what would be in flight (Finagle's and Linkerd's peak EWMA). */
export const peakEwma: LoadSignal = { name: 'peak-ewma', unit: 'ms', newMeter: (place) => new PeakMeter(place) };

class PeakMeter implements LoadMeter {
  readonly #place: MeterPlace;
  #latencyMs = unknownMs;
  #seenAtMs: number;

  constructor(place: MeterPlace) {
    this.#place = place;
    this.#seenAtMs = place.clock.nowMs();
  }

  costOf(_work: unknown, nowMs: number): number {
    return this.#latencyMs * Math.exp((this.#seenAtMs - nowMs) / memoryMs) * (this.#place.slot.inFlight + 1);
  }

  begin(): Ticket {
    const { clock } = this.#place;
    const sentAtMs = clock.nowMs();
    return { report: () => {}, firstByte: () => this.#see(clock, sentAtMs), settle: () => {} };
  }

  #see(clock: Clock, sentAtMs: number): void {
    const nowMs = clock.nowMs();
    const kept = Math.exp((this.#seenAtMs - nowMs) / memoryMs);
    const latencyMs = nowMs - sentAtMs;
    this.#latencyMs = Math.max(latencyMs, this.#latencyMs * kept + latencyMs * (1 - kept));
    this.#seenAtMs = nowMs;
  }
}
