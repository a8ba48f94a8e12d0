import { join } from 'node:path';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { ConfigError } from '../../gateway/settings/faults.ts';
import { readEnvironment } from '../report/environment.ts';
import { type ExitCode, exitCodes } from '../report/exit-code.ts';
import { makeRunFolder, RunFolderError, writeRun } from '../report/run-folder.ts';
import { renderText } from '../report/text.ts';
import { OverrideError } from '../scenario/overrides.ts';
import { readScenario, type ScenarioSource } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { openLiveGround } from './live-ground.ts';
import { ModelServerError } from './model-servers.ts';
import type { Measure } from './modes.ts';
import { UnreachableTarget } from './reach.ts';
import { renderAgain } from './render-again.ts';
import type { Ground, MeasuredRun, RunOptions, Screen, Surroundings } from './run.ts';
import { scenarioText } from './scenario-text.ts';
import type { Told } from './told.ts';
import { type Wish, type WishOptions, wishOf } from './wishes.ts';

/** How results are told. */
export interface Telling {
  readonly asJson: boolean;
  readonly isColoured: boolean;
  /** Takes what was asked for. */
  readonly print: (text: string) => void;
  /** Takes a line on why there is nothing, or on where there is more. */
  readonly say: (line: string) => void;
}

/** What `headgate loadtest` was asked for. */
export interface LoadTestOptions extends ScenarioSource, Telling {
  readonly wish: WishOptions;
  /** Results get a folder of their own in it. */
  readonly out: string;
  readonly screen: Screen;
  /** Aborted: sends no more, and tells what was until then. */
  readonly signal: AbortSignal;
  /** Aborted: does not wait for what is under way either. */
  readonly breakOff: AbortSignal;
}

/** `headgate loadtest`: everything from the file to the exit code. */
export function runLoadTest(options: LoadTestOptions): Promise<ExitCode> {
  return runOn(openLiveGround, options);
}

/** A load test on whatever ground is opened for its scenario. */
export function runOn(
  open: (scenario: Scenario) => Ground | Promise<Ground>,
  options: LoadTestOptions,
): Promise<ExitCode> {
  return failingWithCodes(options, async () => {
    const scenario = readScenario(options);
    const wish = wishOf(options.wish, scenario);
    const ground = await open(scenario);
    try {
      return await fulfil(wish, { scenario, ground }, options);
    } finally {
      ground.close();
    }
  });
}

/** `headgate report`: renders an old load test again, and tells it. */
export function reportRun(folder: string, telling: Telling): Promise<ExitCode> {
  return failingWithCodes(telling, async () => {
    tell(renderAgain(folder), telling);
    telling.say(`reports are written anew in ${folder}`);
    return exitCodes.passed;
  });
}

async function fulfil(
  wish: Wish,
  { scenario, ground }: { readonly scenario: Scenario; readonly ground: Ground },
  options: LoadTestOptions,
): Promise<ExitCode> {
  const { screen, signal, breakOff, out, say } = options;
  const folder = makeRunFolder(out, systemClock.wallMs(), scenario.name);
  const { wish: wished } = options;
  const isSingle = scenario.targets.length === 1 && !wished.findMaxRate && wished.sweep === null;
  const environment = readEnvironment();
  const measure = measureInto({ folder, isSingle }, options, (run) =>
    ground.measure({ ...run, environment, screen, signal, breakOff }),
  );
  const told = await wish({ scenario, clock: ground.clock, measure, signal, folder });
  tell(told, options);
  if (signal.aborted) say('interrupted: this is what was measured until then, and it does not count');
  say(`results are in ${folder}`);
  return signal.aborted ? exitCodes.invalid : told.exitCode;
}

function tell({ json, sections }: Omit<Told, 'exitCode'>, { asJson, isColoured, print }: Telling): void {
  print(asJson ? `${JSON.stringify(json)}\n` : renderText(sections, { isColoured }));
}

/** Each run leaves its files: a single one in the folder itself, several in folders that are numbered. */
function measureInto(
  { folder, isSingle }: { readonly folder: string; readonly isSingle: boolean },
  { file, overrides }: ScenarioSource,
  make: (run: Omit<RunOptions, keyof Surroundings>) => Promise<MeasuredRun>,
): Measure {
  let nth = 0;
  return async ({ target, seed, ratePerSecond, title }) => {
    const rate = ratePerSecond === undefined ? overrides.rate : `${ratePerSecond.toFixed(6)}/s`;
    const source = { file, overrides: { ...overrides, seed: `${seed}`, rate } };
    const run = await make({ source, target, title });
    nth += 1;
    const own = `${String(nth).padStart(2, '0')}-${target.replaceAll(/[^\w.-]+/g, '-')}`;
    writeRun(isSingle ? folder : join(folder, own), { scenarioText: scenarioText(source), ...run });
    return run.summary;
  };
}

/** What is wrong with the scenario or its surroundings is told in its own words, and by a code; what is a fault of ours is thrown. */
async function failingWithCodes({ say }: Telling, act: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await act();
  } catch (error) {
    if (isInterruption(error)) {
      say('interrupted: what was measured until then lies in the folder of each run');
      return exitCodes.invalid;
    }
    const code = exitCodeOfFailure(error);
    if (code === null || !(error instanceof Error)) throw error;
    say(error.message);
    return code;
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function exitCodeOfFailure(error: unknown): ExitCode | null {
  if (error instanceof UnreachableTarget || error instanceof ModelServerError) return exitCodes.unreachable;
  const isOfScenario = [ConfigError, OverrideError, RunFolderError].some((kind) => error instanceof kind);
  return isOfScenario || (error instanceof Error && 'syscall' in error) ? exitCodes.badScenario : null;
}
