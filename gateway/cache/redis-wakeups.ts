import type { Redis } from 'ioredis';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import type { RedisLink } from './redis-link.ts';

interface Options {
  readonly link: RedisLink;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Hears what is published on a channel; null where something may have been missed until now. */
type Hear = (message: string | null) => void;

/** One that is watched, and whether Redis is known to pass on what is published there. */
interface Channel {
  readonly listeners: Set<Hear>;
  isLive: boolean;
}

const reconnectAfterMs = 500;

/** What gateways publish in Redis, heard over one connection of its own; it is made when somebody first listens, and again after it broke while somebody does. */
export class RedisWakeups {
  readonly #options: Options;
  readonly #channels = new Map<string, Channel>();
  #connection: Redis | null = null;
  #retry: Timer | null = null;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Hears null when it is sure to hear what comes, at once where it is already, and when that is no longer so. Gives what ends it. */
  watch(name: string, hear: Hear): () => void {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { listeners: new Set(), isLive: false };
      this.#channels.set(name, channel);
      this.#subscribe([name]);
    }
    const { listeners, isLive } = channel;
    listeners.add(hear);
    if (isLive) hear(null);
    return () => {
      if (listeners.delete(hear) && listeners.size === 0) this.#leave(name);
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#channels.clear();
    this.#retry?.cancel();
    this.#connection?.disconnect();
  }

  #subscribe(names: readonly string[]): void {
    if (this.#connection === null) this.#connect();
    else if (names.length > 0 && this.#connection.status === 'ready') {
      const channels = names.flatMap((name) => this.#channels.get(name) ?? []);
      this.#connection.subscribe(...names).then(() => tell(channels, true), ignore);
    }
  }

  #leave(name: string): void {
    this.#channels.delete(name);
    if (this.#connection?.status === 'ready') this.#connection.unsubscribe(name).catch(ignore);
  }

  #connect(): void {
    if (this.#isClosed || this.#retry !== null) return;
    const connection = this.#options.link.newListener();
    if (connection === null) {
      this.#connectLater();
      return;
    }
    this.#connection = connection;
    connection.on('error', ignore);
    connection.on('ready', () => this.#subscribe([...this.#channels.keys()]));
    connection.on('message', (name: string, message: string) => this.#pass(name, message));
    connection.on('end', () => this.#lost());
    connection.connect().catch(ignore);
  }

  #pass(name: string, message: string): void {
    for (const hear of [...(this.#channels.get(name)?.listeners ?? [])]) hear(message);
  }

  #lost(): void {
    this.#connection = null;
    this.#connectLater();
    tell([...this.#channels.values()], false);
  }

  #connectLater(): void {
    if (this.#isClosed || this.#channels.size === 0) return;
    const { clock, rng } = this.#options;
    this.#retry = clock.after(reconnectAfterMs * (0.5 + rng.next() / 2), () => {
      this.#retry = null;
      if (this.#channels.size > 0) this.#connect();
    });
  }
}

function tell(channels: readonly Channel[], isLive: boolean): void {
  for (const channel of channels) {
    channel.isLive = isLive;
    for (const hear of [...channel.listeners]) hear(null);
  }
}

function ignore(): void {}
