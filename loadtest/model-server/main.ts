import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { Environment } from '../../gateway/settings/interpolate.ts';
import { type Front, openFront } from './front.ts';
import { modelServerOf } from './model-server.ts';
import { defaultProfile, readProfile } from './read-profile.ts';
import type { ServerSettings } from './settings.ts';

interface Options {
  readonly kind: ServerSettings['kind'];
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  /** Absent: every default. */
  readonly profile?: string;
  readonly environment: Environment;
}

/** `headgate simulate-model`: starts what a profile describes. Throws a `ConfigError` with all its faults. */
export async function simulateModel(options: Options): Promise<{ url: string; close(): Promise<void> }> {
  const { kind, host, port, seed, profile, environment } = options;
  const settings = profile === undefined ? defaultProfile(kind) : readProfile(profile, kind, environment);
  const front = await startModelServer(settings, { host, port, seed });
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${front.port}`, close: front.close };
}

/** Starts a simulated server in this process, on the machine's own time. */
export function startModelServer(
  settings: ServerSettings,
  { host, port, seed }: { host: string; port: number; seed: number },
): Promise<Front> {
  const { server, endpoint } = modelServerOf(settings, systemClock, seed);
  return openFront(server, endpoint, { host, port });
}
