import { readFileSync } from 'node:fs';
import { quickScenarioText } from '../scenario/load.ts';
import type { ScenarioSource } from '../scenario/read-scenario.ts';

/** The scenario as it was written, under what the command line said in its place. */
export function scenarioText({ file, overrides }: ScenarioSource): string {
  const said = Object.entries(overrides).flatMap(([option, value]: [string, string | readonly string[] | undefined]) =>
    [value ?? []].flat().map((one) => `--${option} ${JSON.stringify(one)}`),
  );
  const text = file === null ? quickScenarioText : readFileSync(file, 'utf8');
  return said.length === 0 ? text : `# Run with ${said.join(' ')}\n${text}`;
}
