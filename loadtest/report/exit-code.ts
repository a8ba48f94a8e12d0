import type { Summary } from './summary.ts';

/** What `headgate loadtest` and `report` end with, so that scripts can tell the cases apart. */
export const exitCodes = { passed: 0, failed: 1, badScenario: 2, invalid: 3, unreachable: 4 } as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * What some runs amount to. An invalid one says nothing of the target, so it comes before failed claims; a target that nobody ever reached
 * comes before all.
 */
export function exitCodeOf(summaries: readonly Pick<Summary, 'requests' | 'verdict' | 'asserts'>[]): ExitCode {
  if (summaries.some(wasNeverReached)) return exitCodes.unreachable;
  if (summaries.some(({ verdict }) => !verdict.isValid)) return exitCodes.invalid;
  return summaries.every(({ asserts }) => asserts.every(({ isMet }) => isMet)) ? exitCodes.passed : exitCodes.failed;
}

function wasNeverReached({ requests: { outcomes, offered, unsent } }: Pick<Summary, 'requests'>): boolean {
  return outcomes.unreachable > 0 && outcomes.unreachable === offered - unsent;
}
