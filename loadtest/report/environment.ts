import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { version } from '../../gateway/version.ts';
import type { Environment } from './summary.ts';

/** What a run is made with, here and now. */
export function readEnvironment(): Environment {
  const processors = cpus();
  return {
    headgate: version,
    node: process.version,
    gitCommit: readCommit(join(import.meta.dirname, '..', '..')),
    platform: `${platform()} ${release()} ${arch()}`,
    processor: processors[0]?.model.trim() ?? 'unknown',
    processorCount: processors.length,
    memoryBytes: totalmem(),
  };
}

/** The commit that a folder is checked out from, with `-dirty` where files were changed since; null where it is no checkout or there is no git. */
function readCommit(root: string): string | null {
  // Without this, a package installed somewhere inside another project's checkout would name that project's commit.
  if (!existsSync(join(root, '.git'))) return null;
  try {
    const description = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
    return execFileSync('git', ['-C', root, ...description], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    }).trim();
  } catch {
    return null;
  }
}
