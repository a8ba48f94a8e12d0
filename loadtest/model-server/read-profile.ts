import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, describeValue, findingsOf } from '../../gateway/settings/faults.ts';
import type { Environment } from '../../gateway/settings/interpolate.ts';
import { YamlSource } from '../../gateway/settings/yaml-source.ts';
import { type ServerSettings, serverSchema } from './settings.ts';

/** The settings of a server of which nothing but its kind is said. */
export function defaultProfile(kind: ServerSettings['kind']): ServerSettings {
  return serverSchema.parse({ kind });
}

/** Reads the profile of one server from a file. Throws a `ConfigError` with every fault; that it is of another kind than was asked for is one. */
export function readProfile(file: string, kind: ServerSettings['kind'], environment: Environment): ServerSettings {
  return parseProfile(readFileSync(file, 'utf8'), { file, kind, environment });
}

/** The same for a text that is already here. */
export function parseProfile(
  text: string,
  { file, kind, environment }: { file: string; kind: ServerSettings['kind']; environment: Environment },
): ServerSettings {
  const source = new YamlSource(file, text, environment);
  if (source.faults.length > 0) throw new ConfigError(source.faults);
  if (source.unset.length > 0) throw new ConfigError(source.unset);
  let result = serverSchema.safeParse(source.value());
  if (!result.success) {
    const retyped = findingsOf(result.error.issues).map(({ path }) => source.retype(path));
    if (retyped.includes(true)) result = serverSchema.safeParse(source.value());
  }
  if (!result.success) {
    const faults = findingsOf(result.error.issues).map(({ path, isAboutKey, wanted }) => {
      const got = isAboutKey ? `the unknown key ${String(path.at(-1))}` : describeValue(source.valueAt(path), path);
      return source.fault(path, got, wanted, isAboutKey);
    });
    throw new ConfigError(faults.toSorted((a, b) => a.line - b.line || a.column - b.column));
  }
  if (result.data.kind !== kind)
    throw new ConfigError([source.fault(['kind'], JSON.stringify(result.data.kind), `${kind}, as --kind says`)]);
  return result.data;
}

/** JSON Schema draft-07 of what users write, for editors. */
export function profileJsonSchema(): object {
  const schema = z.toJSONSchema(serverSchema, { io: 'input', target: 'draft-07' });
  return { title: 'A simulated model server', ...schema };
}
