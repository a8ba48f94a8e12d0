import type { Clock } from '../kernel/clock.ts';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import { usableUntilMs } from './freshness.ts';
import { type CacheKey, isAmong, type Keys, patternOf } from './key.ts';
import type { RedisLink } from './redis-link.ts';
import type { CacheEntry, CacheStore } from './store.ts';

interface Options {
  readonly link: RedisLink;
  /** What all names in Redis begin with. */
  readonly prefix: string;
  /** The longest value that is read; what is longer is none of ours. */
  readonly maxEntryBytes: number;
  readonly clock: Clock;
}

/** Names that are asked for at once, and let go at once, in a purge. */
const batch = 100;

/** Answers in Redis, where all gateways find them. */
export class RedisStore implements CacheStore {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  get(key: CacheKey): null | Promise<CacheEntry | null> {
    const { link, maxEntryBytes } = this.#options;
    const asked = link.ask((client) => client.getrangeBuffer(this.#nameOf(key), 0, maxEntryBytes));
    return asked === undefined ? null : asked.then((bytes) => (bytes === undefined ? null : this.#read(key, bytes)));
  }

  async put(key: CacheKey, entry: CacheEntry): Promise<void> {
    const { link, clock, maxEntryBytes } = this.#options;
    const leftMs = Math.ceil(usableUntilMs(entry.freshness) - clock.wallMs());
    const bytes = encodeEntry(key, entry);
    if (leftMs <= 0 || bytes.length > maxEntryBytes) return;
    await link.ask((client) => client.set(this.#nameOf(key), bytes, 'PX', leftMs), bytes.length);
  }

  async purge(keys: Keys): Promise<number | null> {
    if (keys.key !== undefined) return isAmong(keys.key, keys) ? this.#unlink([this.#nameOf(keys.key)]) : 0;
    const { masters } = this.#options.link;
    if (masters.length === 0) return null;
    let count = 0;
    for (const master of masters) {
      let cursor = '0';
      do {
        const found = await this.#options.link.ask(() =>
          master.scan(cursor, 'MATCH', globOf(this.#options.prefix) + patternOf(keys), 'COUNT', 10 * batch),
        );
        if (found === undefined) return null;
        const gone = await this.#unlink(found[1]);
        if (gone === null) return null;
        count += gone;
        [cursor] = found;
      } while (cursor !== '0');
    }
    return count;
  }

  close(): void {
    this.#options.link.close();
  }

  #nameOf(key: CacheKey): string {
    return this.#options.prefix + key;
  }

  #read(key: CacheKey, bytes: Buffer): CacheEntry | null {
    if (bytes.length === 0) return null;
    const { link, clock } = this.#options;
    const entry = decodeEntry(key, bytes);
    if (entry === null) link.faults.publish('junk');
    return entry === null || usableUntilMs(entry.freshness) <= clock.wallMs() ? null : entry;
  }

  /** One by one: the members of a cluster refuse names of several slots in one command. */
  async #unlink(names: readonly string[]): Promise<number | null> {
    let count = 0;
    for (let from = 0; from < names.length; from += batch) {
      const asked = names
        .slice(from, from + batch)
        .map((name) => this.#options.link.ask((client) => client.unlink(name)));
      for (const gone of await Promise.all(asked)) {
        if (gone === undefined) return null;
        count += gone;
      }
    }
    return count;
  }
}

function globOf(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
