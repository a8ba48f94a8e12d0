import type { Outcome } from '../balance/signal.ts';

/** One try that has ended. */
export interface TryFact {
  readonly backendName: string;
  readonly outcome: Outcome;
  readonly kind: 'first' | 'retry';
}
