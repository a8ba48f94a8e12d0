import type { Clock } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import type { CacheKey } from './key.ts';
import type { Ending, LeaseName, Leases, Taken } from './leases.ts';
import { LuaScript } from './lua-script.ts';
import type { RedisLink } from './redis-link.ts';
import { RedisWakeups } from './redis-wakeups.ts';

interface Options {
  readonly link: RedisLink;
  /** What all names in Redis begin with. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly rng: Rng;
}

const takeScript = new LuaScript('take-lease');
const renewScript = new LuaScript('renew-lease');
const endScript = new LuaScript('end-lease');

/** Leases in Redis: a name that expires and holds its holder's token, and a channel of the same name. */
export class RedisLeases implements Leases {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #wakeups: RedisWakeups;

  constructor({ link, prefix, clock, rng }: Options) {
    this.#link = link;
    this.#prefix = prefix;
    this.#wakeups = new RedisWakeups({ link, clock, rng });
  }

  take({ key, token }: LeaseName, forMs: number): undefined | Promise<Taken | undefined> {
    return this.#ask(isTaken, takeScript, key, token, forMs);
  }

  renew({ key, token }: LeaseName, forMs: number): undefined | Promise<boolean | undefined> {
    return this.#ask(isBit, renewScript, key, token, forMs)?.then(toBoolean);
  }

  end({ key, token }: LeaseName, ending: Ending, rememberMs: number): undefined | Promise<boolean | undefined> {
    return this.#ask(isBit, endScript, key, token, ending, rememberMs)?.then(toBoolean);
  }

  watch(key: CacheKey, hear: (ending: Ending | null) => void): () => void {
    return this.#wakeups.watch(this.#nameOf(key), (message) => hear(isEnding(message) ? message : null));
  }

  close(): void {
    this.#wakeups.close();
  }

  #nameOf(key: CacheKey): string {
    return `${this.#prefix}lease:${key}`;
  }

  /** What is no answer to the question is none. */
  #ask<Answer>(
    isAnswer: (said: unknown) => said is Answer,
    script: LuaScript,
    key: CacheKey,
    ...args: (string | number)[]
  ): undefined | Promise<Answer | undefined> {
    const asked = this.#link.ask((client) => script.run(client, this.#nameOf(key), ...args));
    return asked?.then((said) => {
      if (said === undefined || isAnswer(said)) return said;
      this.#link.faults.publish('junk');
      return undefined;
    });
  }
}

function isTaken(said: unknown): said is Taken {
  return said === 'taken' || said === 'held' || said === 'unshareable';
}

function isEnding(said: unknown): said is Ending {
  return said === 'stored' || said === 'failed' || said === 'unshareable';
}

function isBit(said: unknown): said is 0 | 1 {
  return said === 0 || said === 1;
}

function toBoolean(bit: 0 | 1 | undefined): boolean | undefined {
  return bit === undefined ? undefined : bit === 1;
}
