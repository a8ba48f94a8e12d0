import { createHash } from 'node:crypto';
import { type Headers, headerOf } from '../pipeline/headers.ts';
import type { Stage } from '../pipeline/stage.ts';

/** The tenant of requests that show no credential. */
export const anonymous = 'anonymous';

const rememberedCredentials = 1000;

/** Says whose request it is: as long as no keys are configured, a tenant is the SHA-256 of the credential presented, which itself goes no further. */
export function identify(): Stage {
  const remembered = new Map<string, string>();
  const tenantOf = (credential: string): string => {
    const known = remembered.get(credential);
    if (known !== undefined) return known;
    const tenant = hashOf(credential);
    // Emptied rather than aged: a client that invents credentials must not cost memory, and a hash costs 2 us.
    if (remembered.size >= rememberedCredentials) remembered.clear();
    remembered.set(credential, tenant);
    return tenant;
  };
  return {
    name: 'identify',
    wrap: (next) => (exchange) => {
      const credential = credentialOf(exchange.head.headers);
      exchange.tenant = credential === null ? anonymous : tenantOf(credential);
      return next(exchange);
    },
  };
}

/** The tenant that a request with these headers is of. */
export function tenantOfHeaders(headers: Headers): string {
  const credential = credentialOf(headers);
  return credential === null ? anonymous : hashOf(credential);
}

/** `authorization` without its scheme, so that a key is the same tenant in both places it may be sent. */
function credentialOf(headers: Headers): string | null {
  const authorization = headerOf(headers, 'authorization');
  if (authorization !== null) return authorization.replace(/^bearer\s+/i, '');
  return headerOf(headers, 'x-api-key');
}

function hashOf(credential: string): string {
  return createHash('sha256').update(credential).digest('hex');
}
