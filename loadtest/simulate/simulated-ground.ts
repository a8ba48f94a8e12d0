import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import type { Settings } from '../../gateway/settings/settings.ts';
import { seedsOf } from '../arrivals/seeds.ts';
import { completeRun, type Ground, type MeasuredRun, type RunOptions } from '../drive/run.ts';
import { sendPlan } from '../drive/send-plan.ts';
import type { Request } from '../model-server/asked.ts';
import { modelServerOf } from '../model-server/model-server.ts';
import type { Payload } from '../payloads/payload.ts';
import { placedServersOf, serverSeedOf } from '../scenario/placed-servers.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Scenario, Target } from '../scenario/scenario.ts';
import type { Answerer } from './answerer.ts';
import { ReplicaConnections } from './replica-connections.ts';
import { serverAt } from './server-places.ts';
import { SimulatedConnection } from './simulated-connection.ts';
import { SimulatedFront } from './simulated-front.ts';
import { SimulatedGateway } from './simulated-gateway.ts';

/** The gateways of a simulation by the targets they stand at; the other targets are servers. */
export type GatewaysAt = ReadonlyMap<string, Settings>;

/** A ground on which time is virtual: each run has a world of its own, which begins at 0 and is gone with it. */
export function simulatedGround(gateways: GatewaysAt): Ground {
  return {
    // Nothing is left of one run by the time of the next.
    clock: { sleep: async () => {} },
    measure: async (options) => simulateRun(readScenario(options.source), gateways, options),
    close() {},
  };
}

/** Simulates one run against one of its targets. */
export async function simulateRun(
  scenario: Scenario,
  gateways: GatewaysAt,
  options: Omit<RunOptions, 'source'>,
): Promise<MeasuredRun> {
  const target = scenario.targets.find(({ name }) => name === options.target);
  if (target === undefined) throw new RangeError(`the scenario has no target ${options.target}`);
  const clock = new VirtualClock();
  const world = new World(scenario, clock);
  try {
    const answerer = await clock.runThrough(world.open(target, gateways.get(target.name) ?? null));
    world.restart();
    const generating = sendPlan({
      scenario,
      target,
      part: { index: 0, of: 1 },
      clock,
      wakeAt: (atMs, call) => void clock.after(atMs - clock.nowMs(), call),
      startAtMs: clock.nowMs(),
      requestOf: requestsOf(target),
      open: (owner) => new SimulatedConnection(answerer, owner),
    });
    return await clock.runThrough(completeRun({ scenario, generating, clock, isSimulated: true }, options));
  } finally {
    await world.close();
  }
}

/** The servers of one run, and the gateway before them where there is one. */
class World {
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #fronts: readonly SimulatedFront[];
  #gateway: SimulatedGateway | null = null;

  constructor(scenario: Scenario, clock: VirtualClock) {
    this.#scenario = scenario;
    this.#clock = clock;
    this.#fronts = placedServersOf(scenario).map(
      (settings, at) => new SimulatedFront(modelServerOf(settings, clock, serverSeedOf(scenario.seed, at))),
    );
  }

  /** Who answers at a target, when it is ready to. */
  async open({ url }: Target, settings: Settings | null): Promise<Answerer> {
    if (settings === null) return this.#frontAt(url);
    const { seed } = this.#scenario;
    this.#gateway = new SimulatedGateway({
      settings,
      clock: this.#clock,
      seed: seedsOf(seed).gateway,
      connect: (origin) => new ReplicaConnections(this.#frontAt(origin)),
    });
    await this.#gateway.start();
    return this.#gateway;
  }

  /** As a load test begins: with servers that have seen nothing, behind a gateway that has stood for a while. */
  restart(): void {
    for (const [at, front] of this.#fronts.entries()) front.restart(serverSeedOf(this.#scenario.seed, at));
  }

  async close(): Promise<void> {
    for (const front of this.#fronts) front.close();
    await this.#gateway?.close();
  }

  #frontAt(url: string): SimulatedFront {
    const front = this.#fronts[serverAt(url, this.#scenario.servers) ?? -1];
    if (front === undefined) throw new RangeError(`no simulated server is at ${url}`);
    return front;
  }
}

/** Makes the requests to a target. */
function requestsOf({ url, headers }: Target): (payload: Payload) => Request {
  const { host, pathname } = new URL(url);
  const prefix = pathname.replace(/\/$/, '');
  const all = { host, 'content-type': 'application/json', 'user-agent': 'headgate-loadtest', ...headers };
  return ({ path, body }) => ({
    method: 'POST',
    path: prefix + path,
    headers: { ...all, 'content-length': `${body.length}` },
    body,
  });
}
