import { after, type TestContext } from 'node:test';
import { HeadgateProcess, pause } from './gateway-process.ts';

/** A bundled worker on loopback. */
export interface RunningWorker {
  readonly process: HeadgateProcess;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
}

/** The context of what lives as long as a whole test file. */
export const wholeFile = { after } as unknown as Pick<TestContext, 'after'>;

const readyWithinMs = 30_000;

/** Runs a worker on a folder of models. Ready when this resolves. */
export async function startWorker(
  context: Pick<TestContext, 'after'>,
  folder: string,
  environment: Record<string, string> = {},
): Promise<RunningWorker> {
  const process = new HeadgateProcess(context, ['worker', '--models', folder, '--port', '0'], { environment });
  // A test file that fails while it is set up runs no hooks.
  globalThis.process.once('exit', () => process.child.kill('SIGKILL'));
  const deadlineMs = performance.now() + readyWithinMs;
  while (performance.now() < deadlineMs && process.child.exitCode === null) {
    const ready = process.log.find(({ msg }) => msg === 'ready');
    const at = ready?.at as { readonly port: number } | undefined;
    if (at !== undefined) return { process, url: `http://127.0.0.1:${at.port}` };
    await pause(10);
  }
  throw new Error(`the worker did not become ready:\n${process.stdout}\n${process.stderr}`);
}
