import type { Protocol } from '../pipeline/protocol.ts';
import { openInference } from './open-inference.ts';
import { openai } from './openai.ts';
import { plainHttp } from './plain-http.ts';
import { tfServing } from './tf-serving.ts';

/** Every wire format, under the name it has in the YAML. */
export const protocols = {
  'open-inference': openInference,
  // Its paths below /v1/models are taken out of the others' /v1.
  'tf-serving': tfServing,
  openai,
  http: plainHttp,
} as const satisfies Record<string, Protocol>;
