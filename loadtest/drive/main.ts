import { join } from 'node:path';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { ConfigError } from '../../gateway/settings/faults.ts';
import { type ExitCode, exitCodes } from '../report/exit-code.ts';
import { readEnvironment } from '../report/environment.ts';
import { makeRunFolder, writeRun } from '../report/run-folder.ts';
import { type Section } from '../report/sections.ts';
import { renderText } from '../report/text.ts';
import { OverrideError, type Overrides } from '../scenario/overrides.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Destination } from './connection.ts';
import { measureRun, type Screen, type Surroundings } from './measure-run.ts';
import { ModelServerError, ModelServers } from './model-servers.ts';
import type { Measure } from './modes.ts';
import { reach, UnreachableTarget } from './reach.ts';
import { scenarioText } from './scenario-text.ts';
import { judgeWish, type Wish, wishes } from './wishes.ts';

/** What `headgate loadtest` was asked for. */
export interface LoadTestOptions {
  /** Null: what `npm start` serves. */
  readonly file: string | null;
  readonly overrides: Overrides;
  readonly wish: Wish;
  /** Results get a folder of their own in it. */
  readonly out: string;
  readonly asJson: boolean;
  readonly isColoured: boolean;
  readonly screen: Screen;
  /** Tells what stops it, or where results lie. */
  readonly say: (line: string) => void;
  /** Takes what was asked for. */
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What a mode has to tell in the end. */
export interface Told {
  readonly json: unknown;
  readonly sections: readonly Section[];
  readonly exitCode: ExitCode;
}

/** `headgate loadtest`: everything from the file to the exit code. */
export async function runLoadTest(options: LoadTestOptions): Promise<ExitCode> {
  try {
    const scenario = readScenario(options);
    judgeWish(options.wish, scenario);
    const servers = await ModelServers.start(scenario);
    try {
      return await runModes(scenario, servers, options);
    } finally {
      servers.close();
    }
  } catch (error) {
    const exitCode = exitCodeOfFailure(error);
    if (exitCode === null || !(error instanceof Error)) throw error;
    options.say(error.message);
    return exitCode;
  }
}

async function runModes(scenario: Scenario, servers: ModelServers, options: LoadTestOptions): Promise<ExitCode> {
  const { wish, screen, signal, out, say, print, asJson, isColoured } = options;
  const environment = readEnvironment();
  const surroundings = { environment, servers, screen, signal, destinations: await reachAll(scenario) };
  const folder = makeRunFolder(out, systemClock.wallMs(), scenario.name);
  const measure = measureInto(folder, surroundings, options);
  const { json, sections, exitCode } = await wishes[wish.kind]({ scenario, wish, measure, signal, folder });
  print(asJson ? `${JSON.stringify(json)}\n` : `${renderText(sections, { isColoured })}\n`);
  say(`results are in ${folder}`);
  return exitCode;
}

async function reachAll({ targets }: Scenario): Promise<ReadonlyMap<string, Destination>> {
  const reached = await Promise.all(
    targets.map(async (target) => [target.name, await reach(target, systemClock)] as const),
  );
  return new Map(reached);
}

/** Each run leaves its files: a single one in the folder itself, others in folders that are numbered. */
function measureInto(folder: string, surroundings: Surroundings, { file, overrides, wish }: LoadTestOptions): Measure {
  let nth = 0;
  return async ({ target, seed, ratePerSecond, title }) => {
    const rate = ratePerSecond === undefined ? overrides.rate : `${ratePerSecond.toFixed(6)}/s`;
    const source = { file, overrides: { ...overrides, seed: `${seed}`, rate } };
    const run = await measureRun({ ...surroundings, source, target, title });
    nth += 1;
    const name = `${String(nth).padStart(2, '0')}-${target.replaceAll(/[^\w.-]+/g, '-')}`;
    const place = wish.kind === 'runs' && wish.isOfOne ? folder : join(folder, name);
    writeRun(place, { scenarioText: scenarioText(source), ...run });
    return run.summary;
  };
}

/** Null for what is a fault of ours. */
function exitCodeOfFailure(error: unknown): ExitCode | null {
  if (error instanceof UnreachableTarget || error instanceof ModelServerError) return exitCodes.unreachable;
  const isOfScenario = error instanceof ConfigError || error instanceof OverrideError || isOfSystem(error);
  return isOfScenario ? exitCodes.badScenario : null;
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
