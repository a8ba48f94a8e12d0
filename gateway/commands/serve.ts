import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, type Gateway } from '../assemble.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { FileWatch } from '../settings/file-watch.ts';
import { loadSettings } from '../settings/load.ts';
import { readText } from '../settings/read-text.ts';
import type { Settings } from '../settings/settings.ts';
import { type Log, openLog } from '../telemetry/log.ts';
import { authorityOf } from './authority.ts';

/** How long the workers are waited for before the addresses are printed anyway. */
const patienceMs = 30_000;

/** A terminal interrupts npm and the gateway alike, and npm passes it on: what comes twice within this time was asked for once. */
const oneWishMs = 500;

/** Runs the gateway until a signal ends it. Logs go to standard error, what people read to standard output. */
export async function serve(file: string): Promise<void> {
  const started = Promise.withResolvers<Gateway>();
  const reload = async (reason: string): Promise<void> => {
    const running = await started.promise;
    output.log.info({ reason }, 'the configuration is read again');
    await running.reload();
  };
  const watch = new FileWatch({ onChange: () => reload('a file has changed'), clock: systemClock });
  process.on('SIGHUP', () => reload('SIGHUP'));
  const load = (): Settings =>
    loadSettings(file, undefined, (path) => {
      watch.add(path);
      return readText(path);
    });
  const settings = load();
  const output = openLog({ level: settings.telemetry.logLevel, destination: 2, name: 'gateway' });
  const gateway = await assemble({ settings, load, output });
  started.resolve(gateway);
  const isEnding = endOnSignals(async (signal) => {
    watch.close();
    // Whoever interrupts at a terminal does not wait for others to notice.
    await gateway.close(signal === 'SIGINT' ? { ...settings.listen, graceMs: 0 } : settings.listen);
    await output.flush();
  }, output.log);
  // Whoever read what is printed has gone: the gateway has not.
  process.stdout.on('error', () => {});
  await gateway.settle(patienceMs);
  if (!isEnding()) process.stdout.write(`${describe(gateway, settings)}\n`);
}

/** Ends the process on the first signal that asks for it, in order, and on the second at once. Tells whether one has come. */
function endOnSignals(close: (signal: NodeJS.Signals) => Promise<void>, log: Log): () => boolean {
  let endingAtMs: number | null = null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const nowMs = systemClock.nowMs();
    if (endingAtMs !== null) {
      if (signal === 'SIGINT' && nowMs - endingAtMs < oneWishMs) return;
      process.exit(1);
    }
    endingAtMs = nowMs;
    log.info({ signal }, 'shutting down');
    await close(signal);
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return () => endingAtMs !== null;
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
  return `curl -s ${client}/v2/models`;
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
