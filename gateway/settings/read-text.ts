import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** More than anybody writes by hand. A configuration is parsed in one go, and requests wait meanwhile. */
const mostBytes = 1024 * 1024;

/** Something that is there and is not to be read; the message says what it is. */
export class UnfitFile extends Error {
  readonly wanted: string;

  constructor(got: string, wanted: string) {
    super(got);
    this.name = 'UnfitFile';
    this.wanted = wanted;
  }
}

/** The text of a configuration or of a file that it names. Neither waits nor reads without end, whatever the path leads to: throws an `UnfitFile`, or what the system says. */
export function readText(file: string): string {
  // To open a FIFO otherwise waits for somebody who writes into it.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new UnfitFile(kindOf(stats), 'a file');
    return readUpTo(mostBytes, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whatever size the system tells: files of /proc have none, and a file may grow. */
function readUpTo(sizeBytes: number, descriptor: number): string {
  const bytes = Buffer.allocUnsafe(sizeBytes + 1);
  let end = 0;
  for (let count = 1; count > 0 && end < bytes.length; end += count)
    count = readSync(descriptor, bytes, end, bytes.length - end, null);
  if (end > sizeBytes) throw new UnfitFile('a file of more than 1 MiB', 'a smaller one');
  return bytes.toString('utf8', 0, end);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}
