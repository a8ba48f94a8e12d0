import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** One of the scripts in lua/, which Redis runs in one step. Each is about one key. */
export class LuaScript {
  readonly #text: string;
  readonly #sha1: string;

  constructor(name: string) {
    this.#text = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
    this.#sha1 = hash('sha1', this.#text);
  }

  /** What it gives. Only to a Redis that does not know it, not yet or no longer, it is sent whole. */
  async run(client: Redis | Cluster, key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#sha1, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(this.#text, 1, key, ...args);
    }
  }
}
