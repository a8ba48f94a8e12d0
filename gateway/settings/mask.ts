import { isSecret, type Path } from './faults.ts';

const masked = '***';

/** A copy of a value in which secrets are masked, for people to look at. */
export function maskSecrets(value: unknown, path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((item, at) => maskSecrets(item, [...path, at]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskSecrets(member, [...path, key])]));
  }
  return isSecret(path) && typeof value === 'string' ? masked : value;
}
