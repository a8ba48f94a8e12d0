import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { RequestRecord } from '../measure/record.ts';
import { readScenario, type ScenarioSource } from '../scenario/read-scenario.ts';
import type { Destination } from './connection.ts';
import type { DriveState } from './drive.ts';
import { type Generated, type Generating, generate } from './generate.ts';
import type { GeneratorNews, GeneratorOrder } from './generator-process.ts';

/** What all generators of a run do together. */
export interface Work {
  readonly source: ScenarioSource;
  readonly target: string;
  readonly destination: Destination;
  readonly processes: number;
  readonly onRecord: (record: RequestRecord) => void;
}

const program = join(import.meta.dirname, `generator-process${extname(import.meta.filename)}`);

/** From the order to start until the start, so that it has reached every process by then. */
const leadMs = 200;

/** Makes ready, and gives how to start: in this process where one is enough, else each part in one of its own. */
export async function prepareGenerators(work: Work): Promise<() => Generating> {
  if (work.processes > 1) return prepareProcesses(work);
  const scenario = readScenario(work.source);
  const target = scenario.targets.find(({ name }) => name === work.target);
  if (target === undefined) throw new RangeError(`the scenario has no target ${work.target}`);
  const { destination, onRecord } = work;
  const part = { index: 0, of: 1 };
  return () => generate({ scenario, target, destination, part, onRecord }, systemClock.wallMs());
}

async function prepareProcesses(work: Work): Promise<() => Generating> {
  const { source, target, destination, processes, onRecord } = work;
  const generators = Array.from({ length: processes }, () => new GeneratorProcess(onRecord));
  await Promise.all(
    generators.map((generator, index) =>
      generator.prepare({ kind: 'prepare', source, target, destination, part: { index, of: processes } }),
    ),
  );
  return () => {
    const atWallMs = systemClock.wallMs() + leadMs;
    const parts = generators.map((generator) => generator.start(atWallMs));
    return {
      get state() {
        const sum = (key: keyof DriveState): number => parts.reduce((soFar, { state }) => soFar + state[key], 0);
        return { sent: sum('sent'), underWay: sum('underWay') };
      },
      stop: () => parts.forEach((part) => void part.stop()),
      finished: Promise.all(parts.map(({ finished }) => finished)).then(together),
    };
  };
}

/** A run is as late as its latest part. */
function together(parts: readonly Generated[]): Generated {
  const sum = (key: 'unsent' | 'sent' | 'mostConnections'): number =>
    parts.reduce((soFar, part) => soFar + part[key], 0);
  const delays = parts.flatMap(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms ?? []);
  return {
    unsent: sum('unsent'),
    sent: sum('sent'),
    mostConnections: sum('mostConnections'),
    eventLoopDelayP99Ms: delays.length === 0 ? null : Math.max(...delays),
  };
}

/** One process that sends; it ends by itself when this one does. */
class GeneratorProcess {
  readonly #child: ChildProcess;
  readonly #finished = Promise.withResolvers<Generated>();
  readonly #ready = Promise.withResolvers<void>();
  #state: DriveState = { sent: 0, underWay: 0 };

  constructor(onRecord: (record: RequestRecord) => void) {
    this.#child = fork(program, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (news: GeneratorNews) => this.#hear(news, onRecord));
    this.#child.on('exit', (code) => {
      const error = new Error(`a process that sends ended with ${code}`);
      this.#ready.reject(error);
      this.#finished.reject(error);
    });
    // Where it ends before anybody waits for it, that is told to whoever waits for the other.
    this.#ready.promise.catch(() => {});
    this.#finished.promise.catch(() => {});
  }

  prepare(order: GeneratorOrder): Promise<void> {
    this.#child.send(order);
    return this.#ready.promise;
  }

  start(atWallMs: number): Generating {
    const order = (one: GeneratorOrder): boolean => this.#child.send(one);
    order({ kind: 'start', atWallMs });
    const state = (): DriveState => this.#state;
    return {
      get state() {
        return state();
      },
      stop: () => void order({ kind: 'stop' }),
      finished: this.#finished.promise,
    };
  }

  #hear(news: GeneratorNews, onRecord: (record: RequestRecord) => void): void {
    if (news.kind === 'ready') this.#ready.resolve();
    else if (news.kind === 'records') {
      this.#state = news.state;
      for (const record of news.records) onRecord(record);
    } else {
      this.#finished.resolve(news.generated);
      this.#child.disconnect();
    }
  }
}
