import type { ReloadResult } from './http/admin.ts';
import { ConfigError } from './settings/faults.ts';
import type { Settings } from './settings/settings.ts';
import type { Log } from './telemetry/log.ts';

interface Options {
  /** Reads the configuration again. Throws a `ConfigError` where it cannot be used. */
  load(): Settings;
  /** Puts it in force, whole or not at all. Gives the keys that need a restart. */
  apply(settings: Settings): Promise<readonly string[]>;
  readonly log: Log;
}

/** Reads the configuration again, one time after the other. What cannot be used is told with all its faults, and the last good one stays in force. */
export class Reloader {
  readonly #options: Options;
  readonly #counts = { success: 0, failure: 0 };
  #isLastSuccessful = true;
  /** Ends with the last reload that was asked for. */
  #last: Promise<unknown> = Promise.resolve();
  /** The one that was asked for and has not begun. */
  #next: Promise<ReloadResult> | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** How the reloads so far ended. */
  get counts(): Readonly<Record<'success' | 'failure', number>> {
    return this.#counts;
  }

  /** Whether what is in force is what was last read; true before anything was read again. */
  get isLastSuccessful(): boolean {
    return this.#isLastSuccessful;
  }

  /** Reloads when the reload that runs has ended; whoever asks in the meantime shares that one. Never rejects. */
  readonly reload = (): Promise<ReloadResult> => {
    if (this.#next !== null) return this.#next;
    const next = this.#last.then(() => {
      this.#next = null;
      return this.#run();
    });
    this.#next = next;
    this.#last = next;
    return next;
  };

  async #run(): Promise<ReloadResult> {
    const { load, apply, log } = this.#options;
    try {
      const needsRestart = await apply(load());
      this.#isLastSuccessful = true;
      this.#counts.success += 1;
      if (needsRestart.length === 0) log.info('configuration reloaded');
      else log.warn({ needsRestart }, 'configuration reloaded, but for what needs a restart');
      return { kind: 'reloaded', needsRestart };
    } catch (error) {
      const faults = faultsOf(error);
      this.#isLastSuccessful = false;
      this.#counts.failure += 1;
      if (error instanceof ConfigError) log.warn({ faults }, 'configuration refused: the last good one stays in force');
      else log.error(error, 'configuration could not be put in force: the last good one stays');
      return { kind: 'refused', faults };
    }
  }
}

function faultsOf(error: unknown): string[] {
  if (error instanceof ConfigError) return error.lines;
  return [error instanceof Error ? error.message : String(error)];
}
