import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../kernel/clock.ts';

interface Options {
  /** The paths to look at; asked anew with every look. One that comes in later is no change. */
  files(): Iterable<string>;
  /** Something is another than before, and has been left alone for a moment. */
  onChange(): void;
  readonly clock: Clock;
}

/** Looked at through the path itself: this alone sees a folder above the file exchanged for another, and changes on a network's disk. */
const everyMs = 1_000;

/** A file is read when it has stayed the same for so long: whoever writes may not be done. */
const quietMs = 20;

/** Watches files for changes of any kind, also of the symbolic links that lead to them. What the system tells of their folders only makes it prompt. */
export class FileWatch {
  readonly #options: Options;
  readonly #seen = new Map<string, string>();
  #folders: FSWatcher[] = [];
  /** To the next look; null while one is under way. */
  #timer: Timer | null = null;
  /** A change was seen that has not been told. */
  #isUnsettled = false;
  /** Something happened since the last look began. */
  #mustLookAgain = false;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves when it knows how things are now: from then on every change is told. */
  async start(): Promise<void> {
    await this.#compare();
    if (this.#isClosed) return;
    this.#watchFolders();
    this.#lookAfter(everyMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#unwatchFolders();
  }

  async #look(): Promise<void> {
    this.#timer = null;
    this.#mustLookAgain = false;
    const hasChanged = await this.#compare();
    if (this.#isClosed) return;
    // What was watched may have been exchanged.
    if (hasChanged) this.#watchFolders();
    const isSettled = this.#isUnsettled && !hasChanged;
    this.#isUnsettled = hasChanged;
    this.#lookAfter(hasChanged || this.#mustLookAgain ? quietMs : everyMs);
    if (isSettled) this.#options.onChange();
  }

  #lookAfter(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.#look());
  }

  /** Whether anything is another than when it was last seen. */
  async #compare(): Promise<boolean> {
    let hasChanged = false;
    for (const file of this.#options.files()) {
      const before = this.#seen.get(file);
      const now = await identityOf(file);
      this.#seen.set(file, now);
      if (before !== undefined && before !== now) hasChanged = true;
    }
    return hasChanged;
  }

  #watchFolders(): void {
    this.#unwatchFolders();
    for (const folder of new Set([...this.#options.files()].map(dirname))) {
      try {
        const watcher = watch(folder, () => this.#hear());
        // It may end at any time, as with its folder: looking goes on without it.
        watcher.on('error', () => watcher.close());
        this.#folders.push(watcher);
      } catch {
        // No such folder now, or the system watches no more of them.
      }
    }
  }

  #unwatchFolders(): void {
    for (const watcher of this.#folders.splice(0)) watcher.close();
  }

  /** Looks soon; not at once, since much may go on in a folder that has nothing to do with the file. */
  #hear(): void {
    if (this.#mustLookAgain || this.#isClosed) return;
    this.#mustLookAgain = true;
    if (this.#timer === null || this.#isUnsettled) return;
    this.#timer.cancel();
    this.#lookAfter(quietMs);
  }
}

/** The same as long as a file is the same and nobody has written to it. */
async function identityOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return 'absent';
  }
}
