import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Destination } from './connection.ts';
import { prepareGenerators } from './generators.ts';
import { ModelServers } from './model-servers.ts';
import { processesFor } from './processes.ts';
import { reach } from './reach.ts';
import { completeRun, type Ground, type MeasuredRun, type RunOptions } from './run.ts';

/** Starts the simulated servers of a scenario, looks for its targets, and sends over sockets. */
export async function openLiveGround(scenario: Scenario): Promise<Ground> {
  const servers = await ModelServers.start(scenario);
  try {
    return liveGround(servers, await reachAll(scenario));
  } catch (error) {
    servers.close();
    throw error;
  }
}

async function reachAll({ targets }: Scenario): Promise<ReadonlyMap<string, Destination>> {
  const reached = await Promise.all(
    targets.map(async (target) => [target.name, await reach(target, systemClock)] as const),
  );
  return new Map(reached);
}

function liveGround(servers: ModelServers, destinations: ReadonlyMap<string, Destination>): Ground {
  return {
    clock: systemClock,
    async measure(options: RunOptions): Promise<MeasuredRun> {
      const { source, target, environment } = options;
      const scenario = readScenario(source);
      const destination = destinations.get(target);
      if (destination === undefined) throw new RangeError(`nobody has looked for ${target}`);
      const processes = processesFor(scenario, environment.processorCount);
      const start = await prepareGenerators({ source, target, destination, processes });
      await servers.restart(scenario.seed);
      return completeRun({ scenario, generating: start(), clock: systemClock, isSimulated: false }, options);
    },
    close: () => servers.close(),
  };
}
