import type { ReplicaState } from '../balance/replica-state.ts';
import type { ReportFaultKind } from '../balance/report-faults.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Body } from '../pipeline/reply.ts';
import { askReplica, whyNoAnswer } from './ask-replica.ts';
import { type Dialect, readPage } from './dialects/dialect.ts';
import type { Reachable, Transport } from './transport.ts';

interface Options {
  /** Where the page is. */
  readonly at: Reachable;
  readonly path: string;
  /** Gets what the page says. */
  readonly state: Pick<ReplicaState, 'takeReport' | 'reportFaults'>;
  readonly dialect: Dialect;
  readonly everyMs: number;
  /** Where in the interval, or in its first second, its asking falls, so that not all replicas are asked at once: 0 to 1. */
  readonly phaseShare: number;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Told once when the page fails to tell anything, with what is wrong; and with null when it does again. */
  tell(trouble: string | null): void;
}

/** What a page says later than this holds no longer. */
const timeoutMs = 1_000;

/** Where pages are read seldom, the first is not waited for as long as the next. */
const firstWithinMs = 1_000;

/** Far beyond the pages of servers: one without end must not be held. */
const mostBytes = 4 * 1024 * 1024;

/** One late page under load is nobody's news. */
const failuresToTell = 3;

interface Trouble {
  readonly kind: ReportFaultKind;
  readonly what: string;
}

/** Reads one replica's load off its metrics page, over and over, one page at a time. */
export class Scraper {
  readonly #options: Options;
  /** Of the page that is being read, or waited for; null while stopped. */
  #cancellation: Cancellation | null = null;
  #timer: Timer | null = null;
  #failuresInARow = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Begins, where it has not. */
  start(): void {
    if (this.#cancellation !== null) return;
    const { everyMs, phaseShare } = this.#options;
    const cancellation = new Cancellation();
    this.#cancellation = cancellation;
    this.#scrapeIn(Math.min(everyMs, firstWithinMs) * phaseShare, cancellation);
  }

  /** Asks no more; what is under way is given up. */
  stop(): void {
    this.#timer?.cancel();
    this.#cancellation?.cancel(new GatewayError('superseded', 'nobody waits for the metrics page any more'));
    this.#cancellation = null;
  }

  close(): void {
    this.stop();
  }

  #scrapeIn(delayMs: number, cancellation: Cancellation): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.#scrape(cancellation));
  }

  async #scrape(cancellation: Cancellation): Promise<void> {
    const { clock, everyMs } = this.#options;
    const startedAtMs = clock.nowMs();
    const trouble = await this.#read(cancellation);
    if (cancellation.reason !== null) return;
    this.#judge(trouble);
    // A page that takes longer than the interval is waited for, and leaves out what it has missed.
    this.#scrapeIn(everyMs - ((clock.nowMs() - startedAtMs) % everyMs), cancellation);
  }

  /** Hands on what the page says; gives what is wrong with it, or null. */
  async #read(cancellation: Cancellation): Promise<Trouble | null> {
    const { at, path, state, dialect, transport, clock } = this.#options;
    let page: string;
    try {
      const { status, body } = await askReplica(at, transport, { path, timeoutMs, cancellation, clock });
      if (status !== 200) {
        body.discard();
        return unreachable(`status ${status}`);
      }
      page = await textOf(body);
    } catch (thrown) {
      return unreachable(whyNoAnswer(thrown));
    }
    if (cancellation.reason !== null) return null;
    const { report, isOfDialect } = readPage(page, dialect, state.reportFaults);
    if (report !== null) state.takeReport(report, 'scrape');
    return isOfDialect ? null : { kind: 'page_unknown', what: 'there is no metric of its dialect on it' };
  }

  #judge(trouble: Trouble | null): void {
    if (trouble === null) {
      if (this.#failuresInARow >= failuresToTell) this.#options.tell(null);
      this.#failuresInARow = 0;
      return;
    }
    this.#options.state.reportFaults.count(trouble.kind);
    this.#failuresInARow += 1;
    if (this.#failuresInARow === failuresToTell) this.#options.tell(trouble.what);
  }
}

function unreachable(what: string): Trouble {
  return { kind: 'page_unreachable', what };
}

/** The whole of a body. One letter a byte: what is read of it is ASCII. */
function textOf(body: Body): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  return new Promise((resolve, reject) => {
    body.pump({
      chunk(bytes) {
        pieces.push(bytes);
        sizeBytes += bytes.length;
        if (sizeBytes <= mostBytes) return true;
        reject(new Error(`it is over ${mostBytes} bytes`));
        body.discard();
        return false;
      },
      onDrain: () => {},
      end(how, why) {
        if (how === 'complete') resolve(Buffer.concat(pieces).toString('latin1'));
        else reject(why ?? new Error('it broke off'));
      },
    });
  });
}
