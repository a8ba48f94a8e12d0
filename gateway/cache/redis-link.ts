import { Cluster, Redis } from 'ioredis';
import type { Clock } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import { afterPendingEvents } from '../kernel/system-clock.ts';
import { Topic } from '../kernel/topic.ts';
import { CommandBreaker } from './command-breaker.ts';

/** Why Redis was of no use: there is no connection; it did not answer in time; it failed a command; too much is under way to it already; it is not asked for a while; what it holds was not written by a gateway. */
export type RedisFault = 'away' | 'slow' | 'failed' | 'busy' | 'paused' | 'junk';

/** Where Redis is, and how long it may take. */
export interface RedisOptions {
  /** Of a cluster, some of its members. */
  readonly urls: readonly string[];
  readonly isCluster: boolean;
  /** The longest that anybody waits for one command. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Under way at once. What is not answered in time stays with the client and is answered later: this bounds what that may take. */
const mostCommands = 256;
const mostBytes = 8 * 1024 * 1024;

/** Without a byte for so long, a connection is given up that is waited for. */
const silentMs = 2_000;
const connectWithinMs = 1_000;
const longestReconnectMs = 1_000;

/** The connection to Redis, or to a cluster of them. Nothing waits longer for a command than it may, and whatever goes wrong is no answer. */
export class RedisLink {
  readonly faults = new Topic<RedisFault>();
  readonly #client: Redis | Cluster;
  readonly #waitMs: number;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #breaker: CommandBreaker;
  #commands = 0;
  #bytes = 0;
  #lastError: string | null = null;

  constructor(options: RedisOptions) {
    this.#waitMs = options.waitMs;
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.#breaker = new CommandBreaker(options.clock, options.rng);
    this.#client = options.isCluster ? newCluster(options) : newClient(options);
    this.#client.on('error', ({ message }: Error) => {
      this.#lastError = message;
    });
  }

  /** Why there is no connection, for people to read; null while there is one, or none has been tried to its end. */
  get whyAway(): string | null {
    return this.isConnected ? null : this.#lastError;
  }

  get isConnected(): boolean {
    return this.#client.status === 'ready';
  }

  /** The members that hold keys: the one there is, or the masters of a cluster. */
  get masters(): readonly Redis[] {
    return this.#client instanceof Redis ? [this.#client] : this.#client.nodes('master');
  }

  /** What Redis answers to a command that takes `sizeBytes` to send; undefined where it does not, at once where it is not asked. */
  ask<T>(command: (client: Redis | Cluster) => Promise<T>, sizeBytes = 0): undefined | Promise<T | undefined> {
    const fault = this.#whyNot(sizeBytes);
    if (fault === null) return this.#send(command, sizeBytes);
    this.faults.publish(fault);
    return undefined;
  }

  /** A connection of its own to one of the members, for hearing what is published: not made yet, and not made again once it ends. Null where no member is known. */
  newListener(): Redis | null {
    const { masters } = this;
    const master = masters[this.#rng.below(masters.length)];
    return master?.duplicate({ lazyConnect: true, autoResubscribe: false, retryStrategy: () => null }) ?? null;
  }

  close(): void {
    this.#client.disconnect();
  }

  #whyNot(sizeBytes: number): RedisFault | null {
    if (!this.isConnected) return 'away';
    if (this.#commands >= mostCommands || this.#bytes + sizeBytes > mostBytes) return 'busy';
    return this.#breaker.enter() ? null : 'paused';
  }

  #send<T>(command: (client: Redis | Cluster) => Promise<T>, sizeBytes: number): Promise<T | undefined> {
    this.#commands += 1;
    this.#bytes += sizeBytes;
    // The client throws at once where it knows no member for a key.
    const answer = Promise.try(command, this.#client).finally(() => {
      this.#commands -= 1;
      this.#bytes -= sizeBytes;
    });
    return this.#inTime(answer);
  }

  #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      let isWaitedFor = true;
      const end = (fault: RedisFault | null, isThere: boolean, value?: T): void => {
        if (!isWaitedFor) return;
        isWaitedFor = false;
        timer.cancel();
        if (isThere) this.#breaker.succeeded();
        else this.#breaker.failed();
        if (fault !== null) this.faults.publish(fault);
        resolve(value);
      };
      // What came in time may still be unread, where this process itself was held up.
      const timer = this.#clock.after(this.#waitMs, () => afterPendingEvents(() => end('slow', false)));
      answer.then(
        (value) => end(null, true, value),
        // One that says no is there, and quick.
        (error: unknown) => end('failed', isReply(error)),
      );
    });
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** What is lost with a connection is not sent again: nobody waits for it any more. */
function connectionOptions({ rng }: RedisOptions) {
  return {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectWithinMs,
    socketTimeout: silentMs,
    disableClientInfo: true,
    retryStrategy: reconnectAfterMs(rng),
  };
}

function reconnectAfterMs(rng: Rng): (attempt: number) => number {
  return (attempt) => Math.min(longestReconnectMs, 25 * 2 ** attempt) * (0.5 + rng.next() / 2);
}

function newClient(options: RedisOptions): Redis {
  const [url = ''] = options.urls;
  return new Redis(url, connectionOptions(options));
}

function newCluster(options: RedisOptions): Cluster {
  return new Cluster([...options.urls], {
    redisOptions: connectionOptions(options),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: reconnectAfterMs(options.rng),
    slotsRefreshTimeout: connectWithinMs,
    // What a command is given is over before a second detour would be.
    maxRedirections: 2,
  });
}
