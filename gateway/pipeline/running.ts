import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from './exchange.ts';
import type { Serve } from './stage.ts';

/** How many exchanges are under way, from their head to the last byte of their answer. */
export class RunningExchanges {
  readonly #serve: Serve;
  readonly #whenNone: (() => void)[] = [];
  #count = 0;

  constructor(serve: Serve, settled: Topic<Exchange>) {
    this.#serve = serve;
    settled.subscribe(() => this.#ended());
  }

  get count(): number {
    return this.#count;
  }

  /** Answers an exchange, counted. */
  readonly serve: Serve = (exchange) => {
    this.#count += 1;
    return this.#serve(exchange);
  };

  /** Resolves as soon as nothing is under way. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count === 0) resolve();
      else this.#whenNone.push(resolve);
    });
  }

  #ended(): void {
    this.#count -= 1;
    if (this.#count === 0) for (const tell of this.#whenNone.splice(0)) tell();
  }
}
