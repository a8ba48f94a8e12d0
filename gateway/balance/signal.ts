import type { BoardSlot } from '../kernel/load-board.ts';
import type { Work } from './work.ts';

/** How a try ended, as the replica's meter and gate are told. `refused` is the replica's own no (429, 503); `abandoned` is ours and blames nobody. */
export type Outcome = 'succeeded' | 'failed' | 'refused' | 'abandoned';

/** A way to put a price on sending one more request to a replica. Signals price, policies pick; neither knows of health, retries or HTTP. */
export interface LoadSignal {
  readonly name: string;
  /** What the price counts; prices in different units are never compared. */
  readonly unit: 'requests' | 'tokens' | 'ms';
  newMeter(slot: BoardSlot): LoadMeter;
}

/** One replica's price, kept up to date by the tickets of the requests it has. */
export interface LoadMeter {
  /** The price of giving this work to the replica now. Finite, and at least 0. */
  costOf(work: Work): number;
  begin(work: Work): Ticket;
}

/** One request's part in a meter, from lease to last byte. When all tickets have settled, the meter costs what it cost before them. */
export interface Ticket {
  firstByte(): void;
  settle(as: Outcome): void;
}
