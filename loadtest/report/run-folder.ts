import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { RequestRecord } from '../measure/record.ts';
import { renderMarkdown } from './markdown.ts';
import { drawPage } from './page/page.ts';
import { sectionsOf } from './sections.ts';
import { type Summary, summarySchema } from './summary.ts';

/** What makes a folder that of a run. */
export const summaryFile = 'summary.json';

/** What a run leaves behind. */
export interface RunFiles {
  /** The scenario as it was written, so that the run can be made again. */
  readonly scenarioText: string;
  readonly summary: Summary;
  readonly records: readonly RequestRecord[];
}

/** Makes `ROOT/TIME-NAME/` and says where; two runs of one second get folders of their own. */
export function makeRunFolder(root: string, startedAtWallMs: number, name: string): string {
  makeFolder(root, root);
  const time = new Date(startedAtWallMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  const base = join(root, `${time}-${fileName(name)}`);
  for (let nth = 1; ; nth++) {
    const folder = nth === 1 ? base : `${base}-${nth}`;
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

/** Makes a folder with those above it. Not by Node's own way, which never returns where the system will have nothing made, as below /proc. */
function makeFolder(path: string, asked: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, asked);
  try {
    mkdirSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new RunFolderError(
      `--out: got ${JSON.stringify(asked)}, wanted a folder that is there or can be made: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

/** Writes all that a run leaves behind into its folder. */
export function writeRun(folder: string, { scenarioText, summary, records }: RunFiles): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'scenario.yaml'), scenarioText);
  writeFileSync(join(folder, 'records.ndjson'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  writeFileSync(join(folder, summaryFile), `${JSON.stringify(summary, null, 2)}\n`);
  renderRun(folder, summary);
}

/** Why an old run cannot be rendered. */
export class RunFolderError extends Error {}

/** The summary of an old run, from its file. Throws a `RunFolderError` where that is missing or is none of ours. */
export function readRun(folder: string): Summary {
  return readChecked(join(folder, summaryFile), summarySchema, 'no summary of a run');
}

/** What a file of an old load test says. Throws a `RunFolderError` where it is not what its schema says, and then calls it what it is. */
export function readChecked<Kept>(file: string, schema: z.ZodType<Kept>, whatItIs: string): Kept {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? firstIssue(error) : error instanceof Error ? error.message : error;
    throw new RunFolderError(`${file} is ${whatItIs}: ${reason}`, { cause: error });
  }
}

/** A file of another kind differs in everything: one difference tells as much as all. */
function firstIssue({ issues: [first, ...more] }: z.ZodError): string {
  const where = first === undefined || first.path.length === 0 ? '' : `${first.path.join('.')}: `;
  return `${where}${first?.message}${more.length === 0 ? '' : `, and ${more.length} more`}`;
}

/** Writes report.html and summary.md anew. */
export function renderRun(folder: string, summary: Summary): void {
  writeFileSync(join(folder, 'report.html'), drawPage(summary));
  writeFileSync(join(folder, 'summary.md'), renderMarkdown(sectionsOf(summary)));
}

/** A name as part of a path on any system. */
function fileName(name: string): string {
  return (
    name
      .replaceAll(/[^\w.-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 80) || 'run'
  );
}
