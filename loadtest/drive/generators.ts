import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { Tally } from '../report/tally.ts';
import { readScenario, type ScenarioSource } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Destination } from './connection.ts';
import type { DriveState } from './drive.ts';
import { generate } from './generate.ts';
import type { GeneratorNews, GeneratorOrder } from './generator-process.ts';
import { type Glance, glanceOfAll } from './glance.ts';
import { type Generated, type Generating, newTally } from './send-plan.ts';

/** What all generators of a run do together. */
export interface Work {
  readonly source: ScenarioSource;
  readonly target: string;
  readonly destination: Destination;
  readonly processes: number;
}

const program = join(import.meta.dirname, `generator-process${extname(import.meta.filename)}`);

/** From the order to start until the start, so that it has reached every process by then. */
const leadMs = 200;

/** Makes ready, and gives how to start: in this process where one is enough, else each part in one of its own. */
export async function prepareGenerators(work: Work): Promise<() => Generating> {
  const scenario = readScenario(work.source);
  const target = scenario.targets.find(({ name }) => name === work.target);
  if (target === undefined) throw new RangeError(`the scenario has no target ${work.target}`);
  if (work.processes > 1) return prepareProcesses(scenario, work);
  const { destination } = work;
  return () => generate({ scenario, target, destination, part: { index: 0, of: 1 } }, systemClock.wallMs());
}

async function prepareProcesses(scenario: Scenario, work: Work): Promise<() => Generating> {
  const { source, target, destination, processes } = work;
  const parts = Array.from({ length: processes }, (_, index) => ({ index, of: processes }));
  const generators = parts.map((part) => new GeneratorProcess(newTally(scenario, part)));
  await Promise.all(
    generators.map((generator, at) =>
      generator.prepare({ kind: 'prepare', source, target, destination, part: parts[at] ?? { index: at, of: 1 } }),
    ),
  );
  return () => {
    const atWallMs = systemClock.wallMs() + leadMs;
    const running = generators.map((generator) => generator.start(atWallMs));
    return {
      look: () => glanceOfAll(running.map((one) => one.look())),
      stop() {
        for (const one of running) one.stop();
      },
      breakOff() {
        for (const one of running) one.breakOff();
      },
      finished: Promise.all(running.map(({ finished }) => finished)).then(together),
    };
  };
}

/** All that was counted, and as late as the latest part was. */
function together(parts: readonly Generated[]): Generated {
  const [first, ...more] = parts;
  if (first === undefined) throw new RangeError('nothing was generated');
  for (const { tally } of more) first.tally.merge(tally.encode());
  const sum = (key: 'unsent' | 'sent'): number => parts.reduce((soFar, part) => soFar + part[key], 0);
  const delays = parts.flatMap(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms ?? []);
  return {
    unsent: sum('unsent'),
    ownLimit: parts.find(({ ownLimit }) => ownLimit !== null)?.ownLimit ?? null,
    sent: sum('sent'),
    eventLoopDelayP99Ms: delays.length === 0 ? null : Math.max(...delays),
    tally: first.tally,
  };
}

/** One process that sends; it ends by itself when this one does. */
class GeneratorProcess {
  readonly #child: ChildProcess;
  readonly #finished = Promise.withResolvers<Generated>();
  readonly #ready = Promise.withResolvers<void>();
  /** What its own tally is merged into once it has ended. */
  readonly #tally: Tally;
  /** Those that nobody has looked at yet. */
  #glances: Glance[] = [];
  #lastState: DriveState = { sent: 0, underWay: 0 };

  constructor(tally: Tally) {
    this.#tally = tally;
    // In a group of its own: what a terminal interrupts is the parent, which then says what to do.
    const stdio: ForkOptions['stdio'] = ['ignore', 'inherit', 'inherit', 'ipc'];
    this.#child = fork(program, { serialization: 'advanced', stdio, detached: true });
    this.#child.on('message', (news: GeneratorNews) => this.#hear(news));
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
    return {
      look: () => this.#look(),
      stop: () => void order({ kind: 'stop' }),
      breakOff: () => void order({ kind: 'break off' }),
      finished: this.#finished.promise,
    };
  }

  /** Counts add up over what has come since the last look; where it stands is as it was told last. */
  #look(): Glance {
    const glance = { ...glanceOfAll(this.#glances), ...this.#lastState };
    this.#glances = [];
    return glance;
  }

  #hear(news: GeneratorNews): void {
    if (news.kind === 'ready') this.#ready.resolve();
    else if (news.kind === 'glance') {
      const { sent, underWay } = news.glance;
      this.#glances.push(news.glance);
      this.#lastState = { sent, underWay };
    } else {
      this.#tally.merge(news.tally);
      this.#finished.resolve({ ...news.generated, tally: this.#tally });
      this.#child.disconnect();
    }
  }
}
