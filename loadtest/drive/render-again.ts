import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRun, renderRun, summaryFile } from '../report/run-folder.ts';
import type { Summary } from '../report/summary.ts';
import { comparisonFiles, maxRateFiles, predictionFiles, sweepFiles } from './results.ts';
import { type Told, toldOfPrediction, toldOfRuns } from './told.ts';

/**
 * Makes the reports in the folder of an old load test again, those of each of its runs included, and gives what they say. Throws a `RunFolderError` where
 * there are none.
 */
export function renderAgain(folder: string): Pick<Told, 'json' | 'sections'> {
  const summaries = runFoldersIn(folder).map(renderRunAgain);
  const prediction = predictionFiles.renderAgain(folder);
  if (prediction !== null) return toldOfPrediction(summaries, prediction.json, prediction.sections);
  const [result] = [comparisonFiles, maxRateFiles, sweepFiles].flatMap((files) => files.renderAgain(folder) ?? []);
  if (result !== undefined) return result;
  return toldOfRuns(summaries.length > 0 ? summaries : [renderRunAgain(folder)]);
}

/** The folder itself, or those of the runs in it in their order. */
function runFoldersIn(folder: string): string[] {
  const isRun = (one: string): boolean => existsSync(join(one, summaryFile));
  if (isRun(folder) || !existsSync(folder)) return [folder];
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name))
    .filter(isRun);
}

function renderRunAgain(folder: string): Summary {
  const summary = readRun(folder);
  renderRun(folder, summary);
  return summary;
}
