import type { Outcome } from '../balance/signal.ts';

/** Why a try was made: `mirror` for a copy whose answer nobody gets. */
export type TryKind = 'first' | 'retry' | 'hedge' | 'mirror';

/** One try that has ended. */
export interface TryFact {
  readonly backendName: string;
  readonly outcome: Outcome;
  readonly kind: TryKind;
}
