import type { LoadReport } from '../load-report.ts';
import type { LoadMeter, LoadSignal, MeterPlace, Outcome, Ticket } from '../signal.ts';
import type { Work } from '../work.ts';
import { Occupancy } from './occupancy.ts';
import { Progress } from './progress.ts';
import { Reliability } from './reliability.ts';
import { SampleMean } from './sample-mean.ts';
import { UsualTime } from './usual-time.ts';

/** One that has answered nothing for so long, and has nothing to answer, is given another chance: half of what it was known to take. */
const halfLifeMs = 10_000;

/**
 * The price of a replica is how long a request would take there: its service time, times what would then be in it for each slot where that is
 * more than one, times what failures add. Of replicas with free slots the emptier is cheaper, up to half: it has less to lose should it slow down.
 */
export const expectedCompletion: LoadSignal = {
  name: 'expected-completion',
  unit: 'ms',
  newMeter: (place) => new CompletionMeter(place, (fullness) => Math.max(1, fullness) * (1 + Math.min(1, fullness))),
};

/** The same in its plain form: the service time times what would be in it for each slot (shortest expected delay). */
export const shortestExpected: LoadSignal = {
  name: 'shortest-expected',
  unit: 'ms',
  newMeter: (place) => new CompletionMeter(place, (fullness) => fullness),
};

/** By how much a service time is multiplied where so many requests would be there for each slot. */
type Queueing = (fullness: number) => number;

/** Of what is done there once all before it is. */
const waitingOnly: Queueing = (fullness) => Math.max(1, fullness);

/** As long as nothing begins or ends at a replica, its price changes slowly: many requests in one millisecond find it made. */
const priceLastsMs = 1;

/** A request that takes so many times as long as its answer takes to begin is a stream. */
const heldBeyond = 2;
const heldShare = 0.03;

/** So many have ended there one after the other without a good answer: what it is good for is not known. */
const enoughFruitless = 3;
const fruitlessMs = 1_000;

class CompletionMeter implements LoadMeter {
  readonly place: MeterPlace;
  readonly occupancy: Occupancy;
  readonly usualTime: UsualTime;
  readonly progress = new Progress();
  /** The same by the slots that the replica seems to have, where nobody says: for picks in which others' are known. */
  readonly seemingProgress = new Progress();
  readonly reliability = new Reliability();
  answeredAtMs: number;
  /** From sending to the first byte, and to the last. */
  readonly awaitedMs = new SampleMean(heldShare);
  readonly heldMs = new SampleMean(heldShare);
  /** Requests that ended since the last good answer, without one. */
  fruitless = 0;
  readonly #queueing: Queueing;
  #price = 0;
  #pricedRows = 0;
  #pricedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(place: MeterPlace, queueing: Queueing) {
    this.place = place;
    this.occupancy = new Occupancy(place);
    this.usualTime = new UsualTime(place.clock, (toldMs, measuredMs) => place.doubtServiceTime(toldMs, measuredMs));
    this.answeredAtMs = place.clock.nowMs();
    this.#queueing = queueing;
  }

  /** A replica of unknown slots is taken to work on one at a time: that is never too few, and makes all of them dearer alike. */
  get slots(): number {
    return this.place.slots ?? 1;
  }

  /** Asked of all replicas with each request: it looks at nothing but the meter itself where nothing has changed. */
  costOf(work: Work, nowMs: number): number {
    if (nowMs < this.#pricedUntilMs && work.rows === this.#pricedRows) return this.#price;
    this.#price = this.#costBy(this.#queueing, unitsOf(work), nowMs);
    this.#pricedRows = work.rows;
    this.#pricedUntilMs = nowMs + priceLastsMs;
    return this.#price;
  }

  doneInMs(work: Work, nowMs: number): number | null {
    if (!this.usualTime.isKnown || this.isHeldBeyondAnswers) return null;
    return this.#costBy(waitingOnly, unitsOf(work), nowMs);
  }

  /** Requests stay long after their answers have begun, as streams do, or have not ended yet: when the next one ends says little of how long answers take. */
  get isHeldBeyondAnswers(): boolean {
    return !this.heldMs.isKnown || this.heldMs.mean > heldBeyond * this.awaitedMs.mean;
  }

  /** Something has begun, come or ended, or it is compared with others: the price is another. */
  reprice(): void {
    this.#pricedUntilMs = Number.NEGATIVE_INFINITY;
  }

  begin(work: Work): Ticket {
    return new CompletionTicket(unitsOf(work), this);
  }

  #costBy(queueing: Queueing, units: number, nowMs: number): number {
    const isSeeming = this.place.isBesideKnown && this.place.slots === null;
    const slots = isSeeming ? this.place.slotsEstimated : this.slots;
    const progress = isSeeming ? this.seemingProgress : this.progress;
    const fullness = this.occupancy.withMore(units, nowMs) / slots;
    const serviceMs = this.#serviceMs(progress.correct(this.#knownMs, slots, nowMs), nowMs);
    return serviceMs * queueing(fullness) * this.reliability.factor(nowMs);
  }

  #serviceMs(corrected: number, nowMs: number): number {
    const idleMs = nowMs - this.answeredAtMs;
    if (idleMs <= halfLifeMs || !this.occupancy.isEmpty) return corrected;
    return corrected * 2 ** -Math.floor(idleMs / halfLifeMs);
  }

  /** One that has answered nothing yet costs nothing while it is empty, so that it is tried, and little until then; but one that was tried in vain must not draw all that comes. */
  get #knownMs(): number {
    if (this.usualTime.isKnown) return this.usualTime.steppedMs;
    if (this.fruitless >= enoughFruitless) return fruitlessMs;
    return this.occupancy.isEmpty ? 0 : 1;
  }
}

/** What a request counts of a replica's time: its rows, and one where it has none. */
function unitsOf({ rows }: Work): number {
  return Math.max(1, rows);
}

class CompletionTicket implements Ticket {
  readonly #meter: CompletionMeter;
  readonly #units: number;
  readonly #sentAtMs: number;
  /** What it finds, as a multiple of being served at once. */
  readonly #waitFactor: number;
  /** Where nobody says how many slots the replica has. */
  readonly #seeming: Progress | null;
  #isAwaited = true;

  constructor(units: number, meter: CompletionMeter) {
    const { place, occupancy, progress, slots } = meter;
    this.#meter = meter;
    this.#units = units;
    this.#sentAtMs = place.clock.nowMs();
    this.#waitFactor = place.slots === null ? 1 : Math.max(1, occupancy.withMore(units, this.#sentAtMs) / slots);
    meter.reprice();
    occupancy.begin(units);
    progress.begin(slots, this.#sentAtMs);
    this.#seeming = place.slots === null ? meter.seemingProgress : null;
    this.#seeming?.begin(place.slotsEstimated, this.#sentAtMs);
  }

  report({ serviceSeconds }: LoadReport): void {
    const { usualTime, occupancy } = this.#meter;
    this.#meter.reprice();
    if (serviceSeconds === null) return;
    const size = occupancy.sizeOf(this.#units);
    usualTime.tell((serviceSeconds * 1000) / size, (this.#meter.place.clock.nowMs() - this.#sentAtMs) / size);
  }

  firstByte(): void {
    const { usualTime, occupancy } = this.#meter;
    const nowMs = this.#endWait(true);
    this.#meter.answeredAtMs = nowMs;
    this.#meter.fruitless = 0;
    this.#meter.awaitedMs.add(nowMs - this.#sentAtMs);
    occupancy.learn(this.#units);
    usualTime.measure((nowMs - this.#sentAtMs) / this.#waitFactor / occupancy.sizeOf(this.#units));
  }

  settle(as: Outcome): void {
    const isFruitless = this.#isAwaited && (as === 'succeeded' || as === 'failed');
    const nowMs = this.#endWait(false);
    if (as === 'succeeded' && !isFruitless) this.#meter.heldMs.add(nowMs - this.#sentAtMs);
    if (isFruitless) this.#meter.fruitless += 1;
    if (isFruitless && !this.#meter.usualTime.isKnown) this.#meter.answeredAtMs = nowMs;
    this.#meter.occupancy.end(this.#units);
    this.#meter.reliability.settle(as, nowMs);
  }

  #endWait(isAnswered: boolean): number {
    const { place, progress, slots } = this.#meter;
    const nowMs = place.clock.nowMs();
    this.#meter.reprice();
    if (!this.#isAwaited) return nowMs;
    this.#isAwaited = false;
    progress.end(isAnswered, slots, nowMs);
    this.#seeming?.end(isAnswered, place.slotsEstimated, nowMs);
    return nowMs;
  }
}
