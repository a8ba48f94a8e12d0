import { connect } from 'node:net';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { Peer } from './peer.ts';
import { streamOf } from './workloads.ts';

/** Streams at 20 events a second; a gap ten times as long as it should be is one that a reader notices. */
const stallMs = 500;

/** All are opened within this, one after the other. */
const openingMs = 1_000;
const holdMs = 3_000;

/** What was tried, in rising order, since what holds no more of one does not hold the next. */
export const heldCounts: readonly number[] = [256, 512, 1024, 2048, 4096];

/** How many streams a peer holds without a stall, of those that are tried; 0 where not even the fewest. */
export async function measureHeld(peer: Peer): Promise<number> {
  let held = 0;
  for (const count of heldCounts) {
    if (!(await holds(peer, count))) break;
    held = count;
  }
  return held;
}

/** Whether so many streams go on for a while without one that fails or stalls. */
async function holds(peer: Peer, count: number): Promise<boolean> {
  const request = streamOf(peer, 'slow');
  const streams: HeldStream[] = [];
  const stepMs = 10;
  for (let opened = 0; opened < count; await systemClock.sleep(stepMs)) {
    const next = Math.min(count, opened + Math.ceil((count * stepMs) / openingMs));
    for (; opened < next; opened++) streams.push(new HeldStream(peer.port, request));
  }
  await systemClock.sleep(holdMs);
  for (const stream of streams) stream.close();
  return streams.every(({ isWell }) => isWell);
}

/** One stream, and its longest silence. */
class HeldStream {
  #longestMs = 0;
  #lastAtMs = systemClock.nowMs();
  #hasFailed = false;
  #isOk = false;
  readonly #socket;

  constructor(port: number, request: Buffer) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(request));
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('error', () => this.#fail());
    this.#socket.on('end', () => this.#fail());
  }

  get isWell(): boolean {
    return this.#isOk && !this.#hasFailed && this.#longestMs < stallMs;
  }

  close(): void {
    this.#look();
    this.#socket.removeAllListeners('end').destroy();
  }

  #take(bytes: Buffer): void {
    if (!this.#isOk && bytes.toString('latin1', 0, 12) !== 'HTTP/1.1 200') this.#fail();
    this.#isOk = true;
    this.#look();
  }

  #look(): void {
    const nowMs = systemClock.nowMs();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastAtMs);
    this.#lastAtMs = nowMs;
  }

  #fail(): void {
    this.#hasFailed = true;
  }
}
