import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { RequestRecord } from '../measure/record.ts';
import { parseAssertion, withAssertions } from '../report/assertion.ts';
import { summarize } from '../report/summarize.ts';
import type { Band, Environment, Summary } from '../report/summary.ts';
import { readScenario, type ScenarioSource } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Destination } from './connection.ts';
import type { Generated, Generating } from './generate.ts';
import { prepareGenerators } from './generators.ts';
import type { ModelServers } from './model-servers.ts';
import { processesFor } from './processes.ts';
import { Progress } from './progress.ts';

/** Where it is told how a run gets on. */
export interface Screen {
  /** How often it wants a line. */
  readonly everyMs: number;
  /** Replaces the last one where that can be done. */
  show(line: string): void;
}

/** What is the same for all runs of one command. */
export interface Surroundings {
  readonly environment: Environment;
  readonly servers: ModelServers;
  readonly screen: Screen;
  /** By the name of the target. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Aborted: no more is sent, and what is under way is waited for. */
  readonly signal: AbortSignal;
}

/** One run against one target. */
export interface RunOptions extends Surroundings {
  readonly source: ScenarioSource;
  readonly target: string;
  /** What progress calls it. */
  readonly title: string;
}

/** What it gave. */
export interface MeasuredRun {
  readonly summary: Summary;
  /** As many as are kept. */
  readonly records: readonly RequestRecord[];
}

/** Sends a scenario to one of its targets, and sums up what came of it. */
export async function measureRun(options: RunOptions): Promise<MeasuredRun> {
  const { source, target, servers, environment, signal, destinations } = options;
  const scenario = readScenario(source);
  const { slos, warmUpMs, seed } = scenario;
  const destination = destinations.get(target);
  if (destination === undefined) throw new RangeError(`nobody has looked for ${target}`);
  const processes = processesFor(scenario, environment.processorCount);
  const start = await prepareGenerators({ source, target, destination, processes });
  await servers.restart(seed);
  const startedAt = new Date(systemClock.wallMs()).toISOString();
  const generated = await watch(start(), new Progress(options.title, scenario.forMs), options);
  const { tally } = generated;
  const summary = summarize(tally, {
    run: { name: scenario.name, target, seed, startedAt, environment },
    slos,
    warmUpMs,
    untilMs: signal.aborted || generated.sent >= (scenario.requests ?? Infinity) ? null : scenario.forMs,
    bands: bandsOf(scenario, tally.lastPlannedAtMs),
    health: generated,
  });
  return { summary: withAssertions(summary, assertionsOf(scenario)), records: tally.sample.records() };
}

/** Tells how it gets on until it has ended. */
async function watch(generating: Generating, progress: Progress, { screen, signal }: RunOptions): Promise<Generated> {
  const stop = (): void => generating.stop();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const startedAtMs = systemClock.nowMs();
  let timer = systemClock.after(screen.everyMs, function again() {
    screen.show(progress.line(generating.look(), systemClock.nowMs() - startedAtMs));
    timer = systemClock.after(screen.everyMs, again);
  });
  try {
    return await generating.finished;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}

function bandsOf({ faults, servers, warmUpMs, forMs }: Scenario, lastPlannedAtMs: number): Band[] {
  const endMs = forMs ?? lastPlannedAtMs;
  const all = [
    ...faults,
    ...servers.flatMap((server) => server.faults.map((one) => ({ ...one, server: server.name }))),
  ];
  const bands = all
    .filter(({ atMs }) => atMs < endMs)
    .map(({ kind, server, atMs, untilMs }) => ({
      name: `${kind.replaceAll('_', ' ')}${server === null ? '' : ` of ${server}`}`,
      fromMs: atMs,
      untilMs: Math.min(untilMs, endMs),
    }));
  return warmUpMs > 0 ? [{ name: 'warm-up', fromMs: 0, untilMs: warmUpMs }, ...bands] : bands;
}

function assertionsOf({ asserts }: Scenario) {
  return asserts.flatMap((text) => {
    const parsed = parseAssertion(text);
    return 'assertion' in parsed ? [parsed.assertion] : [];
  });
}
