import type { Clock } from '../kernel/clock.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Flight } from './flight.ts';
import type { FlightMember } from './flight-member.ts';

/** Makes of an answer that was computed for somebody else the one that an exchange gets: with its own id, and as a stream or not, as it asked. */
export type Render = (reply: Reply, exchange: Exchange) => Reply;

/** What all flights of a process have in common. */
export interface FlightParts {
  readonly clock: Clock;
  readonly room: BufferRoom;
  /** Kept of one answer, for those who come late or read slowly. */
  readonly maxBytes: number;
  readonly render: Render;
  readonly counts: FlightCounts;
  /** Nobody may join it any more. May be called again. */
  onClosed(flight: Flight): void;
  /** Nor would those be any better off that join the next one of its key. */
  onUnshareable(flight: Flight): void;
  /** Before it had an answer; these wait for another. */
  onDied(flight: Flight, heirs: readonly FlightMember[]): void;
  /** Its computation has ended. */
  onComputed(flight: Flight): void;
}

/** Computations under way; those who wait for one or read its answer; and how many have ever joined one that was begun already. */
export interface FlightCounts {
  underWay: number;
  members: number;
  followers: number;
}
