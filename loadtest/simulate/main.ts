import { type LoadTestOptions, runOn } from '../drive/main.ts';
import type { ExitCode } from '../report/exit-code.ts';
import { readGateways } from './gateways.ts';
import { simulatedGround } from './simulated-ground.ts';

interface Options extends LoadTestOptions {
  /** Each `FILE` or `TARGET=FILE`. */
  readonly configs: readonly string[];
}

/** `headgate simulate`: the load test of a scenario on the virtual clock. */
export function runSimulation({ configs, ...options }: Options): Promise<ExitCode> {
  return runOn((scenario) => simulatedGround(readGateways(configs, scenario)), options);
}
