import type { ServerResponse } from 'node:http';
import { onTurn } from './break-connection.ts';
import type { Time } from './connection.ts';

/** How long a client that has stopped reading is given to take the last event. */
const lastEventMs = 5_000;

/** The bytes of an empty line behind another, at most. */
const longestBoundary = 4;

/** The end of a stream of events, as far as it tells whether an event is under way. */
export class StreamTail {
  #end: Uint8Array = Buffer.alloc(0);

  chunk(bytes: Uint8Array): void {
    this.#end = bytes.length < longestBoundary ? Buffer.concat([this.#end.subarray(-longestBoundary), bytes]) : bytes;
  }

  /** Whether what comes next begins a new event. */
  get isBetweenEvents(): boolean {
    const end = Buffer.from(this.#end.subarray(-longestBoundary)).toString('latin1');
    return end === '' || /(?:\r\n\r\n|\n\n|\r\r)$/.test(end);
  }
}

/**
 * Ends a stream that has broken off with one more event that says why, and then the connection without the last chunk that would make
 * the answer look whole. An event that was under way is ended first: glued to it, the last one could not be read.
 */
export function breakStream(
  outgoing: ServerResponse,
  event: Uint8Array,
  tail: StreamTail,
  { clock, wheel }: Time,
): void {
  if (!tail.isBetweenEvents) outgoing.write('\n\n');
  // Node gathers what is written in one turn: closed before the next, the socket would never see it.
  outgoing.write(event, () => outgoing.socket?.destroySoon());
  onTurn(outgoing, (socket) => {
    const alarm = wheel.arm(clock.nowMs() + lastEventMs, () => socket.destroy());
    outgoing.once('close', () => alarm.disarm());
  });
}
