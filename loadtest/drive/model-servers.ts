import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { placedServersOf, serverSeedOf } from '../scenario/placed-servers.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { ServerNews, ServerOrder } from './model-server-process.ts';

const program = join(import.meta.dirname, `model-server-process${extname(import.meta.filename)}`);

/** Whatever a terminal interrupts is this process alone, which then says what to do. */
const inOwnGroup: ForkOptions = {
  serialization: 'advanced',
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  detached: true,
};

/** The simulated servers of a scenario, each a process of its own, so that they take nothing from what sends. */
export class ModelServers {
  readonly #children: readonly ChildProcess[];

  /** Starts all of them. Throws where one cannot listen. */
  static async start(scenario: Scenario): Promise<ModelServers> {
    const servers = placedServersOf(scenario);
    const started = new ModelServers(servers.map(() => fork(program, inOwnGroup)));
    try {
      await started.#tellAll((at) => {
        const settings = servers[at];
        if (settings === undefined) throw new RangeError(`there is no server ${at}`);
        return { kind: 'start', settings, port: settings.port, seed: serverSeedOf(scenario.seed, at) };
      });
    } catch (error) {
      started.close();
      throw error;
    }
    return started;
  }

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  /** Every run begins with servers that have seen nothing, whose chance follows from its seed, and their faults begin with it. */
  async restart(seed: number): Promise<void> {
    await this.#tellAll((at) => ({ kind: 'restart', seed: serverSeedOf(seed, at) }));
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #tellAll(order: (at: number) => ServerOrder): Promise<void> {
    await Promise.all(this.#children.map((child, at) => tell(child, order(at))));
  }
}

function tell(child: ChildProcess, order: ServerOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const hear = (news: ServerNews): void => settle(news.kind === 'ready' ? null : news.reason);
    const end = (code: number | null): void => settle(`it ended with ${code}`);
    const settle = (fault: string | null): void => {
      child.off('message', hear).off('exit', end);
      if (fault === null) resolve();
      else reject(new ModelServerError(fault));
    };
    child.on('message', hear).on('exit', end);
    child.send(order);
  });
}

/** Why a simulated server of a scenario does not run. */
export class ModelServerError extends Error {
  constructor(reason: string) {
    super(`a simulated server does not run: ${reason}`);
    this.name = 'ModelServerError';
  }
}
