import { parseSettings } from '../../gateway/settings/load.ts';
import type { MeasuredRun } from '../../loadtest/drive/run.ts';
import { parseScenario } from '../../loadtest/scenario/load.ts';
import type { Scenario } from '../../loadtest/scenario/scenario.ts';
import { type GatewaysAt, simulateRun } from '../../loadtest/simulate/simulated-ground.ts';
import { plainFacts } from './run-records.ts';

/** What runs are made with that nobody looks at. */
export const surroundings = {
  environment: plainFacts.run.environment,
  screen: { everyMs: 60_000, show: () => {} },
  signal: new AbortController().signal,
  breakOff: new AbortController().signal,
};

/** A scenario of a test. */
export function scenarioOf(yaml: string): Scenario {
  return parseScenario({ text: yaml, file: 'scenario.yaml', environment: {}, readText: () => '' });
}

/** The gateways of a simulation by their targets, from YAML. */
export function gatewaysOf(configs: Readonly<Record<string, string>>): GatewaysAt {
  return new Map(Object.entries(configs).map(([name, yaml]) => [name, parseSettings(yaml, `${name}.yaml`, {})]));
}

/** Simulates a run against the first target of a scenario, or against one by its name. */
export function simulated(scenario: Scenario, gateways: GatewaysAt = new Map(), name?: string): Promise<MeasuredRun> {
  const target = name ?? scenario.targets[0]?.name ?? '';
  return simulateRun(scenario, gateways, { ...surroundings, target, title: target });
}
