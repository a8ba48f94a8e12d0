import { type BigIntStats, type FSWatcher, statSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../kernel/clock.ts';

interface Options {
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
  /** What each file was when it was last looked at. */
  readonly #seen = new Map<string, string>();
  readonly #folders = new Map<string, FSWatcher>();
  /** To the next look; null while one is under way. */
  #timer: Timer | null = null;
  /** A change was seen that has not been told. */
  #isUnsettled = false;
  /** Something happened since the last look began. */
  #mustLookAgain = false;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#lookAfter(everyMs);
  }

  /** Watches a file, whether it is there or not, from now on: to be called before it is read, so that no change is missed. One that is watched already stays so. */
  add(file: string): void {
    if (this.#seen.has(file)) return;
    this.#seen.set(file, identityNow(file));
    this.#listen(dirname(file));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const watcher of this.#folders.values()) watcher.close();
  }

  async #look(): Promise<void> {
    this.#timer = null;
    this.#mustLookAgain = false;
    const hasChanged = await this.#compare();
    if (this.#isClosed) return;
    if (hasChanged) this.#listenAnew();
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
    for (const [file, before] of this.#seen) {
      const now = await identitySoon(file);
      this.#seen.set(file, now);
      if (before !== now) hasChanged = true;
    }
    return hasChanged;
  }

  /** The folders that were listened to may have been exchanged for others of the same name. */
  #listenAnew(): void {
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
    for (const file of this.#seen.keys()) this.#listen(dirname(file));
  }

  #listen(folder: string): void {
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, () => this.#hear());
      // It may end at any time, as with its folder: looking goes on without it.
      watcher.on('error', () => watcher.close());
      this.#folders.set(folder, watcher);
    } catch {
      // No such folder now, or the system listens to no more of them.
    }
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

const absent = 'absent';

function identityNow(file: string): string {
  try {
    return identityOf(statSync(file, { bigint: true }));
  } catch {
    return absent;
  }
}

/** A disk that does not answer must not hold up requests. */
async function identitySoon(file: string): Promise<string> {
  try {
    return identityOf(await stat(file, { bigint: true }));
  } catch {
    return absent;
  }
}

/** The same as long as a file is the same and nobody has written to it. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}
