/** One kind of fact that some parts publish and others (metrics, log) subscribe to, so that the core never imports a metrics library. */
export class Topic<Fact> {
  readonly #subscribers: ((fact: Fact) => void)[] = [];

  /** Calls every subscriber at once, in order of subscription. A subscriber must not throw: it would fail the request that told the fact. */
  publish(fact: Fact): void {
    for (const subscriber of this.#subscribers) subscriber(fact);
  }

  subscribe(subscriber: (fact: Fact) => void): void {
    this.#subscribers.push(subscriber);
  }
}
