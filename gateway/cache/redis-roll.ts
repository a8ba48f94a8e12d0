import type { Roll, RollAnswer } from './gateway-count.ts';
import { LuaScript } from './lua-script.ts';
import type { RedisLink } from './redis-link.ts';

interface Options {
  readonly link: RedisLink;
  /** What all names in Redis begin with. */
  readonly prefix: string;
}

const callScript = new LuaScript('call-roll');

/** The roll of gateways in Redis: a sorted set of names by when each was last seen. */
export class RedisRoll implements Roll {
  readonly #link: RedisLink;
  readonly #name: string;

  constructor({ link, prefix }: Options) {
    this.#link = link;
    this.#name = `${prefix}gateways`;
  }

  call(name: string, goneAfterMs: number): undefined | Promise<RollAnswer | undefined> {
    return this.#link
      .ask((client) => callScript.run(client, this.#name, name, goneAfterMs))
      ?.then((said) => (said === undefined ? undefined : this.#read(said)));
  }

  leave(name: string): undefined | Promise<unknown> {
    return this.#link.ask((client) => client.zrem(this.#name, name));
  }

  #read(said: unknown): RollAnswer | undefined {
    if (Array.isArray(said)) {
      const [gateways, isNew]: unknown[] = said;
      if (typeof gateways === 'number' && Number.isSafeInteger(gateways) && gateways >= 1)
        return { gateways, isNew: isNew === 1 };
    }
    this.#link.faults.publish('junk');
    return undefined;
  }
}
