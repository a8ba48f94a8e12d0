import type { Request } from '../model-server/asked.ts';
import type { Flow } from './flow.ts';

/** Whoever answers requests on the virtual clock: a simulated server, or a gateway. */
export interface Answerer {
  /** Takes a request whose answer goes into a flow; null where no connection is taken. */
  ask(request: Request, flow: Flow): Asking | null;
}

/** One request that was taken. */
export interface Asking {
  /** Whoever asked has gone away before the answer was complete. */
  leave(): void;
}
