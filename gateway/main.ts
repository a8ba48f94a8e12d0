#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { PortError } from './kernel/port-error.ts';
import { ConfigError } from './settings/faults.ts';
import { version } from './version.ts';

const usageExit = 2;
const misuse = { exitCode: usageExit };

/** The command line: parses, and loads what a command needs only when it is run. */
async function main(args: readonly string[]): Promise<void> {
  const program = new Command('headgate')
    .description('One gateway in front of every model server a team runs.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)');
  addServe(program);
  addWorker(program);
  addCheck(program);
  addRoute(program);
  addSimulateModel(program);
  // A gateway or a worker need not know what only whoever measures it needs.
  if (!program.commands.some((command) => command.name() === args[0])) {
    const { addLoadTestCommands } = await import('../loadtest/commands.ts');
    addLoadTestCommands(program);
  }
  await program.parseAsync([...args], { from: 'user' });
}

const defaultConfig = 'config/local.yaml';

function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the gateway')
    .option('--config <file>', 'configuration', defaultConfig)
    .addHelpText('after', examples(['headgate serve --config gateway.yaml']))
    .action(async ({ config }: { config: string }) => {
      // Before the rest of the gateway, which takes a while to load: a signal in the meantime must not kill it.
      const { Signals } = await import('./commands/signals.ts');
      const signals = new Signals();
      const { serve } = await import('./commands/serve.ts');
      await serve(config, signals);
    });
}

function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run one bundled ONNX replica that speaks the Open Inference Protocol')
    .requiredOption('--models <dir>', 'folder with a folder for each model')
    .option(
      '--model <name>',
      'serve this model only; may be given several times',
      (name: string, all: string[]) => [...all, name],
      [],
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 for a free one', wholeNumber(0, 65_535))
    .option('--socket <path>', 'Unix socket to listen on instead of a port')
    .option('--threads <count>', 'threads each inference computes with', wholeNumber(1, 1024), 1)
    .addHelpText(
      'after',
      examples([
        'headgate worker --models ./models --port 8101',
        'headgate worker --models ./models --socket /run/w.sock',
      ]),
    )
    .action(async (options: WorkerOptions, command: Command) => {
      const { models: folder, model: only, host, port, socket, threads } = options;
      if ((port === undefined) === (socket === undefined))
        command.error('error: wanted one of --port and --socket', misuse);
      const { runWorker } = await import('./worker/main.ts');
      await runWorker({
        folder,
        only,
        threads,
        at: socket === undefined ? { host, port: port ?? 0 } : { path: socket },
      });
    });
}

interface WorkerOptions {
  readonly models: string;
  readonly model: string[];
  readonly host: string;
  readonly port?: number;
  readonly socket?: string;
  readonly threads: number;
}

function addSimulateModel(program: Command): void {
  program
    .command('simulate-model')
    .description('run a simulated model server: its answers take as long as real ones, and mean nothing')
    .addOption(new Option('--kind <kind>', 'what it serves').choices(['tensor', 'llm']).makeOptionMandatory())
    .requiredOption('--port <port>', 'port to listen on; 0 for a free one', wholeNumber(0, 65_535))
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--profile <file>', 'how fast it is, how it tells its load, and what goes wrong with it, in YAML')
    .option('--seed <number>', 'where its chance begins', wholeNumber(0, 2 ** 32 - 1), 1)
    .addHelpText(
      'after',
      examples([
        'headgate simulate-model --kind llm --port 8201',
        'headgate simulate-model --kind tensor --port 8202 --profile slow.yaml --seed 7',
      ]),
    )
    .action(async (options: SimulateOptions) => {
      const { simulateModel } = await import('../loadtest/model-server/main.ts');
      const { url, close } = await simulateModel({ ...options, environment: process.env });
      const end = (): void => void close().then(() => process.exit(0));
      process.once('SIGTERM', end);
      process.once('SIGINT', end);
      process.stdout.write(`simulated ${options.kind} server on ${url}, seed ${options.seed}\n`);
    });
}

interface SimulateOptions {
  readonly kind: 'tensor' | 'llm';
  readonly port: number;
  readonly host: string;
  readonly profile?: string;
  readonly seed: number;
}

function addCheck(program: Command): void {
  program
    .command('check')
    .description('validate a configuration and explain it')
    .option('--config <file>', 'configuration', defaultConfig)
    .option('--json', 'print one object')
    .option('--write-schema <file>', 'write the JSON Schema of configurations there instead')
    .addHelpText('after', examples(['headgate check --config gateway.yaml']))
    .action(async (options: { config: string; json?: boolean; writeSchema?: string }) => {
      const { check, writeSchema } = await import('./commands/check.ts');
      if (options.writeSchema !== undefined) writeSchema(options.writeSchema);
      else process.exitCode = check(options.config, options.json === true);
    });
}

function addRoute(program: Command): void {
  const collect = (header: string, all: string[]): string[] => [...all, header];
  program
    .command('route')
    .description('tell where a request would go, and why, without sending it')
    .argument('<request>', 'method and path')
    .option('--config <file>', 'configuration', defaultConfig)
    .option('--header <name:value>', 'a header of the request; may be given several times', collect, [])
    .option('--body <file>', 'the body of the request')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples([
        "headgate route --config gateway.yaml 'POST /v2/models/digits/infer'",
        "headgate route 'POST /v2/models/digits/infer' --header 'x-beta: 1' --header 'x-api-key: k' --body image.json --json",
      ]),
    )
    .action(async (request: string, options: RouteOptions, command: Command) => {
      // Told without the text itself, as commander would: it may be a credential.
      const line = /^\s*(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+(\/\S*)\s*$/.exec(request);
      if (line === null)
        command.error("error: wanted a method and a path, such as 'POST /v2/models/digits/infer'", misuse);
      const headers = headersOf(options.header);
      if (headers === null) command.error('error: option --header: wanted NAME:VALUE', misuse);
      const [, method = '', target = ''] = line;
      const { config, body = null, json = false } = options;
      const { explainRoute } = await import('./commands/route.ts');
      process.exitCode = await explainRoute({ config, method, target, headers, body, asJson: json });
    });
}

interface RouteOptions {
  readonly config: string;
  readonly header: readonly string[];
  readonly body?: string;
  readonly json?: boolean;
}

/** Headers from `name: value` each, or null where one is none. */
function headersOf(lines: readonly string[]): Headers | null {
  try {
    return new Headers(
      lines.map((line): [string, string] => {
        const nameEnd = Math.max(0, line.indexOf(':'));
        return [line.slice(0, nameEnd), line.slice(nameEnd + 1)];
      }),
    );
  } catch {
    return null;
  }
}

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`wanted a whole number from ${minimum} to ${maximum}`);
  };
}

/** Whether the system said no, as to a file that is not there. Node says so in words that name what was wanted. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : usageExit);
  // A fault of the configuration or of the machine is told in its own words; anything else is a fault of ours and needs its stack.
  const isPlain = error instanceof ConfigError || error instanceof PortError || isOfSystem(error);
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${isPlain ? error.message : stack}\n`);
  process.exit(1);
}
