import { ConfigError, describeFault } from '../../../gateway/settings/faults.ts';
import { parseScenario } from '../../../loadtest/scenario/load.ts';
import type { Scenario } from '../../../loadtest/scenario/scenario.ts';

/** The name under which these tests load what they write; no such file need exist. */
export const fileName = 'scenario.yaml';

/** The least that is valid, for chats. Five lines: what is added below stands on line 6. */
export const least = `for: 10s
targets:
  - url: http://h:1
    protocol: openai
    model: m
`;

/** The same for tensors. */
export const leastTensors: string = least.replace('openai', 'open-inference');

/** The least with one more key of the whole scenario; its text begins at column 1. */
export const withTop = (text: string): string => `${least}${text}\n`;

/** The least with one more key of its target; at column 5. */
export const withTarget = (text: string): string => `${least}    ${text}\n`;

/** The files that scenarios may name, by their names. */
export type Files = Readonly<Record<string, string>>;

/** A trace of one request. */
export const azure = 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n';

/** Loads a text, with the files it names. */
export function load(text: string, files: Files = { 't.csv': azure }): Scenario {
  const readText = (file: string): string => {
    const found = Object.entries(files).find(([name]) => file.endsWith(`/${name}`))?.[1];
    if (found === undefined) throw Object.assign(new Error(`no ${file}`), { code: 'ENOENT' });
    return found;
  };
  return parseScenario({ text, file: fileName, environment: {}, readText });
}

/** The faults of a text as users see them, in order. None where it loads. Whatever else is thrown goes through. */
export function faultsOf(text: string, files: Files = { 't.csv': azure }): string[] {
  try {
    load(text, files);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(describeFault);
    throw error;
  }
}
