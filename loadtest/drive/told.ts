import type { ExitCode } from '../report/exit-code.ts';
import { type Section, sectionsOf } from '../report/sections.ts';
import type { Summary } from '../report/summary.ts';
import type { Prediction } from '../simulate/prediction.ts';

/** What a load test has to tell in the end: to programs, to people, and to the shell. */
export interface Told {
  readonly json: unknown;
  readonly sections: readonly Section[];
  readonly exitCode: ExitCode;
}

/** What some runs by themselves have to tell. */
export function toldOfRuns(summaries: readonly Summary[]): Pick<Told, 'json' | 'sections'> {
  return {
    json: summaries.length === 1 ? summaries[0] : { version: 1, runs: summaries },
    sections: summaries.flatMap(sectionsOf),
  };
}

/** The same with what was measured beside them. */
export function toldOfPrediction(
  summaries: readonly Summary[],
  prediction: Prediction,
  sections: readonly Section[],
): Pick<Told, 'json' | 'sections'> {
  return {
    json: { version: 1, runs: summaries, prediction },
    sections: [...toldOfRuns(summaries).sections, ...sections],
  };
}
