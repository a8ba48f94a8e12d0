import { ConfigError } from './faults.ts';
import type { Environment } from './interpolate.ts';
import { whyUnread } from './named-file.ts';
import { parseYaml, type YamlForm } from './parse-yaml.ts';
import { readText as readFromDisk, UnfitFile } from './read-text.ts';
import { resolve } from './resolve.ts';
import { type RawSettings, settingsSchema } from './schema.ts';
import type { Settings } from './settings.ts';
import { settingsStandIns } from './stand-ins.ts';

/** What a configuration looks like, and what it means. */
export const settingsForm: YamlForm<RawSettings, Settings> = {
  schema: settingsSchema,
  standIns: settingsStandIns,
  resolve,
};

/** Reads a configuration file. Throws a `ConfigError` with every fault, or one for a file that cannot be read. `readText` reads it, and whatever it names. */
export function loadSettings(file: string, environment?: Environment, readText?: (file: string) => string): Settings {
  return loadYaml(settingsForm, file, environment, readText);
}

/** The same for a text that is already here. Relative paths in it start at the folder of `file`. */
export function parseSettings(
  text: string,
  file: string,
  environment: Environment,
  readText: (file: string) => string = readFromDisk,
): Settings {
  return parseYaml(settingsForm, { text, file, environment, readText });
}

/** Reads a YAML file of any form, as `loadSettings` does. */
export function loadYaml<Raw, Meaning>(
  form: YamlForm<Raw, Meaning>,
  file: string,
  environment: Environment = process.env,
  readText: (file: string) => string = readFromDisk,
): Meaning {
  let text: string;
  try {
    text = readText(file);
  } catch (cause) {
    const { why, wanted } = whyUnread(cause);
    const got = cause instanceof UnfitFile ? why : `no text (${why})`;
    throw new ConfigError([{ file, line: 1, column: 1, path: [], got, wanted }]);
  }
  return parseYaml(form, { text, file, environment, readText });
}
