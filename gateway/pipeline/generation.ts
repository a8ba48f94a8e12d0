import type { Backend } from '../balance/backend.ts';
import type { Routes } from './route.ts';

interface Options {
  readonly routes: Routes;
  readonly backends: readonly Backend[];
  /** Called once, when no exchange is under way in it and none will be. */
  onGone(): void;
}

/** What one configuration became. An exchange belongs to the one that was current when its head was read, to its end: no request sees two. */
export class Generation {
  readonly routes: Routes;
  readonly backends: readonly Backend[];
  readonly #onGone: () => void;
  #underWay = 0;
  #isRetired = false;

  constructor({ routes, backends, onGone }: Options) {
    this.routes = routes;
    this.backends = backends;
    this.#onGone = onGone;
  }

  /** Exchanges that are under way in it. */
  get underWay(): number {
    return this.#underWay;
  }

  /** An exchange begins. */
  enter(): void {
    this.#underWay += 1;
  }

  /** An exchange has settled. */
  leave(): void {
    this.#underWay -= 1;
    if (this.#isRetired && this.#underWay === 0) this.#onGone();
  }

  /** Another one is current: no exchange enters any more. To be called once. */
  retire(): void {
    this.#isRetired = true;
    if (this.#underWay === 0) this.#onGone();
  }
}
