import type { Clock } from '../kernel/clock.ts';
import type { BoardSlot } from '../kernel/load-board.ts';
import type { LoadReport } from './load-report.ts';
import type { Work } from './work.ts';

/** How a try ended, as the replica's meter and gate are told. `refused` is the replica's own no (429, 503); `abandoned` is ours and blames nobody. */
export type Outcome = 'succeeded' | 'failed' | 'refused' | 'abandoned';

/** What a meter goes by besides the requests it is told of. */
export interface MeterPlace {
  readonly slot: BoardSlot;
  readonly clock: Clock;
  /** Requests the replica works on at once, as configured or as it reports; null where nobody says. */
  readonly slots: number | null;
  /** How many it seems to work on at once: at least 1. */
  readonly slotsEstimated: number;
  /** In the pick under way it is compared with replicas whose slots are known: where its own are not, it is priced by what they seem to be. */
  readonly isBesideKnown: boolean;
  /** Requests in it that this gateway did not send, as it told last; 0 where it told nothing of late. */
  othersInFlight(nowMs: number): number;
  /** The service times it tells cannot be, by how long its answers take: they are passed over. */
  doubtServiceTime(toldMs: number, measuredMs: number): void;
}

/** A way to put a price on sending one more request to a replica. Signals price, policies pick; neither knows of health, retries or HTTP. */
export interface LoadSignal {
  readonly name: string;
  /** What the price counts; prices in different units are never compared. */
  readonly unit: 'requests' | 'tokens' | 'ms';
  newMeter(place: MeterPlace): LoadMeter;
}

/** One replica's price, kept up to date by the tickets of the requests it has. */
export interface LoadMeter {
  /** The price of giving this work to the replica now, an instant of the clock's `nowMs`. Finite, and at least 0. */
  costOf(work: Work, nowMs: number): number;
  /** How long it takes until this work would be done there, behind what is there already; null where that is not known yet. Absent where the signal does not tell times. */
  doneInMs?(work: Work, nowMs: number): number | null;
  begin(work: Work): Ticket;
  /** What it goes by besides its own requests is another: no price it has given holds. Absent where it keeps none. */
  reprice?(): void;
}

/** One request's part in a meter, from lease to last byte. When all tickets have settled, the meter costs what it cost before them, but for what it has learned of answers that came. */
export interface Ticket {
  /** What came with the answer, before its first byte. */
  report(report: LoadReport): void;
  /** The first byte of a good answer. */
  firstByte(): void;
  settle(as: Outcome): void;
}
