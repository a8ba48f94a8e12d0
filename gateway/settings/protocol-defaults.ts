import type { protocolNames } from './backend-schema.ts';

/** What holds for a protocol where the configuration says nothing. */
interface ProtocolDefaults {
  readonly firstByteMs: number;
  /** Infinity for no limit. */
  readonly totalMs: number;
  /** Asked for its health; `:model` stands for the first of the backend's models, as the replicas say it. */
  readonly healthPath: string;
  /** The first status of such an answer that speaks against the replica. */
  readonly unwellFromStatus: number;
}

const usual = { firstByteMs: 30_000, totalMs: 120_000, unwellFromStatus: 300 } as const;

/** By the name of the protocol. */
export const protocolDefaults: Readonly<Record<(typeof protocolNames)[number], ProtocolDefaults>> = {
  'open-inference': { ...usual, healthPath: '/v2/health/ready' },
  // The first byte of a completion that is not streamed is its last. Every server of this API lists its models.
  openai: { ...usual, firstByteMs: 600_000, totalMs: Number.POSITIVE_INFINITY, healthPath: '/v1/models' },
  'tf-serving': { ...usual, healthPath: '/v1/models/:model' },
  // Of any server no more is known than that it answers.
  http: { ...usual, healthPath: '/', unwellFromStatus: 500 },
};
