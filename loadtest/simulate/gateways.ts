import { existsSync } from 'node:fs';
import { OverrideError } from '../scenario/overrides.ts';
import type { Scenario, Target } from '../scenario/scenario.ts';
import { loadGatewaySettings } from './gateway-settings.ts';
import { describePlaces, serverAt } from './server-places.ts';
import type { GatewaysAt } from './simulated-ground.ts';

/** Reads the gateways of a simulation, each `FILE` or `TARGET=FILE`. Throws an `OverrideError`, or a `ConfigError` for what is in a file. */
export function readGateways(configs: readonly string[], { targets, servers }: Scenario): GatewaysAt {
  if (servers.length === 0)
    throw new OverrideError(['servers: got none, wanted the simulated servers that the scenario is about']);
  const names = targets.map(({ name }) => name);
  const behind = targets.filter(({ url }) => serverAt(url, servers) === null);
  const fileAt = new Map<string, string>();
  const faults: string[] = [];
  for (const config of configs) {
    const { target, file } = partsOf(config, names);
    if (target === null && isNamed(config) && !existsSync(config)) {
      faults.push(`--config: got ${JSON.stringify(config)}, wanted ${wantedTarget(behind)} before the =, or a file`);
      continue;
    }
    const meant = target === null ? behind : behind.filter(({ name }) => name === target);
    if (meant.length === 0) faults.push(`--config: got ${JSON.stringify(config)}, wanted ${wantedTarget(behind)}`);
    for (const { name } of meant) {
      // One that is named goes before one for all.
      if (target !== null || !fileAt.has(name)) fileAt.set(name, file);
    }
  }
  for (const { name, url } of behind)
    if (!fileAt.has(name))
      faults.push(
        `--config: got none for target ${name} at ${url}, wanted its gateway's, or a target at a server: ${describePlaces(servers)}`,
      );
  if (faults.length > 0) throw new OverrideError(faults);
  return new Map([...fileAt].map(([name, file]) => [name, loadGatewaySettings(file, servers)]));
}

/** What stands before the first `=` is a target where there is one of that name; else it is part of a path. */
function partsOf(config: string, names: readonly string[]): { target: string | null; file: string } {
  const at = config.indexOf('=');
  const before = config.slice(0, Math.max(0, at));
  return names.includes(before) ? { target: before, file: config.slice(at + 1) } : { target: null, file: config };
}

/** Whether it looks like a file for a target. */
function isNamed(config: string): boolean {
  return /^[\w.-]+=/.test(config);
}

function wantedTarget(behind: readonly Target[]): string {
  if (behind.length === 0) return 'none: every target is a simulated server itself, and has no gateway';
  return `a target that is no simulated server itself: ${behind.map(({ name }) => name).join(', ')}`;
}
