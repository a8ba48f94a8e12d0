import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Time } from './connection.ts';

/** A rest this small is cheaper to read and forget than a new connection. */
const worthReadingBytes = 64 * 1024;
const lingerBytes = 1024 * 1024;
const lingerMs = 1000;

/** Whether a request still sends so much, or so unforeseeably much, that its connection must be closed after the answer. A smaller rest Node reads away by itself. */
export function mustCloseAfter(incoming: IncomingMessage): boolean {
  if (incoming.complete) return false;
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  return encoding !== undefined || (length !== undefined && Number(length) > worthReadingBytes);
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
