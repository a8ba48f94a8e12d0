import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What model.yaml says. Only the keys that change how a model is served are checked; the rest is the model's card, for people. */
const cardSchema = z.looseObject({
  max_batch: z.int({ error: 'a whole number' }).min(1, { error: 'at least 1' }).default(1),
  warm_up: z.boolean({ error: 'true or false' }).default(true),
  batch_invariant: z.boolean({ error: 'true or false' }).default(false),
});

/** What a model's card says of how it is to be served. */
export interface ModelCard {
  /** Rows it may be given at once. */
  readonly maxBatch: number;
  /** Whether it is run once before it is called ready. */
  readonly warmUp: boolean;
  /** Whether a row's answer is the same whatever rows it is computed with. */
  readonly isBatchInvariant: boolean;
}

/** A model as it lies in its folder. */
export interface ModelSource {
  readonly name: string;
  readonly card: ModelCard;
  /** From the highest version, which is served unless another is asked for, to the lowest. */
  readonly versions: readonly { readonly version: string; readonly file: string }[];
}

/** A model that cannot be served, and why. */
export interface BrokenModel {
  readonly name: string;
  readonly reason: string;
}

/** Reads the folder in which each model has a folder. `only` narrows it to some models; one of them that is missing counts as broken. */
export function readModelFolder(
  folder: string,
  only: readonly string[],
): { sources: ModelSource[]; broken: BrokenModel[] } {
  const sources: ModelSource[] = [];
  const broken: BrokenModel[] = [];
  for (const name of only.length > 0 ? only : foldersIn(folder)) {
    try {
      sources.push(readModel(folder, name));
    } catch (error) {
      broken.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { sources, broken };
}

function readModel(folder: string, name: string): ModelSource {
  const home = join(folder, name);
  if (!existsSync(home)) throw new Error(`there is no folder ${home}`);
  const versions = foldersIn(home)
    .filter((version) => /^\d+$/.test(version))
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => ({ version, file: join(home, version, 'model.onnx') }));
  if (versions.length === 0) throw new Error(`${home} has no folder named by a version number`);
  return { name, card: readCard(join(home, 'model.yaml')), versions };
}

function readCard(file: string): ModelCard {
  const parsed = cardSchema.safeParse(existsSync(file) ? parseCard(file) : {});
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? 'wanted keys and values' : `${path.join('.')}: wanted ${message}`,
    );
    throw new Error(`${file}: ${faults.join('; ')}`);
  }
  const { max_batch: maxBatch, warm_up: warmUp, batch_invariant: isBatchInvariant } = parsed.data;
  return { maxBatch, warmUp, isBatchInvariant };
}

function parseCard(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8')) ?? {};
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Hidden folders are not models: Kubernetes, for one, keeps its own beside what it mounts. A link that leads nowhere counts, so that it is told of. */
function foldersIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() ?? true)
    .toSorted();
}
