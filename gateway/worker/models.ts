import { countElements, elementBytes, type Tensor } from '../protocols/tensors.ts';
import type { Engine } from './engine.ts';
import { RequestFault } from './fault.ts';
import { isBatchable, type ModelMetadata } from './metadata.ts';
import { type BrokenModel, type ModelCard, type ModelSource, readModelFolder } from './model-folder.ts';

/** One version of a model, loaded. */
export interface LoadedModel {
  readonly name: string;
  readonly version: string;
  /** Under which the engine has it. */
  readonly key: string;
  readonly card: ModelCard;
  readonly metadata: ModelMetadata;
  /** Rows that may be computed at once; null where rows of several requests cannot be put together. */
  readonly maxBatch: number | null;
}

/** The models a worker serves, and those it could not load. */
export class Models {
  readonly #loaded: readonly LoadedModel[];
  readonly broken: readonly BrokenModel[];

  constructor(loaded: readonly LoadedModel[], broken: readonly BrokenModel[]) {
    this.#loaded = loaded;
    this.broken = broken;
  }

  get all(): readonly LoadedModel[] {
    return this.#loaded;
  }

  /** The highest loaded version, or the one asked for. Throws a `RequestFault` for what is not there. */
  find(name: string, version: string | undefined): LoadedModel {
    const versions = this.versionsOf(name);
    const found = version === undefined ? versions[0] : versions.find((one) => one.version === version);
    if (found !== undefined) return found;
    const broken = this.broken.find((one) => one.name === name);
    if (broken !== undefined && versions.length === 0)
      throw new RequestFault(503, `model ${name} could not be loaded: ${broken.reason}`);
    if (versions.length > 0)
      throw new RequestFault(
        404,
        `model ${name} has no version ${version}; there are: ${versions.map((one) => one.version).join(', ')}`,
      );
    const names = [...new Set(this.#loaded.map((one) => one.name))];
    throw new RequestFault(404, `model ${JSON.stringify(name)} is not known here; there are: ${names.join(', ')}`);
  }

  versionsOf(name: string): LoadedModel[] {
    return this.#loaded.filter((one) => one.name === name);
  }
}

/** Loads a folder of models. A file that cannot be loaded is named, and the rest served. */
export async function loadModels(folder: string, only: readonly string[], engine: Engine): Promise<Models> {
  const { sources, broken } = readModelFolder(folder, only);
  const loaded: LoadedModel[] = [];
  for (const source of sources) {
    for (const { version, file } of source.versions) {
      try {
        loaded.push(await loadVersion(source, version, file, engine));
      } catch (error) {
        broken.push({
          name: source.name,
          reason: `version ${version}: ${error instanceof Error ? error.message : String(error)}`,
        });
      }
    }
  }
  return new Models(loaded, broken);
}

async function loadVersion(
  { name, card }: ModelSource,
  version: string,
  file: string,
  engine: Engine,
): Promise<LoadedModel> {
  const key = `${name}/${version}`;
  const metadata = await engine.load(key, file);
  if (card.warmUp) await engine.run(key, metadata.inputs.map(zeros));
  return { name, version, key, card, metadata, maxBatch: isBatchable(metadata) ? card.maxBatch : null };
}

/** An input of one row in which everything is zero or empty. */
function zeros({ name, datatype, shape: wanted }: ModelMetadata['inputs'][number]): Tensor {
  const shape = wanted.map((dimension) => (dimension === -1 ? 1 : dimension));
  const count = countElements(shape);
  const size = elementBytes[datatype];
  return {
    name,
    datatype,
    shape,
    data: size === null ? Array.from({ length: count }, () => '') : new Uint8Array(count * size),
  };
}
