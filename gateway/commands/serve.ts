import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, type Gateway } from '../assemble.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { FileWatch } from '../settings/file-watch.ts';
import { loadSettings } from '../settings/load.ts';
import { readText } from '../settings/read-text.ts';
import type { Settings } from '../settings/settings.ts';
import { openLog } from '../telemetry/log.ts';
import { authorityOf } from './authority.ts';
import type { Signals } from './signals.ts';

/** How long the workers are waited for before the addresses are printed anyway. */
const patienceMs = 30_000;

/** A terminal interrupts npm and the gateway alike, and npm passes it on: what comes twice within this time was asked for once. */
const oneWishMs = 500;

/** Runs the gateway until a signal ends it. Logs go to standard error, what people read to standard output. */
export async function serve(file: string, signals: Signals): Promise<void> {
  const started = Promise.withResolvers<Gateway>();
  const reload = async (reason: string): Promise<void> => {
    const running = await started.promise;
    output.log.info({ reason }, 'the configuration is read again');
    await running.reload();
  };
  const ending = new Ending(async (signal) => {
    const running = await started.promise;
    output.log.info({ signal }, 'shutting down');
    watch.close();
    // Whoever interrupts at a terminal does not wait for others to notice.
    await running.close(signal === 'SIGINT' ? { ...settings.listen, graceMs: 0 } : settings.listen);
    await output.flush();
  });
  signals.take({ reload: () => reload('SIGHUP'), end: (signal) => ending.begin(signal) });
  const watch = new FileWatch({ onChange: () => reload('a file has changed'), clock: systemClock });
  const load = (): Settings =>
    loadSettings(file, undefined, (path) => {
      watch.add(path);
      return readText(path);
    });
  const settings = load();
  const output = openLog({ level: settings.telemetry.logLevel, destination: 2, name: 'gateway' });
  const gateway = await assemble({ settings, load, output });
  started.resolve(gateway);
  // Whoever read what is printed has gone: the gateway has not.
  process.stdout.on('error', () => {});
  await gateway.settle(patienceMs);
  if (!ending.hasBegun) process.stdout.write(`${describe(gateway, settings)}\n`);
}

/** The end of the process: in order at the first signal that asks for it, at once at the second. */
class Ending {
  readonly #close: (signal: NodeJS.Signals) => Promise<void>;
  #beganAtMs: number | null = null;

  constructor(close: (signal: NodeJS.Signals) => Promise<void>) {
    this.#close = close;
  }

  get hasBegun(): boolean {
    return this.#beganAtMs !== null;
  }

  async begin(signal: NodeJS.Signals): Promise<void> {
    const nowMs = systemClock.nowMs();
    if (this.#beganAtMs !== null) {
      if (signal === 'SIGINT' && nowMs - this.#beganAtMs < oneWishMs) return;
      process.exit(1);
    }
    this.#beganAtMs = nowMs;
    await this.#close(signal);
    process.exit(0);
  }
}

function describe(gateway: Gateway, settings: Settings): string {
  const client = `http://${authorityOf(settings.listen.host, gateway.clientPort)}`;
  const operator = `http://${authorityOf(settings.admin.host, gateway.adminPort)}`;
  const lines = [`headgate listens for clients on ${client} and for operators on ${operator}`];
  for (const backend of gateway.backends()) {
    const unready = backend.replicas.filter((replica) => replica.standing !== 'ready');
    for (const { fullName, standing, reason } of unready) lines.push(`replica ${fullName} is ${standing}: ${reason}`);
  }
  return [...lines, exampleCall(client, settings)].join('\n');
}

/** A line to paste into a shell: a real input of a bundled model where one is served, else the list of models. */
function exampleCall(client: string, settings: Settings): string {
  for (const backend of settings.backends) {
    for (const { at } of backend.replicas) {
      const [model] = at.kind === 'worker' && at.folder === null ? at.models : [];
      const example = model === undefined ? null : exampleOf(model);
      if (example !== null) return `curl -s ${client}/v2/models/${model}/infer -d '${example}'`;
    }
  }
  const isOpenai = settings.backends.some(({ protocol }) => protocol === 'openai');
  return `curl -s ${client}${isOpenai ? '/v1/models' : '/v2/models'}`;
}

interface Samples {
  readonly input: string;
  readonly samples: readonly { readonly image: readonly number[] }[];
}

/** The request body for one of the samples that lie beside a model. */
function exampleOf(model: string): string | null {
  const file = join(import.meta.dirname, '..', 'worker', 'models', model, 'samples.json');
  if (!existsSync(file)) return null;
  const { input, samples } = JSON.parse(readFileSync(file, 'utf8')) as Samples;
  const data = samples[7]?.image ?? [];
  return JSON.stringify({ inputs: [{ name: input, shape: [1, data.length], datatype: 'FP32', data }] });
}
