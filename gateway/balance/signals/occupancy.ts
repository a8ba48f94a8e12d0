import type { MeterPlace } from '../signal.ts';
import { SampleMean } from './sample-mean.ts';

/** What is a usual request changes slowly. */
const sampleShare = 0.01;

/** How full a replica is, counted in usual requests: one of twice the rows counts twice. Our own are known to the moment, those of others as the replica told last. */
export class Occupancy {
  readonly #place: MeterPlace;
  readonly #usual = new SampleMean(sampleShare);
  #units = 0;

  constructor(place: MeterPlace) {
    this.#place = place;
  }

  get isEmpty(): boolean {
    return this.#units === 0;
  }

  begin(units: number): void {
    this.#units += units;
  }

  end(units: number): void {
    this.#units -= units;
  }

  /** A request of so many units was answered. */
  learn(units: number): void {
    this.#usual.add(units);
  }

  /** How many usual requests one of so many units is. */
  sizeOf(units: number): number {
    return this.#usual.isKnown ? units / this.#usual.mean : 1;
  }

  /** What it would hold with so many units more, others' requests included. */
  withMore(units: number, nowMs: number): number {
    const usual = this.#usual.isKnown ? this.#usual.mean : units;
    return (this.#units + units) / usual + this.#place.othersInFlight(nowMs);
  }
}
