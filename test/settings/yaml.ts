import { ConfigError } from '../../gateway/settings/faults.ts';
import type { Environment } from '../../gateway/settings/interpolate.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import type { Settings } from '../../gateway/settings/settings.ts';

/** The name under which these tests load what they write; no such file need exist. */
export const fileName = 'gateway.yaml';

/** The least that is valid. Six lines: what is added below stands on line 7. */
export const least = `backends:
  - name: a
    protocol: open-inference
    models: [m]
    replicas:
      - url: http://h:1
`;

/** The least with one more key of the whole configuration; its text begins at column 1. */
export const withTop = (text: string): string => `${least}${text}\n`;

/** The least with one more key of its backend; at column 5. */
export const withBackend = (text: string): string => `${least}    ${text}\n`;

/** The least with one more key of its replica; at column 9. */
export const withReplica = (text: string): string => `${least}        ${text}\n`;

export function load(text: string, environment: Environment = {}): Settings {
  return parseSettings(text, fileName, environment);
}

/** The faults of a text as users see them, in order. None where it loads. Whatever else is thrown goes through. */
export function faultsOf(text: string, environment: Environment = {}): string[] {
  try {
    load(text, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
}
