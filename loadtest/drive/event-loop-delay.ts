import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 10;
const nanoseconds = 1e6;

/** Watches how late this process comes to what it has to do, whether it sends just then or not. */
export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#histogram.enable();
  }

  /** Forgets what was. */
  reset(): void {
    this.#histogram.reset();
  }

  /** Null before anything was seen. The histogram holds the time from one look to the next, of which the delay is what exceeds the resolution. */
  p99Ms(): number | null {
    if (this.#histogram.count === 0) return null;
    return Math.max(0, this.#histogram.percentile(99) / nanoseconds - resolutionMs);
  }

  close(): void {
    this.#histogram.disable();
  }
}
