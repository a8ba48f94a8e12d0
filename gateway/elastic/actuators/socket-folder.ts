import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of this process's own for the sockets of its workers. They are numbered: the path of a socket holds 107 bytes at most, and names of replicas may be longer. */
export class SocketFolder {
  readonly #path = mkdtempSync(join(tmpdir(), 'headgate-'));
  #count = 0;

  constructor() {
    // Also where the process ends at once.
    process.once('exit', this.remove);
  }

  /** A path that was not given before. */
  readonly newPath = (): string => {
    this.#count += 1;
    return join(this.#path, `${this.#count}.sock`);
  };

  /** Removes the folder and what is left in it. */
  readonly remove = (): void => {
    process.off('exit', this.remove);
    rmSync(this.#path, { recursive: true, force: true });
  };
}
