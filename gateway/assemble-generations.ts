import { isDeepStrictEqual } from 'node:util';
import { buildGeneration, type GenerationParts, type LiveGeneration, type Member } from './assemble-generation.ts';
import type { Settings } from './settings/settings.ts';

/** How long the replicas that are new in a configuration are waited for while the one before goes on serving. */
const warmUpMs = 5_000;

const lookEveryMs = 10;

/** The generation that is current, and the way from one to the next. Those before it live on by themselves until their last exchange has settled. */
export class Generations {
  readonly #parts: GenerationParts;
  #current: LiveGeneration;
  #isClosed = false;

  /** Builds the first one, in which nothing has started. */
  constructor(settings: Settings, parts: GenerationParts) {
    this.#parts = parts;
    this.#current = buildGeneration(settings, null, parts);
  }

  get current(): LiveGeneration {
    return this.#current;
  }

  /** Begins to check the replicas of the first one, and starts its workers. */
  start(): void {
    follow(this.#current.members);
  }

  /** Resolves when every replica of the current one has shown whether it is ready, or after `timeoutMs`. */
  settle(timeoutMs: number): Promise<void> {
    return this.#decided(this.#current.members, timeoutMs);
  }

  /** Makes other settings current as soon as their new replicas have shown whether they are ready. Rejects, and changes nothing, where they cannot be built. One call at a time. */
  async replace(settings: Settings): Promise<void> {
    if (this.#isClosed || isDeepStrictEqual(settings, this.#current.settings)) return;
    const next = buildGeneration(settings, this.#current.generation, this.#parts);
    follow(next.newcomers);
    await this.#decided(next.newcomers, warmUpMs);
    // Meanwhile the gateway may have ended: nobody will enter it.
    if (this.#isClosed) return next.generation.retire();
    const before = this.#current;
    this.#current = next;
    follow(next.members);
    before.generation.retire();
  }

  /** Ends everything that any generation holds. Resolves when all processes are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#parts.living].map((life) => life.close()));
  }

  async #decided(members: readonly Member[], timeoutMs: number): Promise<void> {
    const { clock } = this.#parts;
    const deadlineMs = clock.nowMs() + timeoutMs;
    const isUndecided = (): boolean => members.some(({ replica }) => replica.standing === 'starting');
    while (isUndecided() && !this.#isClosed && clock.nowMs() < deadlineMs) await clock.sleep(lookEveryMs);
  }
}

function follow(members: readonly Member[]): void {
  for (const { life, replica } of members) life.follow(replica);
}
