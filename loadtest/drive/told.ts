import type { ExitCode } from '../report/exit-code.ts';
import type { Section } from '../report/sections.ts';

/** What a load test has to tell in the end: to programs, to people, and to the shell. */
export interface Told {
  readonly json: unknown;
  readonly sections: readonly Section[];
  readonly exitCode: ExitCode;
}
