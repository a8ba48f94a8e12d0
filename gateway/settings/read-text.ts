import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** In MiB: more than anybody writes by hand. A configuration is parsed in one go, and requests wait meanwhile. */
const usualMost = 1;

const mebibyte = 1024 * 1024;

/** Something that is there and is not to be read; the message says what it is. */
export class UnfitFile extends Error {
  readonly wanted: string;

  constructor(got: string, wanted: string) {
    super(got);
    this.name = 'UnfitFile';
    this.wanted = wanted;
  }
}

/**
 * The text of a configuration or of a file that it names, of at most so many MiB. Neither waits nor reads without end, whatever the path leads
 * to: throws an `UnfitFile`, or what the system says.
 */
export function readText(file: string, mostMebibytes: number = usualMost): string {
  // To open a FIFO otherwise waits for somebody who writes into it.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new UnfitFile(kindOf(stats), 'a file');
    const text = readUpTo(mostMebibytes, descriptor);
    if (text.includes('\0')) throw new UnfitFile('a binary file', 'a text in UTF-8');
    return text;
  } finally {
    closeSync(descriptor);
  }
}

/** Whatever size the system tells: files of /proc have none, and a file may grow. */
function readUpTo(mostMebibytes: number, descriptor: number): string {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for (let count = 1; count > 0; sizeBytes += count) {
    if (sizeBytes > mostMebibytes * mebibyte)
      throw new UnfitFile(`a file of more than ${mostMebibytes} MiB`, 'a smaller one');
    const piece = Buffer.allocUnsafe(pieceBytes);
    count = readSync(descriptor, piece);
    pieces.push(piece.subarray(0, count));
  }
  return Buffer.concat(pieces, sizeBytes).toString();
}

const pieceBytes = 64 * 1024;

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}
