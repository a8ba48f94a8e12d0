import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Time } from './connection.ts';

/** A rest this small is cheaper to read and forget than a new connection. */
const worthReadingBytes = 64 * 1024;
const lingerBytes = 1024 * 1024;
const lingerMs = 1000;

/**
 * Whether the connection must be closed after the answer, and the rest of the request read before: where that rest may be large, and
 * where the connection is not kept anyway. A small rest on one that is kept Node reads away by itself.
 */
export function mustLinger(incoming: IncomingMessage, { shouldKeepAlive }: ServerResponse): boolean {
  return unreadBytes(incoming) > (shouldKeepAlive ? worthReadingBytes : 0);
}

/** How much a request may still send at most. */
function unreadBytes({ complete, headers }: IncomingMessage): number {
  if (complete) return 0;
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
  return Number(headers['content-length'] ?? 0);
}

/**
 * Ends an answer that was given before its request had come in whole. Closing at once would reset the connection under a client that
 * still sends, and the client would see the reset instead of the answer: so a bounded part of the rest is read first.
 */
export function lingerThenEnd(incoming: IncomingMessage, outgoing: ServerResponse, { clock, wheel }: Time): void {
  let leftBytes = lingerBytes;
  const alarm = wheel.arm(clock.nowMs() + lingerMs, () => end());
  const onData = (chunk: Buffer): void => {
    leftBytes -= chunk.length;
    if (leftBytes < 0) end();
  };
  const end = (): void => {
    alarm.disarm();
    incoming.off('data', onData);
    outgoing.end();
  };
  if (incoming.readableEnded) {
    end();
    return;
  }
  incoming.once('end', end);
  incoming.once('error', end);
  incoming.on('data', onData);
  incoming.resume();
}
