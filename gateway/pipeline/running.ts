import type { GatewayError } from '../kernel/errors.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from './exchange.ts';
import type { Serve } from './stage.ts';

/** The exchanges that are under way, from their head to the last byte of their answer. */
export class RunningExchanges {
  readonly #serve: Serve;
  readonly #whenNone: (() => void)[] = [];
  /** Each knows its place, so that coming and going costs no look-up: a set would rehash itself all the time. */
  readonly #running: Exchange[] = [];

  constructor(serve: Serve, settled: Topic<Exchange>) {
    this.#serve = serve;
    settled.subscribe((exchange) => this.#ended(exchange));
  }

  get count(): number {
    return this.#running.length;
  }

  /** Answers an exchange, which is under way from now on. */
  readonly serve: Serve = (exchange) => {
    exchange.runningAt = this.#running.push(exchange) - 1;
    exchange.generation.enter();
    return this.#serve(exchange);
  };

  /** Resolves as soon as nothing is under way. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      if (this.count === 0) resolve();
      else this.#whenNone.push(resolve);
    });
  }

  /** Ends all that are under way: with this error where nothing has been answered yet, else by breaking the answer off. */
  cut(error: GatewayError): void {
    for (const { cancellation } of [...this.#running]) cancellation.cancel(error);
  }

  #ended(exchange: Exchange): void {
    const last = this.#running.pop();
    if (last !== undefined && last !== exchange) {
      this.#running[exchange.runningAt] = last;
      last.runningAt = exchange.runningAt;
    }
    exchange.generation.leave();
    if (this.count === 0) for (const tell of this.#whenNone.splice(0)) tell();
  }
}
