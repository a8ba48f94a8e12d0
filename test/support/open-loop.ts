import { pause } from './gateway-process.ts';

/** A call again and again, made when it is due whether or not the ones before have ended. */
export class OpenLoop {
  #isOn = true;
  readonly #running: Promise<void>[] = [];

  constructor(everyMs: number, call: (count: number) => Promise<void>) {
    void this.#run(everyMs, call);
  }

  /** Resolves when all calls have ended. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#running);
  }

  async #run(everyMs: number, call: (count: number) => Promise<void>): Promise<void> {
    for (let dueMs = performance.now(); this.#isOn; dueMs += everyMs) {
      await pause(Math.max(0, dueMs - performance.now()));
      if (this.#isOn) this.#running.push(call(this.#running.length));
    }
  }
}
