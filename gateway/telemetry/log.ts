import { constants, fstatSync, openSync } from 'node:fs';
import pino, { type Logger } from 'pino';
import { errorTable } from '../kernel/errors.ts';
import { afterPendingEvents, systemClock } from '../kernel/system-clock.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { exchangeLine } from './exchange-line.ts';

/** Takes lines for people who run the gateway, each a few facts and a word of what happened. */
export type Log = Logger;

interface Options {
  readonly level: string;
  /** A path, or a file descriptor such as 1 for standard output. */
  readonly destination: string | number;
  /** Says which process a line comes from. */
  readonly name: string;
}

/** A log that writes lines of JSON in batches, and what is left when it is flushed. */
export interface LogOutput {
  readonly log: Log;
  /** Writes a line whose fields are JSON already, for lines that come with every request. */
  line(level: 'info' | 'warn', fields: string, message: string): void;
  /** Resolves when everything has been written, or after a moment where nobody takes it: the log is then closed. */
  flush(): Promise<void>;
}

/** One write for some hundred lines: each write is handed to another thread, which costs as much as forming ten lines. */
const batchBytes = 64 * 1024;
const flushEveryMs = 250;

/** Held while a slow reader keeps lines from being written; beyond it lines are dropped. */
const mostHeldBytes = 16 * 1024 * 1024;

/** An end does not wait longer for a reader that reads no more. */
const flushWithinMs = 500;

/** Opens a log on a file or descriptor. Writing never fails and never waits: what nobody takes is dropped. */
export function openLog({ level, destination, name }: Options): LogOutput {
  const output = pino.destination({
    dest: withoutWaiting(destination),
    sync: false,
    contentMode: 'buffer',
    minLength: batchBytes,
    maxWrite: 2 * batchBytes,
    maxLength: mostHeldBytes,
    periodicFlush: flushEveryMs,
  });
  // Nobody reads any more, or the disk is full: requests go on without a log.
  output.on('error', () => {});
  // Bytes rather than text: joining text, the library measures all it holds with every line. Its types know text only.
  const { write, pass } = gathering(output as unknown as { write(lines: Buffer): void });
  const log = pino({ level, base: { name } }, { write });
  return {
    log,
    line(lineLevel, fields, message) {
      if (!log.isLevelEnabled(lineLevel)) return;
      write(
        `{"level":${log.levels.values[lineLevel]},"time":${systemClock.wallMs()},"name":"${name}",${fields},"msg":"${message}"}\n`,
      );
    },
    async flush() {
      pass();
      const written = new Promise<boolean>((resolve) => output.flush(() => resolve(true)));
      const isWritten = await Promise.race([written, systemClock.sleep(flushWithinMs)]);
      // Else the library would try for ever when the process exits.
      if (isWritten !== true) output.destroy();
    },
  };
}

/** Joins the lines of one turn of the event loop: bytes are made of them together, at a fraction of the cost. `pass` hands on what there is. */
function gathering(output: { write(lines: Buffer): void }): { write(text: string): void; pass(): void } {
  let pending = '';
  const pass = (): void => {
    if (pending === '') return;
    const lines = Buffer.from(pending);
    pending = '';
    output.write(lines);
  };
  const write = (text: string): void => {
    if (pending === '') afterPendingEvents(pass);
    pending += text;
  };
  return { write, pass };
}

/**
 * A pipe that nobody reads would hold up a write for ever, and the thread that writes, and with it the end of the process. Opened
 * anew it can say instead that it is full. Where that cannot be done (no /proc, not our pipe) it is taken as it is.
 */
function withoutWaiting(destination: string | number): string | number {
  if (typeof destination === 'string' || !fstatSync(destination).isFIFO()) return destination;
  try {
    return openSync(`/proc/self/fd/${destination}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return destination;
  }
}

/** One line an exchange, with what its journal learned. Failures that are not the client's are warnings. */
export function logExchanges(output: Pick<LogOutput, 'line'>, settled: Topic<Exchange>): void {
  settled.subscribe((exchange) => {
    const { code, status } = exchange.journal;
    const isWell = code === 'ok' ? status < 500 : errorTable[code].blame === 'client';
    output.line(isWell ? 'info' : 'warn', exchangeLine(exchange), 'exchange');
  });
}
