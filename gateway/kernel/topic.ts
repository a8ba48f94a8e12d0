/** One kind of fact that some parts publish and others (metrics, log) subscribe to, so that the core never imports a metrics library. */
export class Topic<Fact> {
  /** Replaced and never changed, so that whoever is told may come and go. */
  #subscribers: readonly ((fact: Fact) => void)[] = [];

  /** Calls every subscriber at once, in order of subscription. A subscriber must not throw: it would fail the request that told the fact. */
  publish(fact: Fact): void {
    for (const subscriber of this.#subscribers) subscriber(fact);
  }

  /** Gives what undoes it. */
  subscribe(subscriber: (fact: Fact) => void): () => void {
    // Wrapped, so that of one function subscribed twice the right one goes.
    const own = (fact: Fact): void => subscriber(fact);
    this.#subscribers = [...this.#subscribers, own];
    return () => {
      this.#subscribers = this.#subscribers.filter((one) => one !== own);
    };
  }
}
