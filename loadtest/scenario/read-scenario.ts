import { loadScenario, quickScenario } from './load.ts';
import { type Overrides, withOverrides } from './overrides.ts';
import type { Scenario } from './scenario.ts';

/** Where a scenario comes from: all that another process needs to have the same. */
export interface ScenarioSource {
  /** Null for the quick one. */
  readonly file: string | null;
  readonly overrides: Overrides;
}

/** Throws a `ConfigError` or an `OverrideError` with every fault. */
export function readScenario({ file, overrides }: ScenarioSource): Scenario {
  return withOverrides(file === null ? quickScenario() : loadScenario(file), overrides);
}
