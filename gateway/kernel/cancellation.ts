import type { GatewayError } from './errors.ts';

type Listener = (reason: GatewayError) => void;

/**
 * Tells whoever works for an exchange that nobody waits any more, and why (the client left, the deadline passed).
 * It stands in for `AbortSignal` on the hot path: no event objects, and most requests allocate one small array at most.
 * It fires once; a listener added afterwards is called at once.
 */
export class Cancellation {
  #reason: GatewayError | null = null;
  #listeners: Listener[] | null = null;

  /** Why it fired, or null while the work is still wanted. */
  get reason(): GatewayError | null {
    return this.#reason;
  }

  /** Fires; later calls change nothing. Listeners run in the order they were added. */
  cancel(reason: GatewayError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = null;
    if (listeners !== null) for (const listener of listeners) listener(reason);
  }

  onCancel(listener: Listener): void {
    if (this.#reason !== null) listener(this.#reason);
    else if (this.#listeners === null) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  /** Stops telling a listener; one that was never added is ignored. */
  off(listener: Listener): void {
    const listeners = this.#listeners;
    if (listeners === null) return;
    const at = listeners.indexOf(listener);
    if (at >= 0) listeners.splice(at, 1);
  }

  throwIfCancelled(): void {
    if (this.#reason !== null) throw this.#reason;
  }
}
