import type { Protocol } from '../pipeline/protocol.ts';
import { openInference } from './open-inference.ts';

/** Every wire format, under the name it has in the YAML. */
export const protocols = {
  'open-inference': openInference,
} as const satisfies Record<string, Protocol>;

/** A wire format, as the YAML names it. */
export type ProtocolName = keyof typeof protocols;
