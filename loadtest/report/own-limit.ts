/** What helps where this machine can open no more connections, by what its system says then. */
const remedies = {
  EMFILE: 'raise how many files a process may have open (ulimit -n)',
  ENFILE: 'raise how many files the system may have open (sysctl fs.file-max)',
  EADDRNOTAVAIL: 'no port of its own is left: widen their range (sysctl net.ipv4.ip_local_port_range)',
  ENOBUFS: 'its system has no memory for more',
  ENOMEM: 'its system has no memory for more',
} as const;

/** What the system says when it is this machine, and not the target, that can open no more connections. */
export type OwnLimit = keyof typeof remedies;

/** Whether a code of an error says so. */
export function isOwnLimit(code: string | undefined): code is OwnLimit {
  return code !== undefined && Object.hasOwn(remedies, code);
}

/** In words that say what to do about it. */
export function describeOwnLimit(limit: OwnLimit): string {
  return `the generator could open no more connections: ${limit}; ${remedies[limit]}`;
}
