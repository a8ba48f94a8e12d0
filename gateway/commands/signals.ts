interface Wishes {
  /** The configuration is to be read again. */
  reload(): void;
  /** The process is to end. May be called again. */
  end(signal: NodeJS.Signals): void;
}

/**
 * What signals ask of the gateway, from the moment this is made. Until somebody takes them, nothing runs that would have to end in order,
 * and the configuration has still to be read: to end is then to exit, and to reload is nothing.
 */
export class Signals {
  #wishes: Wishes = { reload() {}, end: () => process.exit(0) };

  constructor() {
    process.on('SIGHUP', () => this.#wishes.reload());
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#wishes.end(signal));
  }

  /** From now on these are told. To be called before the configuration is read. */
  take(wishes: Wishes): void {
    this.#wishes = wishes;
  }
}
