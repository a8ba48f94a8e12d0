import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../gateway/kernel/system-clock.ts';

interface Options {
  readonly url?: string;
  readonly protocol?: string;
  readonly model?: string;
  readonly rate?: string;
  readonly for?: string;
  readonly seed?: string;
  readonly compare?: string | true;
  readonly repetitions?: number;
  readonly findMaxRate?: true;
  readonly sweep?: string | true;
  readonly slo: readonly string[];
  readonly assert: readonly string[];
  readonly json?: true;
  readonly out: string;
}

interface SimulateOptions extends Options {
  readonly config: readonly string[];
  readonly measured?: string;
}

/** Adds `loadtest`, `simulate` and `report` to the command line. Their code is loaded when they are run. */
export function addLoadTestCommands(program: Command): void {
  addLoadTest(program);
  addSimulate(program);
  addReport(program);
}

function addLoadTest(program: Command): void {
  const command = program
    .command('loadtest')
    .description('send what a scenario plans, at its instants, and report what came of it')
    .argument('[file]', 'the scenario, in YAML; absent: what npm start serves, for 10 s');
  addScenarioOptions(command)
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: Options) => {
      const { runLoadTest } = await import('./drive/main.ts');
      process.exitCode = await runLoadTest({ ...whatIsAsked(file ?? null, options), ...interruption() });
    });
}

function addSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('predict what a scenario would come to: the same load test on a virtual clock')
    .argument('<file>', 'the scenario, in YAML, with its simulated servers')
    .option(
      '--config <[target=]file>',
      'the gateway before the servers, or before one target; may be given several times',
      collect,
      [],
    )
    .option('--measured <dir>', 'show the results of a load test beside what is predicted');
  addScenarioOptions(command)
    .addHelpText('after', simulateHelp)
    .action(async (file: string, options: SimulateOptions) => {
      const { runSimulation } = await import('./simulate/main.ts');
      const asked = whatIsAsked(file, options);
      const wish = { ...asked.wish, measured: options.measured ?? null };
      process.exitCode = await runSimulation({ ...asked, wish, configs: options.config, ...interruption() });
    });
}

function addScenarioOptions(command: Command): Command {
  return command
    .option('--url <url>', 'send there instead of to the targets of the scenario')
    .option('--protocol <protocol>', 'what is spoken there: openai or open-inference')
    .option('--model <name>', 'the model that is asked')
    .option('--rate <rate>', 'requests a second, such as 200/s')
    .option('--for <duration>', 'how long requests are planned, such as 30s')
    .option('--seed <number>', 'everything left to chance follows from it')
    .option('--compare [url]', 'compare the first target of the scenario with each other, or with this one')
    .option('--repetitions <count>', 'pairs of runs in a comparison: 12 unless said, 8 at least', wholeNumber)
    .option('--find-max-rate', 'look for the highest rate at which the SLOs and claims hold')
    .option('--sweep [from..to]', 'measure at rising rates, and find the knee')
    .option(
      '--slo <name=duration>',
      'latency, ttft, itl or tpot of a good request; may be given several times',
      collect,
      [],
    )
    .option('--assert <claim>', 'fail unless it holds, such as p99<800ms; may be given several times', collect, [])
    .option('--json', 'print one object')
    .option('--out <dir>', 'where results get a folder of their own', 'results');
}

const help = `
Examples:
  $ headgate loadtest --rate 200/s --for 30s
  $ headgate loadtest scenario.yaml --assert 'p99<800ms' --assert 'goodput>95%'
  $ headgate loadtest scenario.yaml --compare http://127.0.0.1:8090
  $ headgate loadtest scenario.yaml --find-max-rate --slo latency=500ms
  $ headgate loadtest scenario.yaml --sweep 50/s..800/s --json

Exit codes: 0 passed, 1 a claim failed, 2 the scenario or an option cannot be used,
3 the figures do not count (the generator fell behind, or was interrupted), 4 a target cannot be reached, 130 interrupted three times.`;

const simulateHelp = `
Examples:
  $ headgate simulate scenario.yaml --config gateway.yaml
  $ headgate simulate scenario.yaml --config gateway.yaml --measured results/2026-11-25T03-14-00Z-two-speeds
  $ headgate simulate two-targets.yaml --config now=gateway.yaml --config then=candidate.yaml --compare
  $ headgate simulate scenario.yaml --config gateway.yaml --find-max-rate --slo latency=500ms

Every target that is no simulated server itself stands for a gateway, and needs its configuration: two that are compared are two targets of
the scenario, here called now and then, at URLs of their own where nobody need listen. Exit codes are those of loadtest.`;

function addReport(program: Command): void {
  program
    .command('report')
    .description('render the report of an old load test again, from its summary; its records are not read')
    .argument('<dir>', 'its folder, or that of one of its runs')
    .option('--json', 'print one object')
    .addHelpText('after', '\nExamples:\n  $ headgate report results/2026-11-25T03-14-00Z-poisson-chat')
    .action(async (folder: string, { json }: { json?: true }) => {
      const { reportRun } = await import('./drive/main.ts');
      process.exitCode = await reportRun(folder, telling(json === true));
    });
}

/** npm passes on a signal that the terminal has sent already: two that come together are one. */
const echoMs = 300;

/** The first signal that asks for the end stops the sending, the second the waiting for answers; at the third the process ends, whatever it was writing. */
function interruption(): { readonly signal: AbortSignal; readonly breakOff: AbortSignal } {
  const stop = new AbortController();
  const breakOff = new AbortController();
  let lastAtMs = Number.NEGATIVE_INFINITY;
  const interrupt = (): void => {
    const nowMs = systemClock.nowMs();
    const isEcho = nowMs - lastAtMs < echoMs;
    lastAtMs = nowMs;
    if (isEcho) return;
    if (breakOff.signal.aborted) process.exit(130);
    if (stop.signal.aborted) {
      process.stderr.write('waits no longer.\n');
      breakOff.abort();
      return;
    }
    process.stderr.write('sends no more; waits for what is under way. Once more to wait no longer.\n');
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return { signal: stop.signal, breakOff: breakOff.signal };
}

function whatIsAsked(file: string | null, options: Options) {
  const { url, protocol, model, rate, for: length, seed, slo, assert, compare, sweep } = options;
  const other = typeof compare === 'string' ? compare : undefined;
  return {
    file,
    overrides: { url, protocol, model, rate, for: length, seed, slo, assert, compare: other },
    wish: {
      compare: compare !== undefined,
      repetitions: options.repetitions ?? null,
      findMaxRate: options.findMaxRate === true,
      sweep: sweep === undefined ? null : sweep === true ? '' : sweep,
      measured: null,
    },
    out: options.out,
    screen: screen(),
    ...telling(options.json === true),
  };
}

function telling(asJson: boolean) {
  clearLine();
  return {
    asJson,
    isColoured: process.stdout.isTTY === true && process.stdout.hasColors(),
    print: (text: string) => void process.stdout.write(text),
    say(line: string) {
      clearLine();
      process.stderr.write(`${line}\n`);
    },
  };
}

/** A line that renews itself on a terminal; in a pipe one every few seconds. */
function screen() {
  if (!process.stderr.isTTY) return { everyMs: 5000, show: (line: string) => void process.stderr.write(`${line}\n`) };
  return {
    everyMs: 500,
    show(line: string) {
      clearLine();
      process.stderr.write(line.slice(0, process.stderr.columns - 1));
    },
  };
}

function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

function collect(one: string, all: readonly string[]): readonly string[] {
  return [...all, one];
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('wanted a whole number');
}
