import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { comparisonFileSchema, comparisonsIn } from '../compare/comparison.ts';
import { drawComparisonPage } from '../compare/comparison-page.ts';
import { comparisonSections } from '../compare/comparison-sections.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { readChecked } from '../report/run-folder.ts';
import type { Section } from '../report/sections.ts';
import type { Summary } from '../report/summary.ts';
import { maxRateSchema } from '../search/find-max-rate.ts';
import { drawRatePage } from '../search/rate-page.ts';
import { type RateReport, rateSections, reportOfMaxRate, reportOfSweep } from '../search/rate-report.ts';
import { sweepSchema } from '../search/sweep.ts';
import { predictionSchema } from '../simulate/prediction.ts';
import { drawPredictionPage, predictionSections } from '../simulate/prediction-report.ts';

interface Rendered {
  readonly sections: readonly Section[];
  readonly page: string;
}

/** What belongs to several runs at once: kept in their folder as NAME.json, from which NAME.html and NAME.md are made. */
export class ResultFiles<Found> {
  readonly #name: string;
  readonly #schema: z.ZodType<Found>;
  readonly #render: (found: Found) => Rendered;

  constructor(name: string, schema: z.ZodType<Found>, render: (found: Found) => Rendered) {
    this.#name = name;
    this.#schema = schema;
    this.#render = render;
  }

  /** Writes all three; gives what they say. */
  write(folder: string, found: Found): readonly Section[] {
    writeFileSync(this.#file(folder, 'json'), `${JSON.stringify(found, null, 2)}\n`);
    return this.#renderInto(folder, found);
  }

  /** Makes the reports of an old one again; null where the folder has none. Throws a `RunFolderError` where it is none of ours. */
  renderAgain(folder: string): { readonly json: Found; readonly sections: readonly Section[] } | null {
    const file = this.#file(folder, 'json');
    if (!existsSync(file)) return null;
    const json = readChecked(file, this.#schema, `no ${this.#name} of ours`);
    return { json, sections: this.#renderInto(folder, json) };
  }

  #renderInto(folder: string, found: Found): readonly Section[] {
    const { sections, page } = this.#render(found);
    writeFileSync(this.#file(folder, 'html'), page);
    writeFileSync(this.#file(folder, 'md'), renderMarkdown(sections));
    return sections;
  }

  #file(folder: string, ending: string): string {
    return join(folder, `${this.#name}.${ending}`);
  }
}

/** How targets differ. */
export const comparisonFiles = new ResultFiles('comparison', comparisonFileSchema, (found) => ({
  sections: comparisonsIn(found).flatMap(comparisonSections),
  page: drawComparisonPage(found),
}));

/** The highest rate, and all that were tried. */
export const maxRateFiles = new ResultFiles('max-rate', maxRateSchema, (found) =>
  renderedRates(reportOfMaxRate(found, nameOf(found.tried[0]?.runs[0]))),
);

/** What came of each rate. */
export const sweepFiles = new ResultFiles('sweep', sweepSchema, (found) =>
  renderedRates(reportOfSweep(found, nameOf(found.points[0]?.summary))),
);

/** What was predicted beside what was measured. */
export const predictionFiles = new ResultFiles('prediction', predictionSchema, (found) => ({
  sections: predictionSections(found),
  page: drawPredictionPage(found),
}));

function renderedRates(report: RateReport): Rendered {
  return { sections: rateSections(report), page: drawRatePage(report) };
}

/** A search of no run has no name either. */
function nameOf(summary: Summary | undefined): string {
  if (summary === undefined) return '';
  return summary.run.isSimulated ? `${summary.run.name}, simulated` : summary.run.name;
}
